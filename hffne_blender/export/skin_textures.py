# SPDX-License-Identifier: GPL-3.0-or-later
"""A face's textures as its sliders show it, as arrays for files: nothing is left for a material to compute."""

import bpy
import numpy as np

from ..numeric import channels, srgb
from ..numeric.png import encode_normal
from ..scene import detail_nodes, images, skin_nodes, textures
from ..scene.nodes import input_value
from .presets import PACKED


def shown(material: bpy.types.Material, names: list[str], directx: bool = False) -> dict[str, np.ndarray]:
    """{texture: pixels}, as far as a face's material has them; uint16 but for the colors, which are sRGB uint8.

    names    "base_color", "normal", "occlusion", "roughness", "height", and those of `presets.PACKED`
    directx  green of the normal map points down
    """
    maps = textures.of_material(material)
    clay = _slider(material, "Clay")
    gray: dict[str, np.ndarray] = {}
    gray |= {kind: images.values(maps[kind])[..., 0] for kind in ("occlusion", "roughness") if kind in maps}
    if "roughness" in gray:
        gray["roughness"] = gray["roughness"] + clay * (skin_nodes.PLAIN["Roughness"] - gray["roughness"])
    result: dict[str, np.ndarray] = {}
    for name in names:
        if name == "base_color":
            color = base_color(material)
            if color is not None:
                result[name] = channels.to_bytes(srgb.from_linear(color))
        elif name == "normal":
            normal = detail_nodes.mixed(material)
            result[name] = encode_normal(normal * np.array((1, -1, 1), np.float32) if directx else normal)
        elif name == "height" and name in maps:
            result[name] = channels.to_words(images.values(maps[name])[..., 0])
        elif name in gray:
            result[name] = channels.to_bytes(gray[name])
        elif name in PACKED:
            side = len(next(iter(gray.values()))) if gray else 4
            result[name] = channels.to_bytes(channels.pack(gray, PACKED[name], side))
    return result


def base_color(material: bpy.types.Material) -> np.ndarray | None:
    """The color as the sliders Delit and Clay show it: (T, T, 3) float32 scene-linear; None for a face without."""
    maps = textures.of_material(material)
    colors = [srgb.to_linear(images.values(maps[kind])[..., :3]) for kind in ("color", "albedo") if kind in maps]
    if not colors:
        return None
    # The same formula as in scene.skin_nodes.
    color = colors[0] + np.float32(_slider(material, "Delit")) * (colors[-1] - colors[0])
    return color + np.float32(_slider(material, "Clay")) * (np.array(skin_nodes.PLAIN_COLOR[:3], np.float32) - color)


def _slider(material: bpy.types.Material, name: str) -> float:
    node = skin_nodes.find_node(material)
    return 0.0 if node is None else float(input_value(node, name))
