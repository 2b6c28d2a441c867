# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry and pictures as arrays: numpy and the standard library only, so that it runs on any thread."""
