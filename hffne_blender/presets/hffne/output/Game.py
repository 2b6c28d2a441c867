# SPDX-License-Identifier: GPL-3.0-or-later
"""A real-time character: a light mesh with the textures that engines take."""

import bpy

settings = getattr(bpy.context.scene, "hffne")  # noqa: B009 (known once the extension is registered)

settings.base = "HEAD"
settings.detail_size = "AUTO"
settings.texture_size = "2048"
settings.lod = "GAME"
settings.grid = "32"
settings.color = True
settings.maps = {"ALBEDO", "BANDS", "OCCLUSION", "ROUGHNESS"}
