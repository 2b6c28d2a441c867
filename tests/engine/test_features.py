# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes, mouth and base of the nose from close up: where their squares lie, and how their normals come back onto the
crop."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from hffne.feature_normals import look_at_features
from hffne.geometry.feature_squares import CLOSE, eye_squares, mouth_square
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.photo.crop import CROP, Crop
from hffne.training.sources.features import turned

POINTS = template().landmarks[:, ::-1]  # rows and columns of the map: a face that fills the crop
POINTS = (POINTS - POINTS.mean(0)) / np.ptp(POINTS, 0).max() * 150 + 128
COARSE = np.zeros((CROP, CROP, 3), np.float32) + normalize(np.array([0.2, 0.1, 1.0], np.float32))
BARE = np.ones((CROP, CROP), np.float32)
BLACK = np.zeros((400, 400, 3), np.uint8)


def ball(size, middle, radius):
    """Normals (S, S, 3) of a ball in camera space, and flat ones beside it."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    x, y = (x - middle[0]) / radius, (middle[1] - y) / radius
    return np.stack([x, y, np.sqrt(np.clip(1 - x * x - y * y, 0, None)) + (x * x + y * y > 1)], -1)


def test_normals_turn_with_their_square():
    square = replace(eye_squares(POINTS)[0], turn=0.4)
    shown = turned(square.cut(ball(CROP, (square.x, square.y), 20.0)), square.turn)
    middle, radius = (CLOSE - 1) / 2, 20 * CLOSE / square.side
    inside = np.hypot(*(np.mgrid[:CLOSE, :CLOSE] - middle)) < 0.7 * radius
    assert np.abs(shown - ball(CLOSE, (middle, middle), radius))[inside].max() < 0.02


def test_eyes_and_mouth_are_seen_where_they_lie_on_the_photo():
    photo, crop = np.full((600, 600, 3), 30, np.uint8), Crop(310, 290, 400, turns=0.1)
    for square, value in zip((*eye_squares(POINTS), mouth_square(POINTS)), (200, 140, 90), strict=True):
        x, y = (round(float(v)) for v in crop.to_photo(np.array([square.x, square.y])))
        photo[y - 4 : y + 5, x - 4 : x + 5] = value
    seen = []

    def look(pictures, normals):
        seen.extend(pictures[:, CLOSE // 2, CLOSE // 2, 0] * 255)
        return normals

    close = look_at_features(photo, crop, COARSE, POINTS, BARE, look, look)
    assert np.allclose(seen, [200, 140, 90, 90], atol=1)
    assert np.abs(close.on(COARSE) - COARSE).max() < 1e-3  # what is put back unchanged changes nothing


def test_a_mirrored_photo_gives_mirrored_normals():
    rng = np.random.default_rng(0)
    photo = cv2.GaussianBlur(rng.integers(0, 255, (400, 400, 3)).astype(np.uint8), (0, 0), 3)
    coarse = normalize(COARSE + 0.3 * cv2.GaussianBlur(rng.normal(0, 1, COARSE.shape), (0, 0), 9)).astype(np.float32)

    def look(pictures, normals):
        tilt = np.stack([np.gradient(pictures.mean(-1), axis=2) * 9, 0 * pictures[..., 0], 0 * pictures[..., 0]], -1)
        return normalize(normals + tilt + 0.1 * pictures).astype(np.float32)

    mirrored_points = np.concatenate([255 - POINTS[:, :1], POINTS[:, 1:]], 1)
    mirrored_points[36:48] = mirrored_points[[*range(42, 48), *range(36, 42)]]
    flip = np.array([-1, 1, 1], np.float32)
    plain = look_at_features(photo, Crop(200, 200, 300), coarse, POINTS, BARE, look, look).on(coarse)
    other = look_at_features(
        np.ascontiguousarray(photo[:, ::-1]),
        Crop(200, 200, 300),
        coarse[:, ::-1] * flip,
        mirrored_points,
        BARE,
        look,
        look,
    ).on(np.ascontiguousarray(coarse[:, ::-1] * flip))
    assert np.abs(plain - coarse).max() > 0.05
    assert np.abs(other[:, ::-1] * flip - plain).max() < 0.02


def raised(pictures, normals):
    return normalize(normals + np.array([0, 0.5, 0], np.float32)).astype(np.float32)


def degrees(ours, others):
    return np.degrees(np.arccos(np.clip((ours * others).sum(-1), -1, 1)))


@pytest.mark.parametrize("size", [CROP, 512])
def test_only_lids_lips_and_wings_of_the_nose_that_nothing_covers_are_changed(size):
    flat = np.broadcast_to(COARSE[0, 0], (size, size, 3)).astype(np.float32)

    def moved(seen):
        close = look_at_features(BLACK, Crop(200, 200, 300), COARSE, POINTS, seen, raised, raised)
        assert np.abs(close.on(flat) - close.beneath(flat)).max() < 0.02
        return degrees(close.on(flat), flat)

    bare, covered = moved(BARE), moved(0 * BARE)
    for feature in (POINTS[36:42], POINTS[42:48], POINTS[48:60], POINTS[31:36]):
        assert bare[tuple(np.round(feature.mean(0)[::-1] * size / CROP).astype(int))] > 10
    for point in (8, 19, 28):  # chin, brow, ridge of the nose
        assert bare[tuple(np.round(POINTS[point][::-1] * size / CROP).astype(int))] < 0.5
    assert covered.max() < 0.1


def test_the_finest_relief_stays_there():
    rng = np.random.default_rng(0)
    relief = normalize(COARSE + rng.normal(0, 0.05, COARSE.shape)).astype(np.float32)
    close = look_at_features(BLACK, Crop(200, 200, 300), COARSE, POINTS, BARE, raised, raised)
    y, x = np.round(POINTS[36:42].mean(0)[::-1]).astype(int)
    at = slice(y - 2, y + 3), slice(x - 2, x + 3)
    kept, gone = close.beneath(relief)[at], close.on(relief)[at]
    assert kept.std((0, 1)).max() > 0.02 > 4 * gone.std((0, 1)).max()
    assert degrees(normalize(kept.mean((0, 1))), normalize(gone.mean((0, 1)))) < 3
