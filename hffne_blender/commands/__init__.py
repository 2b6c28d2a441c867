# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs without a window, started from a command line: preview renders, the round trip, profiling."""
