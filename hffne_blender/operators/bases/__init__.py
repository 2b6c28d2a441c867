# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators share: properties, polls, reports, timers, work in the background, and where a new face goes."""
