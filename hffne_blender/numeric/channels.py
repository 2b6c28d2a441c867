# SPDX-License-Identifier: GPL-3.0-or-later
"""Several gray textures as the channels of one."""

from collections.abc import Mapping, Sequence

import numpy as np

# Values of what a face has no texture of: skin is no metal, and nothing hides it from the light.
PLAIN = {"occlusion": 1.0, "roughness": 0.5, "metallic": 0.0, "detail": 1.0, "smoothness": 0.5}


def pack(maps: Mapping[str, np.ndarray], names: Sequence[str], side: int) -> np.ndarray:
    """The textures `names` as channels: (side, side, C) float32 in 0..1.

    maps  of (side, side) each, 0..1; "smoothness" is 1 - "roughness", and what is missing has its value in PLAIN
    """
    result = np.empty((side, side, len(names)), np.float32)
    for channel, name in enumerate(names):
        if name == "smoothness" and "roughness" in maps:
            result[..., channel] = 1 - maps["roughness"]
        else:
            result[..., channel] = maps.get(name, PLAIN[name])
    return result


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Values 0..1 as uint8."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def to_words(values: np.ndarray) -> np.ndarray:
    """Values 0..1 as uint16."""
    return np.rint(np.clip(values, 0, 1) * 65535).astype(np.uint16)
