# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes of what heads wear: glasses, hats and scarves, of random form. Points in cm around the head's center."""

from dataclasses import dataclass

import numpy as np

_SIDES = 6  # of a tube's cross-section
_STEPS = 40  # around a rim, a dome


@dataclass
class Form:
    """vertices (V, 3) float32; triangles (T, 3) int32."""

    vertices: np.ndarray
    triangles: np.ndarray


def joined(forms: list[Form]) -> Form:
    """One form of several."""
    starts = np.cumsum([0, *(len(form.vertices) for form in forms)])
    return Form(
        np.concatenate([form.vertices for form in forms]).astype(np.float32),
        np.concatenate([form.triangles + k for form, k in zip(forms, starts, strict=False)]).astype(np.int32),
    )


def tube(points: np.ndarray, width: float, depth: float, closed: bool = False) -> Form:
    """A tube along points (N, 3), `width` across the view and `depth` along it."""
    ahead = np.roll(points, -1, 0) - np.roll(points, 1, 0) if closed else np.gradient(points, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    across = np.cross(ahead, [0.02, 0.1, 1.0])
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    out = np.cross(across, ahead)
    angle = np.arange(_SIDES) / _SIDES * 2 * np.pi
    ring = points[:, None] + (
        np.cos(angle)[None, :, None] * across[:, None] * width + np.sin(angle)[None, :, None] * out[:, None] * depth
    )
    return _grid(ring, wrap_rows=closed, wrap_columns=True)


def _grid(points: np.ndarray, wrap_rows: bool = False, wrap_columns: bool = False) -> Form:
    """The surface of a grid of points (R, C, 3)."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    if wrap_rows:
        index = np.concatenate([index, index[:1]])
    if wrap_columns:
        index = np.concatenate([index, index[:, :1]], 1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    quads = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], 2)
    return Form(points.reshape(-1, 3).astype(np.float32), quads.reshape(-1, 3).astype(np.int32))


def random_glasses(rng: np.random.Generator, marks: np.ndarray) -> tuple[Form, Form]:
    """The frame and both lenses of glasses on a head with the iBUG points (68, 3)."""
    eyes = [marks[36:42].mean(0), marks[42:48].mean(0)]
    apart = float(np.linalg.norm(eyes[1] - eyes[0]))
    half_width = apart * rng.uniform(0.36, 0.45)
    half_height = half_width * rng.uniform(0.55, 1.0)
    power = np.exp(rng.uniform(np.log(1.7), np.log(6)))
    thick = float(np.exp(rng.uniform(np.log(0.05), np.log(0.28))))
    upper_only = rng.random() < 0.2
    bow = rng.uniform(0.01, 0.05)
    front = max(marks[27, 2] - 0.4, marks[17:27, 2].mean() + 0.4, eyes[0][2] + 1.0, eyes[1][2] + 1.0) + rng.uniform(
        0, 0.6
    )
    drop = rng.normal(-0.25, 0.3)
    angle = np.linspace(0, 2 * np.pi, _STEPS, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    unit = np.stack([np.sign(cos) * np.abs(cos) ** (2 / power), np.sign(sin) * np.abs(sin) ** (2 / power)], 1) * [
        half_width,
        half_height,
    ]
    if rng.random() < 0.3:  # wider above, like a pilot's
        unit[:, 0] *= 1 + 0.18 * unit[:, 1] / half_height
    middle = (eyes[0] + eyes[1]) / 2
    frames, lenses, rims = [], [], []
    for side, eye in zip((-1, 1), eyes, strict=True):
        center = np.array([eye[0] + side * rng.uniform(0, 0.06) * apart, eye[1] + drop, 0])
        rim = np.zeros((_STEPS, 3))
        rim[:, :2] = center[:2] + unit * [side, 1]
        rim[:, 2] = front - bow * np.square(rim[:, 0] - middle[0]) + 0.12 * (rim[:, 1] - center[1])
        rims.append(rim)
        if upper_only:
            frames.append(
                tube(
                    rim[rim[:, 1] >= center[1] - 0.1][np.argsort(rim[rim[:, 1] >= center[1] - 0.1][:, 0])], thick, thick
                )
            )
        else:
            frames.append(tube(rim, thick, thick, closed=True))
        fan = np.concatenate([rim, rim.mean(0, keepdims=True) + [0, 0, 0.08]])
        k = np.arange(_STEPS)
        lenses.append(
            Form(fan.astype(np.float32), np.stack([k, (k + 1) % _STEPS, np.full(_STEPS, _STEPS)], 1).astype(np.int32))
        )
    inner = [rims[0][np.argmax(rims[0][:, 0])], rims[1][np.argmin(rims[1][:, 0])]]
    lift = rng.uniform(0.0, 0.5)
    t = np.linspace(0, 1, 9)[:, None]
    bridge = inner[0] * (1 - t) + inner[1] * t + np.array([0, 1, 0.4]) * lift * np.sin(np.pi * t)
    bridge[:, 1] += rng.uniform(0, 0.35) * half_height
    frames.append(tube(bridge, thick * 0.9, thick * 0.9))
    for side, ear in ((0, marks[0]), (1, marks[16])):
        sign = -1 if side == 0 else 1
        start = rims[side][np.argmin(sign * -rims[side][:, 0])].copy()
        start[1] += 0.4 * half_height
        end = np.array([ear[0] + sign * 0.9, max(eyes[side][1], ear[1]) + 0.2, ear[2] - 1.5])
        hook = end + np.array([0, -2.0, -1.2])
        corner = np.array([end[0] * 0.97, start[1], start[2] - 1.2])
        path = [start, corner, end, hook]
        frames.append(tube(_through(np.array(path), 16), thick * rng.uniform(0.8, 1.8), thick * 0.6))
    return joined(frames), joined(lenses)


def _through(points: np.ndarray, count: int) -> np.ndarray:
    """`count` points along a polyline (N, 3)."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0, length[-1], count)
    return np.stack([np.interp(at, length, points[:, k]) for k in range(3)], 1)


def random_hat(rng: np.random.Generator, head: np.ndarray, marks: np.ndarray) -> Form:
    """A cap, a beanie or a hat with a brim on the points (V, 3) of a head with the iBUG points (68, 3)."""
    brow = float(marks[17:27, 1].mean())
    height = brow + rng.uniform(0.8, 5.0)
    above = head[head[:, 1] > height]
    low, high = np.percentile(above, [1, 99], axis=0)
    center = np.array([(low[0] + high[0]) / 2, height, (low[2] + high[2]) / 2])
    radius = np.maximum((high - low) / 2, [6.5, 1, 8]) * rng.uniform(1.0, 1.12) + rng.uniform(0.1, 0.6)
    radius[1] = (high[1] - height) * rng.uniform(1.0, 1.35) + 0.4
    tilt = rng.normal(0.12, 0.1)
    lat, lon = np.linspace(0, 1, 16)[:, None], np.arange(_STEPS)[None] / _STEPS * 2 * np.pi
    power = rng.uniform(0.35, 1.0)  # of the dome's profile: flat or round
    across = np.cos(lat * np.pi / 2) ** power
    bumps = 1 + 0.03 * np.sin(lon * rng.integers(2, 7) + rng.uniform(0, 6)) * (1 - lat)
    dome = np.stack(
        [
            across * np.sin(lon) * radius[0] * bumps,
            np.sin(lat * np.pi / 2) * radius[1] + 0 * lon,
            across * np.cos(lon) * radius[2] * bumps,
        ],
        -1,
    )
    forms = [_grid(dome, wrap_columns=True)]
    kind = rng.random()
    if kind < 0.65:
        reach = rng.uniform(1.2, 1.7) if kind < 0.35 else 1.0
        ring = np.linspace(1, 1.7 if kind >= 0.35 else reach, 6)[:, None]
        out = np.stack(
            [
                ring * np.sin(lon) * radius[0],
                -0.25 * (ring - 1) * radius[1] * rng.uniform(0, 2) + 0 * lon,
                ring * np.cos(lon) * radius[2],
            ],
            -1,
        )
        if kind >= 0.35:  # a visor in front only
            forward = np.clip(np.cos(lon) - 0.2, 0, 1) ** 0.5
            scale = 1 + (ring - 1) * forward
            out = np.stack(
                [scale * np.sin(lon) * radius[0], -1.2 * (scale - 1) + 0 * lon, scale * np.cos(lon) * radius[2]], -1
            )
        forms.append(_grid(out, wrap_columns=True))
    form = joined(forms)
    c, s = np.cos(tilt), np.sin(tilt)
    turned = form.vertices @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T
    return Form((turned + center).astype(np.float32), form.triangles)


def random_scarf(rng: np.random.Generator, head: np.ndarray, marks: np.ndarray) -> Form:
    """A headscarf or a hood around a head (V, 3) with the iBUG points (68, 3), open before the face."""
    near = head[(head[:, 1] > marks[8, 1] - 4) & (np.abs(head[:, 0]) < 14)]
    low, high = np.percentile(near, [1, 99], axis=0)
    center = np.array([0, marks[27, 1], (low[2] + high[2]) / 2 - 1])
    radius = np.array([max(high[0], -low[0], 7.0), high[1] - center[1], (high[2] - low[2]) / 2]) + rng.uniform(0.4, 1.6)
    lat, lon = np.linspace(0, 1, 40)[:, None], np.arange(64)[None] / 64 * 2 * np.pi
    y = 1 - lat * 2.6
    across = np.where(y > 0, np.sqrt(np.clip(1 - y * y, 0, 1)), 1 + 0.25 * np.clip(-y - 0.6, 0, 2))
    waves = 1 + 0.04 * np.sin(lon * rng.integers(3, 9) + y * rng.uniform(2, 8) + rng.uniform(0, 6))
    points = (
        np.stack(
            [
                across * np.sin(lon) * radius[0] * waves,
                y * radius[1] + 0 * lon,
                across * np.cos(lon) * radius[2] * waves,
            ],
            -1,
        )
        + center
    )
    form = _grid(points, wrap_columns=True)
    middle = (marks[27] + marks[8]) / 2
    size = np.array(
        [
            abs(marks[16, 0] - marks[0, 0]) / 2 * rng.uniform(0.7, 1.0),
            (marks[27, 1] - marks[8, 1]) * rng.uniform(0.62, 0.85),
        ]
    )
    at = form.vertices[form.triangles].mean(1)
    inside = np.square((at[:, :2] - middle[:2] - [0, rng.uniform(0.3, 1.4)]) / size).sum(1) < 1
    return Form(form.vertices, form.triangles[~(inside & (at[:, 2] > center[2]))])
