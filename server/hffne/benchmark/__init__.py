# SPDX-License-Identifier: GPL-3.0-or-later
"""The measurements of `hffne bench`, one kind per module."""
