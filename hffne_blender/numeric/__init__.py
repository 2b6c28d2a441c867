# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry on arrays: numpy only, no bpy import. Blender objects are passed in where their data is read."""
