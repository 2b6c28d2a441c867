# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's data of a face: its mesh, material, images, camera and attributes. May import numeric and system only."""
