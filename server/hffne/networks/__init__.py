# SPDX-License-Identifier: GPL-3.0-or-later
"""The method's networks: position map (PRN), coarse exemplar, fine normal (E_R, E_I, D_N)."""
