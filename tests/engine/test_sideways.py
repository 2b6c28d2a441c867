# SPDX-License-Identifier: GPL-3.0-or-later
"""A photo on its side, or a tilted head, gives the upright face, rotated; with the real detector and networks."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from hffne.geometry.vectors import normalize
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo
from hffne.pipeline import Engine


@pytest.fixture(scope="module")
def engine():
    return Engine("cpu")


@pytest.fixture(scope="module")
def upright(engine, astronaut):
    return engine.normals(Photo(astronaut, Path("upright.png")), find_faces(astronaut)[0])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_sideways_photo_gives_the_turned_result(engine, upright, astronaut, turns):
    rgb = np.ascontiguousarray(np.rot90(astronaut, turns))
    faces = find_faces(rgb)
    estimate = engine.normals(Photo(rgb, Path("sideways.png")), faces[0])
    assert (estimate.crop.turns + turns + 2) % 4 - 2 == pytest.approx((upright.crop.turns + 2) % 4 - 2, abs=0.05)
    normal, _, mask = estimate.on_photo(rgb.shape)
    wanted, _, expected_mask = upright.on_photo(astronaut.shape)
    wanted, expected_mask = np.rot90(wanted, turns), np.rot90(expected_mask, turns)
    for _ in range(turns):  # counter-clockwise: right becomes up, up becomes left
        wanted = np.stack([-wanted[..., 1], wanted[..., 0], wanted[..., 2]], -1)
    both = mask & expected_mask
    assert both.sum() > 0.9 * max(mask.sum(), expected_mask.sum())
    angle = np.degrees(np.arccos(np.clip((normal * wanted)[both].sum(-1), -1, 1)))
    assert angle.mean() < 6
    points = upright.landmarks[:, :2]
    for _ in range(turns):
        points = np.stack([points[:, 1], 511 - points[:, 0]], 1)
    assert np.linalg.norm(estimate.landmarks[:, :2] - points, axis=1).mean() < 4


@pytest.mark.parametrize("degrees", [-35, 20])
def test_a_tilted_head_is_looked_at_upright(engine, upright, astronaut, degrees):
    """The crop follows the head, and the normals on the photo turn with it."""
    height, width = astronaut.shape[:2]
    middle = np.array([upright.crop.center_x, upright.crop.center_y])
    matrix = cv2.getRotationMatrix2D(middle - 0.5, degrees, 1.0)  # counter-clockwise
    rgb = cv2.warpAffine(astronaut, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    tilted = engine.normals(Photo(rgb, Path("tilted.png")), find_faces(rgb)[0])
    lean = (tilted.crop.turns - upright.crop.turns + 2) % 4 - 2
    assert lean * 90 == pytest.approx(-degrees, abs=5)
    normal, _, mask = tilted.on_photo(rgb.shape)
    expected, _, known = upright.on_photo(rgb.shape)
    known = cv2.warpAffine(known.astype(np.float32), matrix, (width, height)) > 0.99
    expected = normalize(cv2.warpAffine(expected, matrix, (width, height)))
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    expected = expected @ np.float32([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T
    both = mask & known
    assert both.sum() > 0.9 * max(mask.sum(), known.sum())
    assert np.degrees(np.arccos(np.clip((normal * expected)[both].sum(-1), -1, 1))).mean() < 4
