# SPDX-License-Identifier: GPL-3.0-or-later
"""To see soon whether a photo is good: small textures, few maps."""

import bpy

settings = getattr(bpy.context.scene, "hffne")  # noqa: B009 (known once the extension is registered)

settings.base = "HEAD"
settings.detail_size = "256"
settings.texture_size = "512"
settings.lod = "GAME"
settings.grid = "32"
settings.color = True
settings.maps = {"ALBEDO"}
