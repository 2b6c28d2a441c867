# SPDX-License-Identifier: GPL-3.0-or-later
"""Studies that train and measure networks."""
