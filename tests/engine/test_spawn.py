# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that are spawned, as on Windows and macOS: they share nothing with the one that starts them."""

import multiprocessing
import pickle

import numpy as np
import pytest
import torch

import dataset_standins
from hffne.photo.detect import Face, find_faces
from hffne.synthesis.array_folder import fill_folder
from hffne.synthesis.stored_array import StoredArray
from hffne.training.recipe import read_recipe
from hffne.training.sources import cropping
from hffne.training.sources.closeups import CloseupSamples
from hffne.training.sources.face_set import FaceSamples
from hffne.training.sources.features import FeatureSamples
from hffne.training.sources.mixed import MixedSource
from hffne.training.sources.parsing import ParsingSamples
from hffne.training.sources.photoface import PhotofaceSource
from hffne.training.sources.photos import PhotoSource
from hffne.training.sources.shading import ShadingSamples
from hffne.training.stream import stream

pytestmark = pytest.mark.once


@pytest.fixture
def spawned():
    """The way of Windows and macOS to start processes."""
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method("spawn", force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


SET_SOURCES = {
    "coarse": FaceSamples,
    "fine": lambda folder, size, *rest: CloseupSamples(folder, *rest),
    "parsing": ParsingSamples,
    "shading": ShadingSamples,
    "eyes": FeatureSamples,
}


@pytest.mark.parametrize("task", SET_SOURCES)
def test_a_workers_copy_of_a_set_draws_the_same_and_carries_none_of_its_arrays(tiny_set, task):
    source = SET_SOURCES[task](tiny_set, 64, read_recipe(task, task).data)
    sent = pickle.dumps(source)
    # What is computed from a set may be sent, such as which of its samples are held out; the tiny set has 40 MB.
    assert len(sent) < 200_000
    draws = [one.draw(np.random.default_rng(4)) for one in (source, pickle.loads(sent))]
    for one, other in zip(*draws, strict=True):
        assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_workers_copy_of_folders_of_photos_draws_the_same_and_carries_none(astronaut_file, tmp_path, monkeypatch):
    dataset_standins.photoface(tmp_path)
    faces = [Face((15.0, 18.0, 30.0, 36.0), 0.9, np.zeros((5, 2), np.float32))]
    monkeypatch.setattr(cropping, "find_faces", lambda photo: faces if photo.size[0] < 100 else find_faces(photo))
    for source in (PhotoSource(astronaut_file.parent, 64), PhotofaceSource(tmp_path, 64)):
        (one,) = source.draw(np.random.default_rng(4))
        copy = pickle.loads(pickle.dumps(source))
        assert source.cache.items and not copy.cache.items
        (other,) = copy.draw(np.random.default_rng(4))
        assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_spawned_workers_of_a_training_draw_what_it_would_draw_itself(tiny_set, astronaut_file, spawned):
    photos = PhotoSource(astronaut_file.parent, 64)
    source = MixedSource([FaceSamples(tiny_set, 64, read_recipe("coarse", "coarse").data), photos], [1, 1])
    alone, beside = (list(stream(source, 5, 1, range(6), workers)) for workers in (0, 2))
    assert len({frozenset(one) for one in alone}) == 2
    for one, other in zip(alone, beside, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_part_of_a_stored_array_is_sent_as_it_is(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(10_000))
    array = StoredArray.open(tmp_path / "a.npy")
    whole, part = (pickle.loads(pickle.dumps(one)) for one in (array, array[3:5]))
    assert np.array_equal(whole, np.arange(10_000)) and part.tolist() == [3, 4]
    assert isinstance(whole, StoredArray) and not isinstance(part, np.memmap)


def test_sets_are_made_by_spawned_processes(tmp_path):
    fill_folder(tmp_path / "s", {"n": ((), np.int64)}, _number, (tmp_path / "s",), 7, 3, 2, lambda _: None)
    assert np.load(tmp_path / "s" / "n.npy").tolist() == [3, 4, 5, 6, 7, 8, 9]


def _number(folder, count, seed, part, processes):
    out = np.load(folder / "n.npy", mmap_mode="r+")
    for index in range(part, count, processes):
        out[index] = seed + index
