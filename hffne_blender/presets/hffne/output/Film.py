# SPDX-License-Identifier: GPL-3.0-or-later
"""Close-ups: the dense mesh, the largest textures, all maps."""

import bpy

settings = getattr(bpy.context.scene, "hffne")  # noqa: B009 (known once the extension is registered)

settings.base = "HEAD"
settings.detail_size = "AUTO"
settings.texture_size = "4096"
settings.lod = "FULL"
settings.grid = "128"
settings.color = True
settings.maps = {"ALBEDO", "BANDS", "HEIGHT", "OCCLUSION", "ROUGHNESS", "CURVATURE", "RELIGHT", "SEEN"}
