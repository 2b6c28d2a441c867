# SPDX-License-Identifier: GPL-3.0-or-later
"""Deferred shading: a geometry buffer becomes a gray photo under random light, texture and relief."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from hffne.geometry.uv import pixels
from hffne.geometry.vectors import normalize
from hffne.synthesis.render import BACKGROUND, EYE, MOUTH, SKIN, TEETH
from hffne.synthesis.textures import EXTENT

# The share of pictures with no light but one sun; with a light beside the lens (a flash, a ring light); and of those
# the share with no other light.
DARK_ROOMS, FLASHES, DARK_FLASHES = 0.2, 0.2, 0.5
STUDIO = (1.0, 0.5, 1.0)  # the same three for pictures that show the shape clearly


def _smooth_noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    noise = rng.normal(size=(cells, cells)).astype(np.float32)
    return cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)


def _paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Logarithms of albedo (S, S) of what is no relief: blotches, freckles."""
    paint = 0.05 * rng.random() * _smooth_noise(rng, size, 24) + 0.06 * rng.random() * _smooth_noise(rng, size, 7)
    if rng.random() < 0.3:
        spots = cv2.GaussianBlur((rng.random((size, size)) < 0.004).astype(np.float32), (0, 0), rng.uniform(0.6, 1.6))
        paint -= spots * rng.uniform(1, 5)
    return paint


def _beside_lens(rng: np.random.Generator) -> np.ndarray:
    """The direction (3,) of a light within some ten degrees of the camera."""
    direction = np.array([rng.normal(0, 0.1), rng.normal(0.05, 0.1), 1], np.float32)
    return direction / np.linalg.norm(direction)


def on_crop(layer: np.ndarray, uv: np.ndarray, outside: Sequence[float] = (0, 0, 0)) -> np.ndarray:
    """A map (T, T, C) over the position map's -1..1, sampled on the crop's pixels: (S, S, C) float32.

    uv: (S, S, 2) coordinates of the pixels; outside: the value beyond the map.
    """
    xy = pixels(uv, len(layer)).astype(np.float32)
    return cv2.remap(
        layer.astype(np.float32),
        xy[..., 0],
        xy[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=outside,
    )


def reflectance(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """A texture (T, T) uint8 of `textures.TextureLifter` as linear albedo (S, S) on the crop's pixels.

    uv: (S, S, 2) coordinates of the pixels.
    """
    xy = pixels(uv / EXTENT, len(texture)).astype(np.float32)
    shown = cv2.remap(texture, xy[..., 0], xy[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return (shown / np.float32(255)) ** 2.2


def tilt(normal: np.ndarray, kind: np.ndarray, slopes: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Tilt normals (S, S, 3) by slopes (S, S, 2) where `kind` (S, S) is skin. ``up`` (3,) is the head's up axis."""
    slopes = (slopes * (kind == SKIN)[..., None]).astype(np.float32)
    # For a unit normal n: tangent up x n, bitangent n x (up x n) = up - n (n . up), both of the same length.
    across = np.array([[0, -up[2], up[1]], [up[2], 0, -up[0]], [-up[1], up[0], 0]], np.float32)
    along = normal @ up
    strength = slopes / np.sqrt(np.maximum(1 - along * along, 1e-6))[..., None]
    tilted = normal * (1 - strength[..., 1:] * along[..., None])
    tilted += strength[..., :1] * (normal @ across.T) + strength[..., 1:] * up
    return normalize(tilted)


def shade(
    rng: np.random.Generator,
    buffers: Mapping[str, np.ndarray],
    normal: np.ndarray,
    texture: np.ndarray,
    background: np.ndarray,
    studio: bool = False,
    painted: np.ndarray | None = None,
) -> np.ndarray:
    """Gray display-referred picture (S, S) float32 in 0..1 of a buffer with final normals (S, S, 3).

    buffers: of `Renderer.buffers`, with "suns"; with "albedo" (S, S) uint8, encoded sRGB, where the head has a texture
    of its own, which then replaces `texture`. texture: (T, T) uint8 of `textures.TextureLifter`; background: (S, S)
    float32 in 0..1; studio: one lamp in the dark and little paint, so that the picture shows the shape clearly.
    painted: logarithms of albedo (S, S) of color without relief, instead of random blotches and freckles.
    """
    dark_rooms, flashes, dark_flashes = STUDIO if studio else (DARK_ROOMS, FLASHES, DARK_FLASHES)
    size, kind = len(normal), buffers["kind"]
    if "albedo" in buffers:  # the second head family has textures of its own
        albedo = (buffers["albedo"] / np.float32(255)) ** 2.2
    else:
        albedo = reflectance(texture, buffers["uv"].astype(np.float32))
    paint = _paint(rng, size) * (0.3 if studio else 1) if painted is None else painted
    albedo = albedo * np.exp(paint)
    albedo[kind == TEETH] = 0.55
    albedo[kind == MOUTH] = 0.06
    sky = buffers["sky"].astype(np.float32) / 255
    sky_direction = rng.normal(0, 0.45, 3).astype(np.float32)
    flash = rng.random() < flashes
    # A dark room with one lamp leaves half of the face black; its normals are still known.
    dark = rng.random() < (dark_flashes if flash else dark_rooms)
    ambient = rng.uniform(0, 0.05) if dark else rng.uniform(0.02, 0.9)
    light = np.clip(1 + normal @ sky_direction, 0.05, None) * (0.25 + 0.75 * sky) * ambient
    specular = np.zeros_like(light)
    # Subsurface scattering: toward the shadow, light fades more slowly than the cosine.
    wrap = rng.uniform(0, 0.3)
    shine, power = rng.uniform(0, 0.35) * (rng.random() < 0.7), np.exp(rng.uniform(1.2, 3.6))

    def add_light(strength: float, direction: np.ndarray, free: float | np.ndarray) -> None:
        half = direction + np.array([0, 0, 1], np.float32)
        half = half / (np.linalg.norm(half) + 1e-6)
        light[:] += strength * free * np.clip((normal @ direction + wrap) / (1 + wrap), 0, None)
        specular[:] += strength * free * np.clip(normal @ half, 0, None) ** power

    if flash:  # its shadows are hidden from the lens
        add_light(rng.uniform(0.3, 1.5), _beside_lens(rng), 1)
    for bit, sun in enumerate(buffers["suns"]):
        if flash and rng.random() < (0.95 if dark else 0.7):
            continue
        strength = rng.uniform(0.4, 1.6) if bit == 0 else rng.uniform(0, 0.8) * (rng.random() < 0.5) * (not dark)
        free: np.ndarray = ((buffers["sun"] >> bit) & 1 ^ 1).astype(np.float32)
        softness = rng.uniform(0, 3)
        if softness > 0.4:
            free = cv2.GaussianBlur(free, (0, 0), softness)
        add_light(strength, sun, free)
    radiance = albedo * light + shine * specular * (0.3 + sky * 0.7) * np.where(
        kind == EYE, np.float32(1.5), np.float32(0.5)
    )
    face = kind != BACKGROUND
    level = np.percentile(radiance[face], 90) if face.any() else 1.0
    picture = (radiance / max(level, 1e-4) * rng.uniform(0.45, 1.0)).clip(0, 1.5) ** (1 / rng.uniform(1.1, 2.6))
    if dark:
        background = background * rng.uniform(0, 0.3)
    edge = cv2.GaussianBlur(face.astype(np.float32), (0, 0), 0.7)
    return (picture * edge + background * (1 - edge)).clip(0, 1).astype(np.float32)
