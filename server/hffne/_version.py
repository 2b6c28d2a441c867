# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place of the project's version; packaging reads it from here."""

__version__ = "0.1.0"
