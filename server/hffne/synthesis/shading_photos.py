# SPDX-License-Identifier: GPL-3.0-or-later
"""Evenly lit photos in another light, with their colors as without light.

Rendered people are few, and their skin is painted. A photo's own light, where it is so soft that nine harmonics
explain it, is divided out by its fit's normals; then its fit is lit anew, with shadows and gloss.
"""

from typing import Any

import cv2
import numpy as np

from hffne.geometry.grids import fill_gaps
from hffne.parts import CLOTH, SKIN, UNKNOWN
from hffne.photo.colors import to_linear, to_srgb
from hffne.synthesis.even_light import fit_light
from hffne.synthesis.parsing_photos import PhotoParts
from hffne.synthesis.parsing_scenes import POLISH, SHINE, SIZE, developed
from hffne.synthesis.scene import Light, Thing, random_light, shoot

_FLAT = np.array([[1.0], *[[0.0]] * 8]) * np.ones((1, 3))
# How many photos are looked at for one that is lit evenly, and the spread of its skin's logarithms that counts as so.
_TRIES, _EVEN = 3, 0.16
_FAINT = 0.05  # of the light, which divides


def relit_photo(
    photos: PhotoParts, count: int, triangles: np.ndarray, skies: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """rgb (SIZE, SIZE, 3) uint8 sRGB, part (SIZE, SIZE) uint8 and albedo (SIZE, SIZE, 3) uint8 sRGB of one of `count`
    photos in a random light; the most evenly lit of some. The part is UNKNOWN where the albedo is."""
    best: tuple[float, dict[str, Any], np.ndarray] | None = None
    for _ in range(_TRIES):
        fit = photos.crop(int(rng.integers(count)), rng)
        thing = Thing(fit["head"], triangles, color=np.ones(3, np.float32), part=SKIN, shine=0.0)
        shot = shoot([thing], fit["view"], fit["window"], SIZE, Light(_FLAT, []), rng)
        spread, unlit = _without_light(fit["rgb"], fit["part"], shot.normal)
        if best is None or spread < best[0]:
            best = spread, fit, unlit
        if spread < _EVEN:
            break
    assert best is not None
    _, fit, unlit = best
    shine, polish = (float(np.exp(rng.uniform(*np.log(limits)))) for limits in (SHINE, POLISH))
    thing = Thing(fit["head"], triangles, color=np.ones(3, np.float32), part=SKIN, shine=0.0)
    seed = int(rng.integers(1 << 31))
    light = random_light(rng, skies)
    matte = shoot([thing], fit["view"], fit["window"], SIZE, light, np.random.default_rng(seed))
    thing.shine, thing.polish = shine, polish
    glossy = shoot([thing], fit["view"], fit["window"], SIZE, light, np.random.default_rng(seed))
    shown = matte.thing >= 0
    lit = np.maximum(fill_gaps(matte.color, shown.astype(np.float32)), 1e-3)
    gloss = np.where(shown[..., None], glossy.color - matte.color, 0)
    skin = shown & (fit["part"] == SKIN)
    rgb = developed(unlit * lit + gloss, skin if skin.any() else shown, rng)
    part = np.where(shown & (fit["part"] != CLOTH), fit["part"], UNKNOWN).astype(np.uint8)
    return {"rgb": np.round(np.clip(rgb, 0, 1) * 255).astype(np.uint8), "part": part, "albedo": to_srgb(unlit)}


def _without_light(rgb: np.ndarray, part: np.ndarray, normal: np.ndarray) -> tuple[float, np.ndarray]:
    """How unevenly a photo's skin is lit, and its linear colors (S, S, 3) without its light as far as it is soft."""
    color = to_linear(rgb)
    face = normal.any(2)
    skin = face & (part == SKIN)
    light = fit_light(normal[skin], color[skin], np.ones(int(skin.sum()), np.float32))
    shading = fill_gaps(light.shading(normal), face.astype(np.float32))
    unlit = color / np.maximum(shading, _FAINT)
    if skin.sum() < 500:
        return np.inf, unlit
    logs = np.log(cv2.GaussianBlur(unlit, (0, 0), 2)[skin].mean(1) + _FAINT)
    shades = np.log(shading[skin].mean(1))
    return float(np.std(logs) + 0.5 * np.std(shades)), unlit
