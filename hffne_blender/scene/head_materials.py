# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of a head's parts beside the skin, for Cycles, EEVEE and exports alike.

Each has one Principled BSDF with its picture linked directly, which is what exporters understand.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import bpy

from ..numeric.head_parts import kind_of
from . import cornea, no_shadow
from .access import tree_of
from .nodes import input_of, need_node, new_material, new_node, output_of, select_only, set_input


@dataclass(frozen=True)
class Surface:
    """The values of a Principled BSDF.

    color       scene-linear, where there is no picture
    roughness   of the surface itself
    specular    strength of its highlights
    coat        weight of a wet layer over it
    alpha       opacity, where the picture has none of its own
    scatter     weight of the light that goes through, and the meters that red, green and blue light travel
    """

    color: tuple[float, float, float]
    roughness: float = 0.5
    specular: float = 0.5
    coat: float = 0.0
    alpha: float = 1.0
    scatter: tuple[float, tuple[float, float, float]] | None = None


SURFACES = {
    "eye": Surface((0.7, 0.66, 0.64), roughness=0.16, coat=1.0),
    "cornea": Surface((0.7, 0.66, 0.64), roughness=0.22, coat=0.8),
    "iris": Surface((0.07, 0.04, 0.02), roughness=0.6, specular=0.05),
    "teeth": Surface((0.66, 0.59, 0.47), roughness=0.24, coat=0.4, scatter=(0.25, (0.0012, 0.0009, 0.0006))),
    "gums": Surface((0.40, 0.10, 0.095), roughness=0.30, coat=0.5, scatter=(0.25, (0.003, 0.001, 0.0007))),
    "lashes": Surface((0.006, 0.004, 0.003), roughness=0.6, specular=0.2),
    "tear": Surface((1.0, 1.0, 1.0), roughness=0.03, specular=1.0, alpha=0.10),
    "blend": Surface((0.50, 0.20, 0.17), roughness=0.12, specular=0.8),
    "occlusion": Surface((0.01, 0.003, 0.003), roughness=1.0, specular=0.0),
    "plain": Surface((0.55, 0.45, 0.40)),
}
# Kinds whose pictures have an opacity.
_MASKED = {"cornea", "lashes", "occlusion", "blend"}
# Shapes of hairs are cut out of their strips; the other transparent parts lie over one another.
_CUT_OUT = {"lashes"}
# Kinds that only tint what lies behind them. Solid shading, which has no soft opacity, does not show them.
_FILMS = {"tear", "blend", "occlusion"}
# Opacity of the strips of lashes in Solid shading, where they are plain bands without their picture.
_SOLID_LASHES = 0.3


def build_material(
    name: str, part: str, parts: Sequence[str], picture: bpy.types.Image | None = None
) -> bpy.types.Material:
    """A new Material of the part `part` of the head `name` with these parts. picture: over the part's own UVs."""
    kind = kind_of(part, parts)
    wanted = SURFACES[kind]
    material = new_material(f"{name} {part}")
    tree = tree_of(material)
    surface = need_node(material, bpy.types.ShaderNodeBsdfPrincipled)
    _set_values(surface, wanted)
    material.diffuse_color = (*wanted.color, _SOLID_LASHES if kind == "lashes" else 0.0 if kind in _FILMS else 1.0)
    transparent = wanted.alpha < 1
    if picture is not None:
        read = new_node(tree, bpy.types.ShaderNodeTexImage, -400, 200)
        read.image, read.label = picture, part
        tree.links.new(output_of(read, "Color"), input_of(surface, "Base Color"))
        if kind in _MASKED:
            transparent = True
            tree.links.new(output_of(read, "Alpha"), input_of(surface, "Alpha"))
        if kind == "cornea":
            cornea.add(material, surface, read)
        select_only(tree, surface if kind in _FILMS else read)
    if kind in _FILMS:
        no_shadow.add(material, surface)
    if transparent:
        material.surface_render_method = "DITHERED" if kind in _CUT_OUT else "BLENDED"
        # Only the nearest of several layers of one part is drawn.
        material.use_transparency_overlap = False
    return material


def _set_values(surface: bpy.types.ShaderNodeBsdfPrincipled, wanted: Surface) -> None:
    set_input(surface, "Base Color", (*wanted.color, 1.0))
    set_input(surface, "Roughness", wanted.roughness)
    set_input(surface, "Specular IOR Level", wanted.specular)
    set_input(surface, "Coat Weight", wanted.coat)
    set_input(surface, "Alpha", wanted.alpha)
    if wanted.scatter is not None:
        weight, lengths = wanted.scatter
        set_input(surface, "Subsurface Weight", weight)
        set_input(surface, "Subsurface Scale", lengths[0])
        set_input(surface, "Subsurface Radius", [length / lengths[0] for length in lengths])
