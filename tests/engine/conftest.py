# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the engine's tests: rendered stand-ins for faces, a tiny training set."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ellipsoid_model import ellipsoid_model
from hffne import child
from hffne.evaluation import rendered
from hffne.synthesis import fit
from tiny_set import build_tiny_set


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory):
    """The folder of a training set of 22 renders and 3 "photos"; do not write to it."""
    folder = tmp_path_factory.mktemp("tiny_set")
    build_tiny_set(folder)
    return folder


@pytest.fixture
def image(astronaut):
    """The astronaut photo as a Pillow image."""
    return Image.fromarray(astronaut)


@pytest.fixture(scope="module")
def held_out_faces(tmp_path_factory):
    """rendered.HeldOutFaces with an ellipsoid as face model, at 128 pixels."""
    folder = tmp_path_factory.mktemp("set")
    count = 21
    nothing = np.zeros((count, fit.IDENTITIES), np.float32)
    np.savez(
        folder / "fits.npz",
        identity=nothing,
        expression=np.zeros((count, 10), np.float32),
        rotation=np.repeat(np.eye(3)[None], count, 0),
        scale=np.ones(count),
        translation=np.zeros((count, 2)),
        residual=np.zeros(count),
        paths=np.array([f"{k}.jpg" for k in range(count)]),
    )
    (folder / "textures").mkdir()
    np.save(folder / "textures" / "gray.npy", np.full((count, 64, 64), 150, np.uint8))
    np.save(folder / "reliefs.npy", np.zeros((2, 64, 64, 2), np.float16))
    patch = pytest.MonkeyPatch()
    patch.setattr(rendered, "load_face_model", lambda path: ellipsoid_model())
    patch.setattr(rendered, "SIZE", 128)
    yield rendered.HeldOutFaces(folder, "anywhere")
    patch.undo()


@pytest.fixture(scope="module")
def one_thread():
    """On a busy machine the threads of such small steps wait for one another most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def built(monkeypatch):
    """The environments in which `hffne build` starts Blender, in whose place an empty .blend is written."""
    started = []

    def run(command, environment, folder, log=None):
        started.append(environment)
        (Path(command[command.index("--output") + 1]) / "face.blend").touch()
        return 0

    monkeypatch.setattr(child, "run", run)
    return started
