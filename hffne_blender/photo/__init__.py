# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a photo comes from, and which faces were detected on it."""
