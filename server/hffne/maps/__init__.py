# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be derived from a face's normals, shape and colors; one map a module, none of them needs a network."""

# What a request can ask for; "bands" and "relight" are several arrays, see `maps.registry`.
MAPS = ("albedo", "height", "curvature", "occlusion", "roughness", "bands", "relight")
