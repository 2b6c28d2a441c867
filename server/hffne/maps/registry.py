# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps that a request asks for, as arrays by name."""

import numpy as np

from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.maps.bands import bands
from hffne.maps.curvature import curvature
from hffne.maps.height import height
from hffne.maps.lighting import delit, light_of
from hffne.maps.occlusion import occlusion
from hffne.maps.relight import relit_parts
from hffne.maps.roughness import roughness
from hffne.maps.surface import at_size, face_surface

# The relief's grid has two texels for each pixel of the crop: nothing finer was estimated.
TEXELS_A_PIXEL, MAX_SIZE = 2, 1024
COARSE_SIZE, SHAPE_SIZE = 256, 128
_FROM_RELIEF = {"height", "curvature", "occlusion", "roughness", "bands"}


def make_maps(names, photo, estimate, textures):
    """{array name: array} of the maps `names`, a subset of MAPS; T is the textures' size.

    albedo    (T, T, 3) uint8 sRGB, the colors with the photo's light divided out
    height    (T, T) float32 meters over the base mesh
    curvature (T, T) float32 1/m, ridges positive
    occlusion (T, T) uint16, 65535 is open
    roughness (T, T) uint8, 255 is 1
    bands     normal_medium (M, M, 3), normal_coarse (L, L, 3) float32 object space: the normal without its fine,
              and without its fine and medium relief; smaller than T, as there is less in them
    relight   see maps.relight
    """
    names = set(names)
    regions, size = template().regions, len(textures.normal)
    grid = min(size, MAX_SIZE, TEXELS_A_PIXEL * len(estimate.normal))
    # The cosine transform wants an even side.
    grid -= grid % 2
    made = {}
    if names & _FROM_RELIEF:
        surface = face_surface(estimate.shape, grid)
        normal = normalize(at_size(textures.normal, grid)).astype(np.float32)
    if names & {"curvature", "roughness"}:
        bend = curvature(surface, normal)
    if names & {"height", "occlusion"}:
        relief = height(surface, normal, at_size(textures.confidence, grid))
    if names & {"albedo", "relight"}:
        mask = template().mask.astype(np.float32)
        light = light_of(textures, mask, regions)
    if "height" in names:
        made["height"] = at_size(relief, size)
    if "curvature" in names:
        made["curvature"] = at_size(bend, size)
    if "occlusion" in names:
        open_share = at_size(occlusion(surface, face_surface(estimate.shape, min(SHAPE_SIZE, grid)), relief), size)
        made["occlusion"] = (np.clip(open_share, 0, 1) * 65535 + 0.5).astype(np.uint16)
    if "roughness" in names:
        made["roughness"] = roughness(regions, at_size(bend, size))
    if "bands" in names:
        medium, coarse = bands(surface, textures.normal)
        made["normal_medium"] = medium
        made["normal_coarse"] = normalize(at_size(coarse, min(COARSE_SIZE, grid))).astype(np.float32)
    if "albedo" in names:
        made["albedo"] = delit(textures, light)
    if "relight" in names:
        made.update(relit_parts(photo.rgb, estimate, light))
    return {name: np.ascontiguousarray(array) for name, array in made.items()}
