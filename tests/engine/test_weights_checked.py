# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights that are damaged, or another's: refused by the tensor's name, and nothing that is not finite comes out."""

import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from hffne.errors import WeightsError, WeightsMismatchError
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo
from hffne.pipeline import Engine
from hffne.weights import paper
from hffne.weights.store import load_weights, save_weights, write_state


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_tensor_that_is_not_finite_is_named(tmp_path, wrong):
    network = nn.Linear(3, 2)
    with torch.no_grad():
        network.bias[1] = wrong
    save_weights(network, tmp_path / "w.safetensors", {})
    with pytest.raises(WeightsMismatchError, match="bias holds values that are not finite"):
        load_weights(nn.Linear(3, 2), tmp_path / "w.safetensors")


def test_a_tensor_of_another_type_is_named(tmp_path):
    for kind in (torch.int64, torch.bool, torch.uint8):
        state = {"weight": torch.zeros(2, 3), "bias": torch.zeros(2, dtype=kind)}
        write_state(state, tmp_path / "w.safetensors", {})
        with pytest.raises(WeightsMismatchError, match="bias holds"):
            load_weights(nn.Linear(3, 2), tmp_path / "w.safetensors")
    save_weights(nn.Linear(3, 2), tmp_path / "w.safetensors", {})
    load_weights(nn.Linear(3, 2), tmp_path / "w.safetensors")


def test_a_checkpoint_that_unpacks_to_gigabytes_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(paper, "MOST_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.pkl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/0", bytes(2 << 20))
    monkeypatch.setattr(paper.torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(WeightsError, match="more than"):
        paper._read(tmp_path / "bomb.pkl")


def test_what_the_networks_give_is_checked(astronaut_file):
    engine = Engine("cpu")
    photo = load_photo(astronaut_file)
    face = find_faces(photo)[0]
    fine = engine.networks.fine
    engine.networks.fine = lambda *arguments: fine(*arguments) * np.nan
    with pytest.raises(WeightsError, match="not finite"):
        engine.normals(photo, face)
