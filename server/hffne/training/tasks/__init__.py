# SPDX-License-Identifier: GPL-3.0-or-later
"""The training tasks: prn, coarse and fine make the shipped networks, paper_* are the two stages as published."""
