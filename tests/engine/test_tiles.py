# SPDX-License-Identifier: GPL-3.0-or-later
"""Large crops in tiles: they cover the picture, show no seams, and know one face's vector."""

import itertools

import cv2
import numpy as np
import pytest
import torch

from hffne import crop_levels
from hffne.crop_levels import check_size
from hffne.errors import HffneError
from hffne.models import load_models
from hffne.networks import tiles
from hffne.networks.fine import FineNetwork
from hffne.networks.variants import Variant
from hffne.photo.crop import to_gray


@pytest.mark.parametrize("length", [256, 576, 832, 864, 1024, 1056, 1600, 2048])
def test_tiles_cover_the_length_and_overlap(length):
    found = tiles.spans(length, tiles.TILE, tiles.OVERLAP)
    assert found[0][0] == 0 and found[-1][1] == length
    assert all(start % 32 == 0 for start, _ in found)
    (side,) = {end - start for start, end in found}
    assert side == length if length <= tiles.TILE else side <= tiles.TILE
    overlaps = [left[1] - right[0] for left, right in itertools.pairwise(found)]
    assert all(tiles.OVERLAP <= overlap <= tiles.OVERLAP + 32 for overlap in overlaps)


@pytest.mark.parametrize("size", [(256, 256), (608, 1024), (1056, 864)])
def test_tiles_of_a_local_network_are_the_whole(size):
    # Three convolutions see 3 pixels far; beyond that a tile cannot matter.
    torch.manual_seed(0)
    layers = torch.nn.Sequential(*[torch.nn.Conv2d(a, b, 3, padding=1) for a, b in ((1, 4), (4, 4), (4, 3))])
    sizes = []

    def network(part):
        sizes.append(part.shape[2:])
        return torch.nn.functional.normalize(layers(part), dim=1)

    with torch.inference_mode():
        picture = torch.randn(1, 1, *size)
        whole = network(picture)
        sizes.clear()
        assert torch.allclose(tiles.tiled(network, picture), whole, atol=1e-5)
    assert max(max(shape) for shape in sizes) <= tiles.TILE


def test_a_tiled_crop_shows_no_seams(astronaut):
    models = load_models("cpu")
    # The face, with its noise, at about three times its pixels.
    size = 896
    gray = (
        cv2.resize(astronaut[40:210, 140:310], (size, size), interpolation=cv2.INTER_CUBIC)
        @ np.float32([0.299, 0.587, 0.114])
        / 255
    )
    gray = gray.clip(0, 1).astype(np.float32)
    coarse = models.coarse(gray)
    sizes = []
    models.fine_network.exemplar.register_forward_hook(lambda *what: sizes.append(what[-1]))
    tiled = models.fine(gray, coarse)
    assert len(sizes) == 1
    with torch.inference_mode():
        whole = models.fine_network(
            torch.from_numpy(gray)[None, None], torch.from_numpy(coarse.transpose(2, 0, 1)[None].copy())
        )
    whole = whole[0].permute(1, 2, 0).numpy()
    assert np.abs(np.linalg.norm(tiled, axis=2) - 1).max() < 1e-3
    # Steps from pixel to pixel are no larger along the tiles' edges than they are on the picture made at once.
    spans = tiles.spans(size, tiles.TILE, tiles.OVERLAP)
    edges = sorted(
        {at for start, end in spans for at in (start + tiles.MARGIN, end - tiles.MARGIN, start, end) if 0 < at < size}
    )
    for axis in (0, 1):
        steps, wanted = (np.abs(np.diff(a, axis=axis)).sum(2).mean(1 - axis) for a in (tiled, whole))
        assert all(steps[at - 1] < wanted[at - 1] * 1.2 + 0.002 for at in edges)
    angle = np.degrees(np.arccos(np.clip((tiled * whole).sum(2), -1, 1)))
    assert angle.mean() < 4


@pytest.mark.parametrize("architecture", ["A1", "spatial"])
def test_an_exemplar_that_lies_on_the_picture_is_not_squeezed_onto_a_part(architecture):
    models = load_models("cpu")
    torch.manual_seed(0)
    models.fine_network = FineNetwork(variant=Variant(architecture)).eval()
    for parameter in models.fine_network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    rng = np.random.default_rng(0)
    gray, side = rng.random((608, 608), np.float32), slice(128, 384)
    exemplar = rng.normal(size=(608, 608, 3)).astype(np.float32)
    exemplar /= np.linalg.norm(exemplar, axis=2, keepdims=True)
    whole = models.fine_network(torch.from_numpy(gray)[None, None], torch.from_numpy(exemplar.transpose(2, 0, 1))[None])
    expected = whole[0].permute(1, 2, 0).detach().numpy()
    part = models.fine(gray, exemplar, (side, side))
    assert np.allclose(part[side, side], expected[side, side], atol=1e-4)
    assert np.array_equal(part[:128], exemplar[:128])


@pytest.mark.parametrize("size", [0, 128, 250, 300, 2080, 10**6])
def test_sizes_that_cannot_be_are_errors(size):
    with pytest.raises(HffneError, match=str(size)):
        check_size(size)
    assert check_size(1024) == 1024


def test_a_larger_crop_is_computed_where_the_face_is(astronaut):
    """Beside the area the exemplar stays; within it the result differs from that of the whole crop at its rim only."""
    mask = np.zeros((256, 256), bool)
    mask[100:160, 90:170] = True
    area = crop_levels.face_area(mask, 512)
    (top, bottom), (left, right) = ((part.start, part.stop) for part in area)
    assert all(at % crop_levels.STEP == 0 for at in (top, bottom, left, right))
    assert (
        top <= 200 and bottom >= 320 and left <= 180 and right >= 340 and (bottom - top) * (right - left) < 512**2 / 2
    )
    face = cv2.resize(astronaut[40:210, 140:310], (512, 512), interpolation=cv2.INTER_CUBIC)
    models, gray = load_models("cpu"), to_gray(face.astype(np.float32) / 255)
    exemplar = np.zeros((512, 512, 3), np.float32)
    exemplar[..., 2] = 1
    whole, part = models.fine(gray, exemplar), models.fine(gray, exemplar, area)
    beside = np.ones((512, 512), bool)
    beside[area] = False
    assert np.array_equal(part[beside], exemplar[beside])
    inside = (slice(top + 48, bottom - 48), slice(left + 48, right - 48))
    angle = np.degrees(np.arccos(np.clip((whole[inside] * part[inside]).sum(2), -1, 1)))
    assert angle.mean() < 3 and np.abs(part[inside] - exemplar[inside]).max() > 0.01
    assert crop_levels.face_area(np.zeros_like(mask), 512) == (slice(0, 512), slice(0, 512))
