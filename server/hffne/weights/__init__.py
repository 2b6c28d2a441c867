# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped weights and how they are stored. See MODEL_CARD.md."""
