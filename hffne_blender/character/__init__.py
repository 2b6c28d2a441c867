# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfers the detail of a generated face to an artist's own mesh: align, fit, transfer, assign."""
