# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs and scenes without a window: the preview render, the round trip, profiling."""
