# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered training data: shapes, poses, textures, lights, exact normals and position maps.

Used by ``hffne train`` only; the engine never imports it.
"""
