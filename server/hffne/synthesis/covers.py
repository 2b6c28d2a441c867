# SPDX-License-Identifier: GPL-3.0-or-later
"""Flat things before a face in color, with the part of every pixel: strands of hair, masks, phones, other objects."""

import cv2
import numpy as np

from hffne.parts import CLOTH, HAIR, OCCLUDER


def cover(
    rng: np.random.Generator, rgb: np.ndarray, part: np.ndarray, marks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A picture (S, S, 3) 0..1 and its parts (S, S) with something before the face of the iBUG points (68, 2)."""
    kind = rng.random()
    if kind < 0.35:
        layer, color, shown = _strands(rng, rgb, marks)
    elif kind < 0.55:
        layer, color, shown = _face_mask(rng, len(rgb), marks)
    else:
        layer, color, shown = _object(rng, rgb, marks)
    return rgb + (color - rgb) * layer[..., None], np.where(layer > 0.5, shown, part)


def _strands(rng: np.random.Generator, rgb: np.ndarray, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Hair that hangs over the face from above or from one side."""
    size = len(rgb)
    middle, scale = marks[27], max(float(np.linalg.norm(marks[27] - marks[8])), 20.0)
    down = (marks[8] - marks[27]) / scale
    side = np.array([down[1], -down[0]])
    y, x = np.mgrid[:size, :size].astype(np.float32)
    at = np.stack([x - middle[0], y - middle[1]], -1) / np.float32(scale)
    along, across = at @ down.astype(np.float32), at @ side.astype(np.float32)
    fringe = rng.random() < 0.6
    if fringe:
        part_at, lean = rng.normal(0, 0.3), rng.normal(0, 0.5)
        edge = -along - rng.uniform(-0.05, 0.45) + rng.uniform(0, 0.6) * np.abs(across - part_at) - lean * across * 0.3
        strand_at = across + rng.normal(0, 0.3) * along
    else:
        sign = rng.choice([-1, 1])
        edge = (
            sign * across - rng.uniform(0.2, 0.7) - rng.normal(0, 0.2) * along - rng.uniform(0, 0.2) * np.square(along)
        )
        strand_at = across + rng.normal(0, 0.15) * along
    noise: np.ndarray = rng.normal(size=(64, 1024)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.8, 4), sigmaY=14)
    columns = (strand_at + 2) / 4 * 1023
    rows = (along + 2) / 4 * 63
    strands = cv2.remap(noise / noise.std(), columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR)
    layer = np.clip((edge + rng.uniform(0.01, 0.12) * strands) * scale / rng.uniform(1.5, 8), 0, 1)
    layer = np.where(np.hypot(*np.moveaxis(at, -1, 0)) < 1.5, layer, 0)
    tone = np.exp(rng.uniform(np.log(0.06), np.log(0.8))) * np.exp(
        rng.normal(0, 0.12, 3) + np.array([0.1, 0, -0.15]) * rng.uniform(0, 2)
    )
    color = np.clip(tone, 0, 0.95) * np.exp(rng.uniform(0.1, 0.35) * strands)[..., None]
    return layer.astype(np.float32), np.clip(color, 0, 1).astype(np.float32), HAIR


def _face_mask(rng: np.random.Generator, size: int, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """A mask or a veil over nose and mouth."""
    top = marks[27] + (marks[30] - marks[27]) * rng.uniform(0.1, 0.9)
    middle = marks[33]
    outline = np.concatenate([marks[rng.integers(1, 4) : 15], [marks[14 - rng.integers(0, 2)], top, marks[2]]])
    outline = middle + (outline - middle) * rng.uniform(0.98, 1.15)
    layer: np.ndarray = np.zeros((size, size), np.float32)
    cv2.fillPoly(layer, [np.round(cv2.convexHull(outline.astype(np.float32))[:, 0]).astype(np.int32)], (1.0,))
    layer = cv2.GaussianBlur(layer, (0, 0), 0.8)
    color = np.clip(np.exp(rng.uniform(np.log(0.1), 0)) * np.exp(rng.normal(0, 0.25, 3)), 0, 1)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    shade = 1 - 0.35 * np.clip(np.abs(x - middle[0]) / max(float(abs(marks[16, 0] - marks[0, 0])), 20), 0, 1)
    folds = np.sin((y - top[1]) / size * rng.uniform(30, 120)) * rng.uniform(0, 0.08)
    noise = cv2.resize(rng.normal(size=(12, 12)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC) * 0.05
    return (
        layer,
        np.clip(color * (shade + folds + noise)[..., None], 0, 1).astype(np.float32),
        OCCLUDER if rng.random() < 0.7 else CLOTH,
    )


def _object(rng: np.random.Generator, rgb: np.ndarray, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """A phone, a microphone, a cup, a leaf: one to three simple outlines in one color or with another picture on."""
    size = len(rgb)
    scale = max(float(np.linalg.norm(marks[27] - marks[8])), 20.0)
    middle = marks[rng.integers(68)] + rng.normal(0, 0.3, 2) * scale
    layer: np.ndarray = np.zeros((size, size), np.float32)
    angle = rng.uniform(0, 180)
    for _ in range(rng.integers(1, 4)):
        kind = rng.random()
        at = middle + rng.normal(0, 0.15, 2) * scale
        if kind < 0.4:
            box = cv2.boxPoints((tuple(map(float, at)), tuple(rng.uniform(0.2, 1.1, 2) * scale), float(angle)))
            cv2.fillConvexPoly(layer, np.round(box).astype(np.int32), (1.0,))
        elif kind < 0.75:
            axes = tuple((rng.uniform(0.08, 0.5, 2) * scale + 2).astype(int))
            cv2.ellipse(layer, tuple(map(int, at)), axes, angle, 0, 360, (1.0,), -1)
        else:
            end = at + rng.normal(0, 1, 2) * size / 2
            cv2.line(layer, tuple(map(int, at)), tuple(map(int, end)), (1.0,), int(rng.uniform(0.03, 0.25) * scale) + 1)
    layer = cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.6, 1.5))
    color = np.broadcast_to(
        np.clip(np.exp(rng.uniform(np.log(0.03), 0)) * np.exp(rng.normal(0, 0.4, 3)), 0, 1), rgb.shape
    ).copy()
    if rng.random() < 0.5:
        other = np.rot90(rgb, rng.integers(1, 4)) ** np.exp(rng.normal(0, 0.4))
        color = color * 0.4 + cv2.GaussianBlur(np.ascontiguousarray(other), (0, 0), rng.uniform(0.5, 20)) * 0.6
    y, x = np.mgrid[:size, :size].astype(np.float32)
    turn = np.radians(angle)
    slope = ((x - middle[0]) * np.cos(turn) + (y - middle[1]) * np.sin(turn)) / scale
    color *= np.exp(np.clip(rng.normal(0, 0.6) * slope, -1, 1))[..., None]
    return layer, np.clip(color, 0, 1).astype(np.float32), OCCLUDER
