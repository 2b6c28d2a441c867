# SPDX-License-Identifier: GPL-3.0-or-later
"""Training samples, losses, and starting weights."""

import itertools
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from hffne.errors import HffneError
from hffne.networks.coarse import CoarseNetwork
from hffne.training import losses
from hffne.training.augment import cut_frame, occlude
from hffne.training.feature_weights import fit_weight, render_weight
from hffne.training.recipe import read_recipe
from hffne.training.seeding import draw_generator
from hffne.training.settings import Drawing, FeatureWeights
from hffne.training.sources.face_set import FaceSamples
from hffne.training.start import start
from hffne.training.tasks.coarse import CoarseTask
from hffne.weights.store import save_weights

pytestmark = pytest.mark.usefixtures("one_thread")


def drawing(**changes):
    return replace(Drawing(0.35, 1.0, 0.0, False, 0.7, False, 0.0, 0.0, 0.0), **changes)


def test_samples_are_what_they_say(tiny_set):
    sample = FaceSamples(tiny_set, 128, drawing(photos=0.5)).sample(np.random.default_rng(0))
    assert sample["gray"].shape == (1, 128, 128) and sample["position"].shape == (3, 128, 128)
    assert sample["gray"].min() >= 0 and sample["gray"].max() <= 1
    trusted = sample["weight"] > 0.99
    length = sample["normal"].norm(dim=0)
    assert torch.allclose(length[trusted], torch.ones(()), atol=1e-3)


def test_a_mirrored_sample_is_mirrored_throughout(tiny_set):
    """Where the position map's points land, the normal shown is the ellipsoid's own, mirrored or not."""
    samples = FaceSamples(tiny_set, 256, drawing(photos=0.0, relief=0.0))
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
    samples = FaceSamples(tiny_set, 256, drawing(photos=0.3, antithetic=True))
    drawn = [sample for draw in range(25) for sample in samples.draw(draw_generator(0, 0, draw))][:40]
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
    settings = read_recipe("coarse", "coarse").settings
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
        return CoarseTask(settings).loss("coarse", batch, {"coarse": lambda gray: shown})["forms"]

    same_error = torch.nn.functional.normalize(normal + torch.tensor([0.1, 0.0, 0.0])[:, None, None], dim=1)
    assert forms(normal) == 0
    assert forms(same_error) < 0.1 * forms(normal.mean(0, keepdim=True).expand(2, -1, -1, -1))
    photos = batch | {"rendered": torch.zeros(2), "second": torch.zeros(2)}
    assert CoarseTask(settings).loss("coarse", photos, {"coarse": lambda gray: normal}).keys() == {
        "broad",
        "fit",
        "photometric",
    }


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


def test_renders_of_the_second_family_have_their_own_textures(tiny_set, tmp_path):
    """A set that has them draws their share, each alone; the other samples of the set stay as they are."""
    folder = tmp_path / "set"
    shutil.copytree(tiny_set, folder)
    shutil.copytree(tiny_set / "renders", folder / "avatars")
    count = len(np.load(folder / "avatars" / "kind.npy"))
    np.save(folder / "avatars" / "albedo.npy", np.full((count, 256, 256), 120, np.uint8))
    samples = FaceSamples(folder, 256, drawing(photos=0.0, avatars=0.5, antithetic=True))
    draws = [samples.draw(np.random.default_rng(seed)) for seed in range(12)]
    assert {(len(draw), float(draw[0]["second_family"])) for draw in draws} == {(1, 1.0), (2, 0.0)}
    drawn = [draw[0] for draw in draws]
    assert all(s["lids"].min() >= 0 and s["lids"].max() == 1 and s["lips"].max() == 1 for s in drawn)
    assert samples.fingerprint() != FaceSamples(tiny_set, 256, drawing()).fingerprint()
    plain = FaceSamples(tiny_set, 256, drawing(photos=0.0, avatars=0.5))
    assert not any(plain.sample(np.random.default_rng(seed))["second_family"] for seed in range(6))


def test_people_from_every_side_have_position_maps_alone(tiny_set, tmp_path):
    """Nothing is known of their normals; their maps move and are mirrored with the picture."""
    folder = tmp_path / "set"
    shutil.copytree(tiny_set, folder)
    (folder / "posed_people").mkdir()
    position = np.zeros((2, 256, 256, 3), np.float16) + np.float16([63.5, 127.5, 25.6])
    np.save(folder / "posed_people" / "position.npy", position)
    np.save(folder / "posed_people" / "gray.npy", np.full((2, 256, 256), 51, np.uint8))
    samples = FaceSamples(folder, 128, drawing(photos=0.0, moves=0.0, clean=1.0, people=1.0))
    drawn = [samples.draw(np.random.default_rng(seed))[0] for seed in range(8)]
    assert all(s["second_family"] == 1 and s["rendered"] == 1 and not s["weight"].any() for s in drawn)
    assert all(s["gray"].shape == (1, 128, 128) and abs(s["clean"].mean() - 0.2) < 0.01 for s in drawn)
    places = {tuple(np.round(s["position"][:, 5, 5].tolist(), 2)) for s in drawn}
    assert places == {(-0.5, 0.0, 0.2), (0.5, 0.0, 0.2)}
    assert samples.fingerprint() != FaceSamples(tiny_set, 128, drawing()).fingerprint()
    none = FaceSamples(folder, 128, drawing(photos=0.0))
    assert not any(none.sample(np.random.default_rng(seed))["second_family"] for seed in range(6))
    # A task that draws none is as if they were not there: the same samples, and its run may go on.
    plain = FaceSamples(tiny_set, 128, drawing(photos=0.0))
    assert none.fingerprint() == plain.fingerprint() and len(none.files()) == len(plain.files())
    ours, other = (source.sample(np.random.default_rng(1))["gray"] for source in (none, plain))
    assert torch.equal(ours, other)


def test_lids_of_the_second_family_weigh_more_and_fits_lids_less():
    features = FeatureWeights(fit_lids=0.0, fit_lips=0.5, first_lids=0.25, second_lids=4.0, second_lips=2.0)
    lids, lips = torch.tensor([[[1.0, 0.0, 0.0]]] * 2), torch.tensor([[[0.0, 1.0, 0.0]]] * 2)
    batch = {"weight": torch.ones(2, 1, 3), "lids": lids, "lips": lips, "second_family": torch.tensor([0.0, 1.0])}
    assert render_weight(batch, features)[:, 0].tolist() == [[0.25, 1.0, 1.0], [4.0, 2.0, 1.0]]
    assert fit_weight(batch, features)[0, 0].tolist() == [0.0, 0.5, 1.0]


def test_a_teacher_holds_the_coarse_network_beside_lids_and_lips(tiny_set):
    """The teacher's own answer costs nothing there, another does, and at lids and lips neither."""
    samples = FaceSamples(tiny_set, 256, drawing(photos=0.0))
    drawn = [samples.sample(np.random.default_rng(seed)) for seed in (0, 1)]
    batch = {name: torch.stack([sample[name] for sample in drawn]) for name in drawn[0]}
    teacher = CoarseNetwork()
    task = CoarseTask(read_recipe("coarse", "coarse").settings, teacher=teacher)

    def term(student, batch=batch):
        with torch.no_grad():
            return task.loss("coarse", batch, {"coarse": student, **task.fixed})["teacher"]

    mirror = torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
    everywhere = batch | {"lids": torch.ones_like(batch["lids"])}
    assert term(teacher) < 0.01 < term(lambda gray: teacher(gray) * mirror)
    assert term(lambda gray: teacher(gray) * mirror, everywhere) < 1e-6
