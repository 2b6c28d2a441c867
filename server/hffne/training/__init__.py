# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipe that made the shipped weights: ``hffne train``."""
