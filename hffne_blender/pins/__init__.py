# SPDX-License-Identifier: GPL-3.0-or-later
"""Pins: an artist moves points of a face over its photo, and the face follows."""
