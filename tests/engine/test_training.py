# SPDX-License-Identifier: GPL-3.0-or-later
"""The training loop on a tiny set: it learns, stops, goes on, and its weights load."""

import itertools
import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from ellipsoid_model import ellipsoid_model
from hffne.errors import HffneError
from hffne.networks.coarse import CoarseNetwork
from hffne.synthesis import build, fit, relief_maps, render, sampling, textures
from hffne.synthesis.uv_layout import build_layout
from hffne.training import losses
from hffne.training.augment import cut_frame, occlude
from hffne.training.dataset import FaceSamples
from hffne.training.loop import train
from hffne.training.start import start
from hffne.training.tasks import CoarseTask, FineTask, PositionTask
from hffne.weights.store import load_weights, save_weights


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """On a busy machine the threads of such small steps wait for one another most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny_set(tmp_path_factory):
    """A training set in the layout of `synthesis.build`, of the stand-in head: 22 renders, 3 "photos"."""
    folder = tmp_path_factory.mktemp("set")
    model = ellipsoid_model()
    renderer = render.Renderer(model, build_layout(model))
    fits = SimpleNamespace(identity=np.zeros((3, fit.IDENTITIES), np.float32), expression=np.zeros((3, 10), np.float32))
    rng = np.random.default_rng(0)
    samples = [sampling.rendered_sample(renderer, fits, np.random.default_rng([1, i])) for i in range(22)]
    for kind, count, fields in (("renders", 22, build.FIELDS), ("photos", 3, build.PHOTO_FIELDS)):
        (folder / kind).mkdir()
        for name in fields:
            values = (
                [rng.integers(0, 255, (256, 256), np.uint8)] * count
                if name == "gray"
                else [s[name] for s in samples[:count]]
            )
            np.save(folder / kind / f"{name}.npy", np.stack(values).astype(fields[name][1]))
    (folder / "textures").mkdir()
    np.save(folder / "textures" / "gray.npy", rng.integers(90, 180, (3, textures.SIZE, textures.SIZE), np.uint8))
    relief_maps.build_reliefs(folder / "reliefs.npy", count=2)
    relief_maps.build_forms(folder / "form_pairs.npy", count=2)
    return folder


def test_samples_are_what_they_say(tiny_set):
    sample = FaceSamples(tiny_set, 128, 0, photos=0.5).sample(np.random.default_rng(0))
    assert sample["gray"].shape == (1, 128, 128) and sample["position"].shape == (3, 128, 128)
    assert sample["gray"].min() >= 0 and sample["gray"].max() <= 1
    trusted = sample["weight"] > 0.99
    length = sample["normal"].norm(dim=0)
    assert torch.allclose(length[trusted], torch.ones(()), atol=1e-3)


def test_a_mirrored_sample_is_mirrored_throughout(tiny_set):
    """Where the position map's points land, the normal shown is the ellipsoid's own, mirrored or not."""
    samples = FaceSamples(tiny_set, 256, 0, photos=0.0, relief=0.0)
    for seed in range(6):
        sample = samples.sample(np.random.default_rng(seed))
        points = sample["position"].permute(1, 2, 0)[20:108:8, 20:108:8].reshape(-1, 3)
        # A point further right on a convex head, at the same height, never has a normal further left.
        pixel = ((points[:, :2] + 1) * 128).long()
        seen = (pixel >= 0).all(1) & (pixel < 256).all(1)
        normal = sample["smooth"][:, pixel[seen, 1], pixel[seen, 0]]
        shown = normal.norm(dim=0) > 0.5
        correlation = np.corrcoef(normal[0, shown], points[seen][shown][:, 0])[0, 1]
        assert correlation > 0.5


def test_training_goes_on_where_it_stopped(tiny_set, tmp_path):
    def run(steps):
        train(
            [PositionTask(), CoarseTask()],
            tiny_set,
            tmp_path,
            steps,
            batch=2,
            half=False,
            workers=0,
            report=lambda _: None,
        )
        return [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]

    first = run(2)
    assert first[-1]["step"] == 2 and np.isfinite(first[-1]["coarse/check/angle"])
    second = run(3)
    assert [line["step"] for line in second] == [2, 3]
    load_weights(PositionTask().network, tmp_path / "prn.safetensors")
    coarse = load_weights(CoarseTask().network, tmp_path / "coarse.safetensors")
    train(
        [FineTask(coarse)],
        tiny_set,
        tmp_path / "fine",
        1,
        batch=2,
        photos=0.5,
        half=False,
        workers=0,
        report=lambda _: None,
    )
    load_weights(FineTask(coarse).network, tmp_path / "fine" / "fine.safetensors")


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(tiny_set, tmp_path, monkeypatch):
    def run(steps):
        train([CoarseTask()], tiny_set, tmp_path, steps, batch=2, half=False, workers=0, report=lambda _: None)

    run(1)
    good = (tmp_path / "checkpoint.pt").read_bytes()
    monkeypatch.setattr(losses, "normal_loss", lambda *_: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(FloatingPointError, match="coarse"):
        run(2)
    assert (tmp_path / "checkpoint.pt").read_bytes() == good


def lit_relief(sigma):
    """A random relief (1, 3, 96, 96) with forms of a size in pixels, and its picture (1, 1, 96, 96) under one light."""
    torch.manual_seed(0)
    height = losses.blur(torch.randn(1, 1, 96, 96), sigma) * 1.5 * sigma**2
    slopes = torch.cat([height.diff(dim=3, prepend=height[..., :1]), height.diff(dim=2, prepend=height[..., :1, :])], 1)
    normal = torch.nn.functional.normalize(torch.cat([slopes, torch.ones_like(height)], 1), dim=1)
    return normal, (normal * torch.tensor([0.4, 0.5, 0.76])[:, None, None]).sum(1, keepdim=True)


def test_a_cut_frame_tells_what_is_left_of_the_photo():
    photo = np.random.default_rng(0).random((128, 128)).astype(np.float32)
    shares = []
    for seed in range(40):
        cut, inside = cut_frame(np.random.default_rng(seed), photo)
        assert cut.shape == photo.shape and np.array_equal(cut[inside > 0], photo[inside > 0])
        rows, columns = inside.any(1), inside.any(0)
        assert np.array_equal(inside, np.outer(rows, columns))
        first = int(columns.argmax())
        assert not first or np.array_equal(cut[rows, 0], photo[rows, first])
        shares.append(inside.mean())
    assert min(shares) < 0.3 and max(shares) > 0.9


def test_pairs_differ_in_their_forms_only(tiny_set):
    samples = FaceSamples(tiny_set, 256, 0, photos=0.3, antithetic=True)
    drawn = [sample for sample, _ in zip(samples, range(40))]
    changes = []
    for first, second in itertools.pairwise(drawn):
        if not second["second"]:
            continue
        assert first["rendered"] and second["rendered"] and not first["second"]
        assert torch.equal(first["position"], second["position"]) and torch.equal(first["weight"], second["weight"])
        changes.append((first["smooth"] - second["smooth"])[:, second["weight"] > 0.5].std())
    assert len(changes) == sum(bool(s["rendered"]) and not s["second"] for s in drawn[:-1])
    assert max(changes) > 0.05
    photos = sum(not sample["rendered"] for sample in drawn)
    assert 0 < photos < 25


def test_the_coarse_network_must_tell_a_pair_apart():
    normal = torch.cat([lit_relief(5.0)[0], lit_relief(9.0)[0]])
    one = torch.ones(2, 96, 96)
    batch = {
        "gray": normal[:, :1],
        "clean": normal[:, :1],
        "smooth": normal,
        "weight": one,
        "skin": one,
        "rendered": torch.ones(2),
        "second": torch.tensor([0.0, 1.0]),
    }

    def forms(shown):
        return CoarseTask().loss(batch, lambda gray: shown)["forms"]

    same_error = torch.nn.functional.normalize(normal + torch.tensor([0.1, 0.0, 0.0])[:, None, None], dim=1)
    assert forms(normal) == 0
    assert forms(same_error) < 0.1 * forms(normal.mean(0, keepdim=True).expand(2, -1, -1, -1))
    photos = batch | {"rendered": torch.zeros(2), "second": torch.zeros(2)}
    assert CoarseTask().loss(photos, lambda gray: normal).keys() == {"broad", "fit", "photometric"}


def test_blur_is_gaussian_with_its_borders_continued():
    picture = np.random.default_rng(0).random((48, 80)).astype(np.float32)
    ours = losses.blur(torch.from_numpy(picture)[None, None], 4.0)[0, 0].numpy()
    theirs = cv2.GaussianBlur(picture, (25, 25), 4.0, borderType=cv2.BORDER_REPLICATE)
    assert np.abs(ours - theirs).max() < 1e-5


def test_photometric_loss_tells_relief_that_shades_like_the_photo():
    normal, photo = lit_relief(2.0)
    skin = torch.ones(1, 96, 96)
    assert losses.photometric_loss(photo, normal, skin) < 0.05
    assert losses.photometric_loss(photo, normal.flip(3), skin) > 0.8


def test_pose_loss_tells_how_far_a_head_is_turned():
    rng = np.random.default_rng(0)
    mean = torch.from_numpy(rng.normal(0, (0.3, 0.4, 0.2), (64, 3)).T.astype(np.float32).reshape(3, 8, 8))
    mean -= mean.mean((1, 2), keepdim=True)
    turn = torch.tensor([[np.cos(0.1), 0, np.sin(0.1)], [0, 1, 0], [-np.sin(0.1), 0, np.cos(0.1)]], dtype=torch.float32)
    head = mean[None] * 1.5
    turned = torch.einsum("ij,njuv->niuv", turn, head) + torch.tensor([0.1, -0.2, 0])[None, :, None, None]
    assert losses.pose_loss(turned, head, mean).item() == pytest.approx(
        2 * np.sin(0.1) + 2 * (1 - np.cos(0.1)), rel=1e-3
    )
    assert losses.pose_loss(head + 0.3, head, mean).item() == pytest.approx(0, abs=1e-5)  # shifted


def test_a_coarse_network_grows_by_a_level_in_front(tmp_path):
    widths = (8, 16, 24, 32)
    old, path = CoarseNetwork(widths=widths[1:]), tmp_path / "old.safetensors"
    for parameter in old.parameters():
        torch.nn.init.normal_(parameter)
    save_weights(old, path, {})
    new = start(CoarseNetwork(widths=widths), path).state_dict()
    for deep, known in (
        ("downs.1.0.0.weight", "downs.0.0.0.weight"),
        ("downs.0.1.first.0.weight", "stem.1.first.0.weight"),
        ("bottom.second.0.weight", "bottom.second.0.weight"),
        ("ups.0.0.0.weight", "ups.0.0.0.weight"),
    ):
        torch.testing.assert_close(new[deep], old.state_dict()[known].half().float())
    assert torch.isfinite(CoarseNetwork(widths=widths).eval()(torch.rand(1, 1, 64, 64))).all()
    with pytest.raises(HffneError, match="tensor"):
        start(CoarseNetwork(widths=(8, 16, 24, 32, 40)), path)


def test_what_hangs_before_a_face_leaves_a_part_of_it():
    """Hair, hands and the like hide something and not everything; what they leave is the picture itself."""
    gray = np.full((128, 128), 0.5, np.float32)
    hidden = np.array([(np.abs(occlude(np.random.default_rng(seed), gray) - gray) > 0.02).mean() for seed in range(60)])
    assert hidden.max() < 0.75 and 0.05 < hidden.mean() < 0.4 and (hidden > 0.02).mean() > 0.6
