# SPDX-License-Identifier: GPL-3.0-or-later
"""The same photo and settings give the same bytes; another number of threads almost the same normals."""

import numpy as np
import pytest
import torch

from hffne.cli.main import main
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo
from hffne.pipeline import Engine


@pytest.fixture(scope="module")
def found(astronaut_file):
    """(engine, photo, face) with the shipped networks on the CPU."""
    photo = load_photo(astronaut_file)
    return Engine("cpu"), photo, find_faces(photo)[0]


def test_the_same_files_twice(astronaut_file, tmp_path):
    for name in ("first", "second"):
        assert main(["normals", str(astronaut_file), "-o", str(tmp_path / name), "--device", "cpu"]) == 0
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert any(name.endswith(".npz") for name in names) and any(name.endswith(".png") for name in names)
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


def test_the_same_asset_twice(found):
    engine, photo, face = found
    made = [engine.build(photo, engine.normals(photo, face), 256, 64).as_message() for _ in range(2)]
    assert made[0][0] == made[1][0]
    for name, array in made[0][1].items():
        assert array.tobytes() == made[1][1][name].tobytes(), name


@pytest.mark.once
def test_half_precision_is_within_a_fifth_of_a_degree(found):
    engine, photo, face = found
    full = engine.normals(photo, face, size=256)
    engine.networks.half = True
    try:
        half = engine.normals(photo, face, size=256)
    finally:
        engine.networks.half = False
    both = full.mask & half.mask
    assert both.sum() > 0.99 * full.mask.sum() and half.normal.dtype == np.float32
    angle = degrees(full.normal[both], half.normal[both])
    # It does compute otherwise.
    assert 0 < angle.mean() < 0.05 and np.percentile(angle, 99) < 0.2
    assert np.abs(full.landmarks - half.landmarks).max() < 0.1


def test_the_number_of_threads_hardly_matters(found):
    engine, photo, face = found
    before = torch.get_num_threads()
    try:
        normals = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            estimate = engine.normals(photo, face)
            normals.append(estimate)
    finally:
        torch.set_num_threads(before)
    for other in normals[1:]:
        # A pixel at the very edge may be counted or not.
        both = normals[0].mask & other.mask
        assert both.sum() > 0.999 * max(normals[0].mask.sum(), other.mask.sum())
        apart = degrees(other.normal[both], normals[0].normal[both])
        assert np.percentile(apart, 99.9) < 0.1 and apart.max() < 1


def degrees(one, other):
    """The angles between unit vectors (n, 3)."""
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(one.astype(float) - other, axis=1) / 2, 0, 1)))
