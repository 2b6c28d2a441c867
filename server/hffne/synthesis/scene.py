# SPDX-License-Identifier: GPL-3.0-or-later
"""Colored pictures of several things in one scene, with the part that every pixel shows."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from hffne.errors import HffneError
from hffne.geometry.harmonics import second_order
from hffne.geometry.vectors import normalize
from hffne.parts import EYES
from hffne.synthesis.rays import RayScene
from hffne.synthesis.render import HeadView, Window, seen_through, vertex_normals

_OCCLUSION_RAYS = 10
# Strength of the sky beside lamps, from a dark room to a bright one.
_DIM, _BRIGHT = 0.08, 1.2
_ROW = 1024


@dataclass
class Thing:
    """vertices (V, 3) in cm around the head's center; triangles (T, 3). Either `uv` (V, 2), v down, with `sheet` (V,)
    and for each sheet `colors` (S, S, 3) linear and `parts` (S, S); or one `color` (3,) and `part`."""

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray | None = None
    sheet: np.ndarray | None = None
    colors: list[np.ndarray] = field(default_factory=list)
    parts: list[np.ndarray] = field(default_factory=list)
    color: np.ndarray | None = None
    part: int = 0
    shine: float = 0.05
    polish: float = 24.0  # exponent of the gloss: how narrow highlights are
    wet: tuple[float, float] | None = None  # shine and polish of its eyes, if they are not the same
    weave: float = 0.0  # strength of a cloth's pattern


@dataclass
class Shot:
    """color (S, S, 3) float32 linear radiance; albedo (S, S, 3) linear; part (S, S) uint8; thing (S, S) int32, -1
    where nothing is; normal (S, S, 3) and depth (S, S) in cm to the viewer, camera space."""

    color: np.ndarray
    albedo: np.ndarray
    part: np.ndarray
    thing: np.ndarray
    normal: np.ndarray
    depth: np.ndarray


@dataclass
class Light:
    """sky (9, 3): harmonics of the irradiance; suns [(direction (3,), color (3,), softness in pixels)]."""

    sky: np.ndarray
    suns: list[tuple[np.ndarray, np.ndarray, float]]


def load_skies(path: str | Path) -> np.ndarray:
    """Harmonics (N, 9, 3) of the irradiance of environment maps, .npz of arrays (H, 2 H, 3) linear; mean brightness 1.

    Ramamoorthi & Hanrahan 2001. Raises HffneError.
    """
    path = Path(path)
    try:
        with np.load(path / "hdri_256x128_linear_f16.npz" if path.is_dir() else path) as data:
            maps = [m for name in sorted(data.files) for m in _each(np.asarray(data[name]))]
    except (OSError, ValueError) as error:
        raise HffneError(f"'{path}' holds no environment maps: {error}") from error
    return np.stack([_irradiance(m.astype(np.float64)) for m in maps]).astype(np.float32)


def _each(array: np.ndarray) -> list[np.ndarray]:
    return [array] if array.ndim == 3 and array.shape[2] == 3 else list(array) if array.ndim == 4 else []


def _irradiance(radiance: np.ndarray) -> np.ndarray:
    small = cv2.resize(radiance, (64, 32), interpolation=cv2.INTER_AREA)
    polar = (np.arange(32) + 0.5) / 32 * np.pi
    azimuth = (np.arange(64) + 0.5) / 64 * 2 * np.pi
    a, p = np.meshgrid(azimuth, polar)
    way = np.stack([np.sin(p) * np.sin(a), np.cos(p), np.sin(p) * np.cos(a)], -1).reshape(-1, 3)
    area = np.sin(p).ravel() / np.sin(p).sum()
    normals = normalize(np.random.default_rng(0).normal(size=(300, 3)))
    light = np.clip(normals @ way.T, 0, None) * area @ np.minimum(small.reshape(-1, 3), 200)
    basis = np.stack(second_order(*normals.T), 1)
    found = np.linalg.lstsq(basis, light, rcond=None)[0]
    return found / max(float(light.mean()), 1e-6)


def random_light(rng: np.random.Generator, skies: np.ndarray) -> Light:
    """A sky turned at random, and up to two colored lamps."""
    sky = skies[rng.integers(len(skies))].copy()
    sky = sky + (sky.mean(1, keepdims=True) - sky) * rng.uniform(0, 1)  # cameras balance white
    strength = np.exp(rng.uniform(np.log(_DIM), np.log(_BRIGHT)))
    suns = []
    for k in range(rng.integers(0, 3)):
        way = np.array([rng.normal(0, 0.9), rng.normal(0.35, 0.6), rng.uniform(0.05, 1.2)])
        tint = np.exp(rng.normal(0, 0.08, 3) + np.array([0.1, 0, -0.1]) * rng.normal())
        suns.append(
            (
                normalize(way[None])[0].astype(np.float32),
                tint * rng.uniform(0.3, 1.5 if k == 0 else 0.7),
                rng.uniform(0.5, 4),
            )
        )
    return Light(sky * strength if suns else sky, suns)


def shoot(
    things: list[Thing], view: HeadView, window: Window, size: int, light: Light, rng: np.random.Generator
) -> Shot:
    """The picture of things under a light, `size` pixels a side."""
    starts = np.cumsum([0, *(len(thing.vertices) for thing in things)])
    seen = np.concatenate([thing.vertices for thing in things]).astype(np.float32) @ view.rotation.T.astype(np.float32)
    triangles = np.concatenate([thing.triangles + k for thing, k in zip(things, starts, strict=False)]).astype(np.int32)
    owner = np.repeat(np.arange(len(things)), [len(thing.triangles) for thing in things])
    scene = RayScene(seen, triangles)
    index, weights = seen_through(scene, view, window, size)
    hit = np.flatnonzero(index >= 0)
    corners, weights = triangles[index[hit]], weights[hit].astype(np.float32)[..., None]
    normals = np.concatenate(
        [vertex_normals(seen[a : a + len(t.vertices)], t.triangles) for t, a in zip(things, starts, strict=False)]
    )
    point = (seen[corners] * weights).sum(1)
    eye = np.array([0, 0, view.distance], np.float32) - point if view.distance else np.array([[0, 0, 1]], np.float32)
    eye = normalize(eye)
    normal = normalize((normals[corners] * weights).sum(1))
    normal *= np.where((normal * eye).sum(1) < 0, -1, 1)[:, None].astype(np.float32)
    whose = owner[index[hit]]
    albedo, part = np.zeros((len(hit), 3), np.float32), np.zeros(len(hit), np.uint8)
    shine = np.array([thing.shine for thing in things], np.float32)[whose]
    polish = np.array([thing.polish for thing in things], np.float32)[whose]
    for k, thing in enumerate(things):
        mine = whose == k
        if not mine.any():
            continue
        if thing.uv is None or thing.sheet is None:
            albedo[mine], part[mine] = thing.color, thing.part
            if thing.weave:
                albedo[mine] *= _woven(point[mine], thing.weave, rng)[:, None]
            continue
        own = corners[mine] - starts[k]
        uv = (thing.uv[own] * weights[mine]).sum(1)
        sheet = thing.sheet[own[:, 0]]
        for number, (colors, parts) in enumerate(zip(thing.colors, thing.parts, strict=True)):
            of = np.flatnonzero(mine)[sheet == number]
            at = uv[sheet == number] * len(colors) - 0.5
            albedo[of] = _looked_up(colors, at, cv2.INTER_LINEAR)
            part[of] = _looked_up(parts, at, cv2.INTER_NEAREST)
        if thing.wet:
            shine[mine & (part == EYES)], polish[mine & (part == EYES)] = thing.wet
    lifted = point + normal * 0.08
    sky = _sky(scene, seen, normals, rng)
    open_ = np.clip((sky[corners] * weights[..., 0]).sum(1), 0, 1)
    turn = rng.uniform(0, 2 * np.pi)
    x, z = (
        normal[:, 0] * np.cos(turn) + normal[:, 2] * np.sin(turn),
        normal[:, 2] * np.cos(turn) - normal[:, 0] * np.sin(turn),
    )
    lit = np.clip(np.stack(second_order(x, normal[:, 1], z), 1) @ light.sky, 0.03, None) * (0.2 + 0.8 * open_)[:, None]
    gloss = np.zeros_like(lit)
    for way, color, softness in light.suns:
        dark = (normal @ way) <= 0
        facing = np.flatnonzero(~dark)
        dark[facing] = scene.blocked(lifted[facing], way)
        free: np.ndarray = np.zeros(size * size, np.float32)
        free[hit] = ~dark
        free = cv2.GaussianBlur(free.reshape(size, size), (0, 0), softness).reshape(-1)[hit]
        lit += (free * np.clip((normal @ way + 0.15) / 1.15, 0, None))[:, None] * color
        half = normalize(eye + way)
        gloss += (free * np.clip((normal * half).sum(1), 0, None) ** polish)[:, None] * color
    picture = np.zeros((size * size, 3), np.float32)
    picture[hit] = albedo * lit + gloss * shine[:, None]

    def whole(values: np.ndarray, empty: float) -> np.ndarray:
        result = np.full((size * size, *values.shape[1:]), empty, values.dtype)
        result[hit] = values
        return result.reshape(size, size, *values.shape[1:])

    return Shot(
        picture.reshape(size, size, 3),
        whole(albedo, 0),
        whole(part, 0),
        whole(whose.astype(np.int32), -1),
        whole(normal, 0),
        whole(point[:, 2], -1e3),
    )


def _looked_up(texture: np.ndarray, at: np.ndarray, method: int) -> np.ndarray:
    """Values (N, ...) of a texture at columns and rows (N, 2)."""
    rows = max(-(-len(at) // _ROW), 1)
    padded = np.zeros((rows * _ROW, 2), np.float32)  # OpenCV takes no more than 32,767 in a row
    padded[: len(at)] = at
    x, y = (np.ascontiguousarray(padded[:, k]).reshape(rows, _ROW) for k in (0, 1))
    found = cv2.remap(texture, x, y, method, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(rows * _ROW, *texture.shape[2:])[: len(at)]


def _woven(points: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    way = normalize(rng.normal(size=(2, 3)))
    waves = np.sin(points @ way.T * rng.uniform(2, 14, 2) + rng.uniform(0, 6, 2)).sum(1)
    return np.exp(strength * waves).astype(np.float32)


def _sky(scene: RayScene, vertices: np.ndarray, normals: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The share of the sky that each vertex (V,) sees, 0..1."""
    seen, total = np.zeros(len(vertices), np.float32), np.full(len(vertices), 1e-6, np.float32)
    for way in normalize(rng.normal(size=(_OCCLUSION_RAYS, 3))).astype(np.float32):
        facing = normals @ way
        front = np.flatnonzero(facing > 0.1)
        total[front] += facing[front]
        free = front[~scene.blocked(vertices[front] + normals[front] * 0.1, way)]
        seen[free] += facing[free]
    return np.where(total > 0.2, seen / total, 1.0).astype(np.float32)
