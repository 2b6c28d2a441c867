# SPDX-License-Identifier: GPL-3.0-or-later
"""A photo on its side gives the upright photo's face, turned: with the real detector and the real networks."""

from pathlib import Path

import numpy as np
import pytest
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
    assert estimate.crop.turns == (4 - turns) % 4
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
