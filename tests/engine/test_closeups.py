# SPDX-License-Identifier: GPL-3.0-or-later
"""Close-ups for the fine network: windows of the whole crop, relief to their scale, the whole crop's contrast."""

import numpy as np
import pytest
import torch

from ellipsoid_model import ellipsoid_model
from hffne.networks.fine import FineNetwork
from hffne.synthesis import close_reliefs, closeups, render
from hffne.synthesis.render import HeadView, Window, canonical_window, project, to_crop
from hffne.synthesis.uv_layout import build_layout
from hffne.training.recipe import read_recipe
from hffne.training.sources.closeups import CloseupSamples


@pytest.fixture(scope="module")
def renderer():
    model = ellipsoid_model()
    return render.Renderer(model, build_layout(model))


def test_a_window_is_a_part_of_the_whole_crop(renderer):
    """What it shows is what the whole crop shows there, closer."""
    view = HeadView(np.eye(3, dtype=np.float32), None)
    shape = renderer.shape(np.zeros(60, np.float32), np.zeros(10, np.float32))
    posed = project(renderer.layout.sample(shape), view)
    whole = canonical_window(posed, renderer.layout.mask)
    window, zoom = Window(whole.x + whole.side / 8, whole.y, whole.side / 4), 4.0
    near = renderer.buffers(shape, view, window, occlusion_rays=0, exact=True)
    far = renderer.buffers(shape, view, whole, occlusion_rays=0, exact=True)
    left, top = np.round(
        to_crop(np.array([window.x - window.side / 2, window.y + window.side / 2, 0]), whole)[:2] + 0.5
    )
    part = far["normal"][int(top) : int(top) + 64, int(left) : int(left) + 64]
    small = near["normal"].reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(part - small).mean() < 0.01 and zoom == pytest.approx(whole.side / window.side)


def test_windows_lie_within_the_crop_at_scales_up_to_the_closest():
    points = np.random.default_rng(0).uniform(-8, 8, (68, 3))
    whole = Window(0.5, -0.5, 20.0)
    windows = [closeups.close_window(np.random.default_rng(k), whole, points, points) for k in range(80)]
    assert all(
        abs(w.x - whole.x) + w.side / 2 <= 10.001 and abs(w.y - whole.y) + w.side / 2 <= 10.001 for w, _ in windows
    )
    zooms = np.array([zoom for _, zoom in windows])
    assert 0.1 < (zooms == 1).mean() < 0.45 and zooms.max() > 4 and zooms.max() <= closeups.CLOSEST
    assert closeups.close_window(np.random.default_rng(0), whole, points, points, closest=0.8) == (whole, 1.0)


def test_relief_reaches_from_smooth_skin_to_deep_wrinkles():
    heights = close_reliefs.load_heights(None, None)
    maps = [close_reliefs.close_relief(np.random.default_rng(k), heights).astype(np.float32) for k in range(5)]
    for relief in maps:
        assert relief.shape == (close_reliefs.SIZE, close_reliefs.SIZE, 3) and np.isfinite(relief).all()
        assert relief[..., 2].min() >= 0 and relief[..., 2].max() <= 1
        assert np.abs(relief[[0, -1]]).max() < 0.05  # no edge where the map ends
    strong = [np.quantile(np.abs(relief[..., :2]), 0.999) for relief in maps]
    assert max(strong) > 1.5 * min(strong)


def test_samples_are_normals_and_pictures_of_one_size(tiny_set):
    drawing = read_recipe("fine", "fine").data
    for held_out in (False, True):
        samples = CloseupSamples(tiny_set, drawing, held_out)
        drawn = [samples.sample(np.random.default_rng(seed)) for seed in range(8)]
        assert {float(sample["rendered"]) for sample in drawn} == {0.0, 1.0}
        for sample in drawn:
            assert sample["gray"].shape == (1, 256, 256) and sample["exemplar"].shape == (3, 64, 64)
            assert all(value.isfinite().all() for value in sample.values())
            known = sample["weight"] > 0.01
            length = sample["normal"].norm(dim=0)[known]
            assert ((length - 1).abs() < 1e-2).float().mean() > 0.98
            assert sample["contrast"][1] > 0 and sample["gray"].min() >= 0 and sample["gray"].max() <= 1


def test_a_part_with_the_wholes_contrast_is_seen_as_in_the_whole():
    """A window is standardized as the whole picture is; by itself an even part would look as rich as the face."""
    torch.manual_seed(0)
    network, whole = FineNetwork().eval(), torch.rand(1, 1, 128, 128) * torch.linspace(0.1, 1, 128)
    part, contrast = whole[:, :, 32:96, 32:96], torch.stack([whole.mean((1, 2, 3)), whole.std((1, 2, 3))], 1)
    expected = network.prepared(whole)[:, :, 32:96, 32:96]
    assert torch.allclose(network.prepared(part, contrast), expected, atol=1e-4)
    assert not torch.allclose(network.prepared(part), expected, atol=1e-2)
