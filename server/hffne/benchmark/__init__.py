# SPDX-License-Identifier: GPL-3.0-or-later
"""What `hffne bench` measures, one kind of figure a module."""
