# SPDX-License-Identifier: GPL-3.0-or-later
"""Deferred shading: a geometry buffer becomes a gray photo under random light, texture and relief."""

import cv2
import numpy as np

from hffne.geometry.uv import pixels
from hffne.geometry.vectors import normalize
from hffne.synthesis.render import BACKGROUND, EYE, MOUTH, SKIN, TEETH
from hffne.synthesis.textures import EXTENT

# The share of pictures with no light but one sun; with a light beside the lens (a flash, a ring light); and of those
# the share with no other light.
DARK_ROOMS, FLASHES, DARK_FLASHES = 0.2, 0.2, 0.5
STUDIO = (1.0, 0.5, 1.0)  # the same three for pictures taken to show shape


def _smooth_noise(rng, size, cells):
    noise = rng.normal(size=(cells, cells)).astype(np.float32)
    return cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)


def _beside_lens(rng):
    """The direction (3,) of a light within some ten degrees of the camera."""
    direction = np.float32([rng.normal(0, 0.1), rng.normal(0.05, 0.1), 1])
    return direction / np.linalg.norm(direction)


def on_crop(layer, uv, outside=(0, 0, 0)):
    """A map (T, T, C) over the position map's -1..1 as the crop's pixels (S, S, C) with coordinates `uv` show it;
    `outside` is what is beyond it."""
    xy = pixels(uv, len(layer)).astype(np.float32)
    return cv2.remap(
        layer.astype(np.float32), xy, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=outside
    )


def reflectance(texture, uv):
    """A texture (T, T) uint8 as `textures` lifts them as linear albedo (S, S) on the crop's pixels."""
    xy = pixels(uv / EXTENT, len(texture)).astype(np.float32)
    return (cv2.remap(texture, xy, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT) / np.float32(255)) ** 2.2


def tilt(normal, kind, slopes, up):
    """Tilt normals (S, S, 3) by slopes (S, S, 2); only skin has relief. ``up`` (3,) is the head's up axis."""
    slopes = (slopes * (kind == SKIN)[..., None]).astype(np.float32)
    # For a unit normal n: tangent up x n, bitangent n x (up x n) = up - n (n . up), both of the same length.
    across = np.float32([[0, -up[2], up[1]], [up[2], 0, -up[0]], [-up[1], up[0], 0]])
    along = normal @ up
    strength = slopes / np.sqrt(np.maximum(1 - along * along, 1e-6))[..., None]
    tilted = normal * (1 - strength[..., 1:] * along[..., None])
    tilted += strength[..., :1] * (normal @ across.T) + strength[..., 1:] * up
    return normalize(tilted)


def shade(rng, buffers, normal, texture, background, studio=False):
    """Gray display-referred picture (S, S) float32 in 0..1 of a buffer with final normals (S, S, 3).

    `texture` (T, T) uint8 as `textures` lifts them, `background` (S, S) float32 in 0..1. `studio`: one lamp in the dark,
    and little paint.
    """
    dark_rooms, flashes, dark_flashes = STUDIO if studio else (DARK_ROOMS, FLASHES, DARK_FLASHES)
    size, kind = len(normal), buffers["kind"]
    albedo = reflectance(texture, buffers["uv"].astype(np.float32))
    # Paint without relief: blotches, freckles.
    paint = 0.05 * rng.random() * _smooth_noise(rng, size, 24) + 0.06 * rng.random() * _smooth_noise(rng, size, 7)
    if rng.random() < 0.3:
        spots = cv2.GaussianBlur((rng.random((size, size)) < 0.004).astype(np.float32), (0, 0), rng.uniform(0.6, 1.6))
        paint -= spots * rng.uniform(1, 5)
    albedo = albedo * np.exp(paint * (0.3 if studio else 1))
    albedo[kind == TEETH] = 0.55
    albedo[kind == MOUTH] = 0.06
    sky = buffers["sky"].astype(np.float32) / 255
    tilt = rng.normal(0, 0.45, 3).astype(np.float32)
    flash = rng.random() < flashes
    # A dark room with one lamp: half a face is black then, and still there.
    dark = rng.random() < (dark_flashes if flash else dark_rooms)
    ambient = rng.uniform(0, 0.05) if dark else rng.uniform(0.02, 0.9)
    light = np.clip(1 + normal @ tilt, 0.05, None) * (0.25 + 0.75 * sky) * ambient
    gloss = np.zeros_like(light)
    # Light that enters skin comes out beside: towards the shadow it fades more slowly than the cosine.
    wrap = rng.uniform(0, 0.3)
    shine, power = rng.uniform(0, 0.35) * (rng.random() < 0.7), np.exp(rng.uniform(1.2, 3.6))

    def lit(strength, direction, free):
        half = direction + np.array([0, 0, 1], np.float32)
        half /= np.linalg.norm(half) + 1e-6
        light[:] += strength * free * np.clip((normal @ direction + wrap) / (1 + wrap), 0, None)
        gloss[:] += strength * free * np.clip(normal @ half, 0, None) ** power

    if flash:  # it throws no shadow that the lens could see
        lit(rng.uniform(0.3, 1.5), _beside_lens(rng), 1)
    for bit, sun in enumerate(buffers["suns"]):
        if flash and rng.random() < (0.95 if dark else 0.7):
            continue
        strength = rng.uniform(0.4, 1.6) if bit == 0 else rng.uniform(0, 0.8) * (rng.random() < 0.5) * (not dark)
        free = ((buffers["sun"] >> bit) & 1 ^ 1).astype(np.float32)
        softness = rng.uniform(0, 3)
        if softness > 0.4:
            free = cv2.GaussianBlur(free, (0, 0), softness)
        lit(strength, sun, free)
    radiance = albedo * light + shine * gloss * (0.3 + sky * 0.7) * np.where(
        kind == EYE, np.float32(1.5), np.float32(0.5)
    )
    face = kind != BACKGROUND
    level = np.percentile(radiance[face], 90) if face.any() else 1.0
    picture = (radiance / max(level, 1e-4) * rng.uniform(0.45, 1.0)).clip(0, 1.5) ** (1 / rng.uniform(1.1, 2.6))
    if dark:
        background = background * rng.uniform(0, 0.3)
    edge = cv2.GaussianBlur(face.astype(np.float32), (0, 0), 0.7)
    return (picture * edge + background * (1 - edge)).clip(0, 1).astype(np.float32)
