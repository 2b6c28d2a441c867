# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from a photo to an asset, with stand-in networks that see the same posed head everywhere."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hffne.models
import hffne.pipeline
from hffne.errors import Cancelled
from hffne.geometry.face_parts import MARGIN, FaceParts
from hffne.geometry.grids import sample
from hffne.geometry.smooth_field import SmoothField
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.normal_file import arrays_on_photo
from hffne.parts import GLASSES, HAIR, SKIN
from hffne.photo.crop import crop_for_box
from hffne.photo.detail_size import SIZES
from hffne.photo.detect import Face
from hffne.photo.load import Photo
from hffne.pipeline import Engine
from hffne.textured_base import textured_mask
from posed_head import PosedModels, turned

ROTATION = turned(20, -8, 6)
BOX = (180.0, 60.0, 100.0, 130.0)


@pytest.fixture
def engine(monkeypatch):
    models = PosedModels(ROTATION)
    monkeypatch.setattr(hffne.models, "load_models", lambda device, model, **_: models)
    monkeypatch.setattr(hffne.models, "device_name", lambda device: "stand-in")
    return Engine()


@pytest.fixture
def photo(astronaut):
    return Photo(astronaut, Path("astronaut.png"))


@pytest.fixture
def face():
    return Face(BOX, 0.9, np.zeros((5, 2), np.float32))


def angle_between(a, b):
    return np.degrees(np.arccos(np.clip((a * b).sum(-1), -1, 1)))


def test_the_estimate_has_what_it_promises(engine, photo, face):
    estimate = engine.normals(photo, face)
    size = estimate.crop.size
    assert size in SIZES
    for normal in (estimate.coarse, estimate.fine, estimate.normal):
        assert normal.shape == (size, size, 3) and normal.dtype == np.float32
        assert np.allclose(np.linalg.norm(normal, axis=2), 1, atol=1e-4)
    assert estimate.mask.shape == (size, size) and estimate.mask.dtype == bool and estimate.mask.any()
    assert estimate.landmarks.shape == (68, 3)
    assert estimate.position_map.shape == (128, 128, 3)


def test_what_covers_the_face_is_told_completed_and_can_stay(engine, photo, face):
    """Glasses across the middle: no relief, no color of theirs, a sentence; with `keep` they are the face's own."""
    glasses = FaceParts.bare().shares.copy()
    glasses[SKIN, 170:200], glasses[GLASSES, 170:200] = 0, 1
    bare = engine.normals(photo, face, size=256)
    engine.networks.parts = lambda rgb: glasses
    covered, kept = (engine.normals(photo, face, size=256, keep=names) for names in ((), ("glasses",)))
    rows = slice(170 - MARGIN + 4, 200 - MARGIN - 4)
    assert np.abs(covered.normal[rows] - covered.coarse[rows]).max() < 1e-3
    assert np.abs(kept.normal - bare.normal).max() < 1e-6
    (sentence,) = covered.cover_notices
    assert "Glasses cover" in sentence and kept.cover_notices == bare.cover_notices == []
    # The rim of the face, where hair begins, is not worth a word.
    hair = FaceParts.bare().shares.copy()
    hair[SKIN, :110], hair[HAIR, :110] = 0, 1
    engine.networks.parts = lambda rgb: hair
    # On a photo without the astronaut's own fringe, whose strands would count.
    plain = replace(photo, rgb=np.full_like(photo.rgb, 128))
    assert engine.normals(plain, face, size=256).cover_notices == []
    seen = [engine.build(photo, one, 256, maps=["seen"]).maps["seen"] for one in (bare, covered)]
    assert seen[0].mean() > seen[1].mean() > 0
    found = arrays_on_photo(covered, photo.rgb.shape)
    assert found["skin"].sum() < found["mask"].sum() and GLASSES in found["parts"]


def test_the_crop_is_laid_around_the_face_that_was_found(engine, photo, face):
    crop = engine.normals(photo, face).crop
    # What the networks found on the first crop, the one around the detector's box.
    first = crop_for_box(BOX)
    points = first.to_photo(PosedModels(ROTATION).map)[template().mask]
    middle = points.mean(0)
    # Of the square of training: its middle is the map's, its side 3 times the map's rms radius.
    assert (crop.center_x, crop.center_y) == pytest.approx(tuple(middle[:2] + 0.5), abs=0.05)
    assert crop.side / np.sqrt(np.square(points - middle).sum(1).mean()) == pytest.approx(3.0, rel=1e-3)


def test_the_landmarks_are_in_the_photos_pixels(engine, photo, face):
    estimate = engine.normals(photo, face)
    left, right = (estimate.landmarks[part].mean(0) for part in (slice(36, 42), slice(42, 48)))
    scale = estimate.crop.side / 256
    nose = estimate.landmarks[30]
    assert left[0] < nose[0] < right[0] and estimate.landmarks[8, 1] > nose[1] > left[1]
    assert nose[2] > max(left[2], right[2])
    # The interpupillary distance of the mean head, turned.
    turned_eyes = np.linalg.norm(right - left)
    assert turned_eyes == pytest.approx(0.063 * estimate.shape.scale * scale, rel=0.02)
    assert abs(nose[0] - estimate.crop.center_x) < estimate.crop.side / 3


def test_an_error_that_does_not_mirror_is_averaged_out(engine, photo, face):
    clean = engine.normals(photo, face)
    models = engine.networks
    faultless = models.coarse

    def leaning(gray):  # to the right, on whatever picture
        return normalize(faultless(gray) + np.float32([0.2, 0, 0])).astype(np.float32)

    models.coarse, models.seen = leaning, []
    both = engine.normals(photo, face)
    fault = angle_between(normalize(clean.coarse + np.float32([0.2, 0, 0])), clean.coarse)[clean.mask].mean()
    assert angle_between(both.coarse, clean.coarse)[clean.mask].mean() < 0.25 * fault


def test_merging_can_be_turned_off(engine, photo, face):
    plain = engine.normals(photo, face, merged=False)
    assert np.array_equal(plain.normal, plain.fine)
    assert not np.array_equal(engine.normals(photo, face).normal, plain.fine)


def test_normals_on_the_photo_lie_under_the_crop(engine, photo, face):
    estimate = engine.normals(photo, face)
    normal, coarse, mask = estimate.on_photo(photo.rgb.shape)
    height, width = photo.rgb.shape[:2]
    assert normal.shape == coarse.shape == (height, width, 3) and mask.shape == (height, width)
    rows, columns = np.nonzero(mask)
    at = estimate.crop.to_crop(np.stack([columns, rows], 1).astype(np.float32))[:, ::-1]
    covered = sample(estimate.mask.astype(np.float32)[..., None], at)[:, 0]
    assert covered.min() > 0.1 and np.percentile(covered, 1) > 0.45
    # The fine waves are averaged where the photo is coarser than the crop; the shape stays.
    upright = estimate.crop.unturning.T
    assert angle_between(coarse[mask], normalize(sample(estimate.coarse, at)) @ upright).mean() < 0.7
    assert angle_between(normal[mask], normalize(sample(estimate.normal, at)) @ upright).mean() < 3
    assert np.allclose(np.linalg.norm(normal[mask], axis=1), 1, atol=1e-4)
    share = mask.sum() / (estimate.mask.sum() * (estimate.crop.side / estimate.crop.size) ** 2)
    assert share == pytest.approx(1, abs=0.03)
    assert not normal[height - 1, width - 1].any()


@pytest.mark.parametrize("turns", [1, 2, 3, 0.4])
def test_a_turned_crop_is_turned_back_on_the_photo(engine, photo, face, turns):
    """Its normals lie where its pixels lie, and turn with them."""
    estimate = engine.normals(photo, face)
    estimate = replace(estimate, crop=replace(estimate.crop, turns=turns))
    normal, _, mask = estimate.on_photo(photo.rgb.shape)
    rows, columns = np.nonzero(mask)
    at = estimate.crop.to_crop(np.stack([columns, rows], 1).astype(np.float32))[:, ::-1]
    expected = normalize(sample(estimate.normal, at))
    cosine, sine = np.cos(turns * np.pi / 2), np.sin(turns * np.pi / 2)
    # After a quarter a vector that pointed right points down, one that pointed up points right.
    expected = np.stack(
        [
            cosine * expected[:, 0] + sine * expected[:, 1],
            cosine * expected[:, 1] - sine * expected[:, 0],
            expected[:, 2],
        ],
        1,
    )
    assert angle_between(normal[mask], expected).mean() < 3


@pytest.mark.parametrize("box", [(-60.0, -40.0, 160.0, 200.0), (470.0, 460.0, 60.0, 80.0)])
def test_a_face_at_the_edge_of_the_photo(engine, photo, box):
    estimate = engine.normals(photo, Face(box, 0.9, np.zeros((5, 2), np.float32)))
    normal, _coarse, mask = estimate.on_photo(photo.rgb.shape)
    assert mask.shape == photo.rgb.shape[:2] and np.isfinite(normal).all() and mask.any()
    asset = engine.build(photo, estimate, texture_size=64, grid=32)
    assert np.isfinite(asset.textures.normal).all()


def test_stages_are_reported_in_order_and_with_rising_fractions(engine, photo, face):
    reported = []
    estimate = engine.normals(photo, face, lambda *what: reported.append(what), lambda: False)
    engine.build(photo, estimate, 64, 32, report=lambda *what: reported.append(what))
    assert [stage for stage, _, _ in reported] == ["prn", "coarse", "fine", "band_merge", "unwrap", "mesh"]
    fractions = [fraction for _, fraction, _ in reported]
    assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] <= 1
    assert all(message for _, _, message in reported)


@pytest.mark.parametrize("stage", ["coarse", "fine", "band_merge"])
def test_a_cancel_stops_at_the_next_stage(engine, photo, face, stage):
    reported = []
    with pytest.raises(Cancelled):
        engine.normals(photo, face, lambda name, *_: reported.append(name), lambda: stage_before(stage) in reported)
    assert stage not in reported


def stage_before(stage):
    order = ["prn", "coarse", "fine", "band_merge"]
    return order[order.index(stage) - 1]


@pytest.mark.parametrize("turns", [0, 1, 0.2])
def test_the_mesh_seen_through_its_camera_is_the_estimate(engine, photo, face, turns):
    estimate = engine.normals(photo, face)
    estimate = replace(estimate, crop=replace(estimate.crop, turns=turns))
    asset = engine.build(photo, estimate, texture_size=512, grid=128)
    body, arrays = asset.as_message()
    camera = body["camera"]
    rotation = np.array(camera["rotation"])
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-6) and np.linalg.det(rotation) > 0
    camera_points = arrays["vertices"] @ rotation.T * camera["scale"]
    x, y = camera["center"][0] + camera_points[:, 0], camera["center"][1] - camera_points[:, 1]
    uvs = asset.mesh.uvs
    assert np.array_equal(arrays["uvs"], uvs[arrays["quads"]])
    texel = np.stack([(1 - uvs[:, 1]) * 512 - 0.5, uvs[:, 0] * 512 - 0.5], 1)
    sure = sample(asset.textures.confidence[..., None], texel)[:, 0] > 0.97
    square = estimate.crop.resized(256)
    at = square.to_crop(replace(square, turns=0).to_photo(np.stack([x, y], 1)))
    wanted = normalize(sample(estimate.normal, at[:, ::-1])) @ square.unturning.T
    error = angle_between(normalize(sample(asset.textures.normal, texel)) @ rotation.T, wanted)[sure]
    assert error.mean() < 1.0
    # And the same points on the photo's pixels, through the crop.
    crop = camera["crop"]
    photo_x = crop["center_x"] + ((x + 0.5) / crop["size"] - 0.5) * crop["side"] - 0.5
    colors = sample(
        photo.rgb.astype(np.float32),
        np.stack([crop["center_y"] + ((y + 0.5) / crop["size"] - 0.5) * crop["side"] - 0.5, photo_x], 1),
    )
    error = np.abs(sample(arrays["color"].astype(np.float32), texel) - colors)[sure]
    assert np.median(error) < 4
    assert camera["photo_size"] == [photo.rgb.shape[1], photo.rgb.shape[0]]


def test_the_message_is_plain_and_typed(engine, photo, face):
    import json

    asset = engine.build(photo, engine.normals(photo, face), texture_size=128, grid=64)
    body, arrays = asset.as_message()
    assert json.loads(json.dumps(body)) == body and body["units"] == "m"
    assert len(body["regions"]) == len(arrays["region_weights"])
    types = {name: array.dtype.str[1:] for name, array in arrays.items()}
    assert types == {
        "vertices": "f4",
        "uvs": "f4",
        "quads": "i4",
        "region_weights": "f4",
        "normal": "u2",
        "color": "u1",
        "confidence": "u2",
        "landmarks": "f4",
    }
    # Codes of 16 bits are at most half a step off.
    np.testing.assert_allclose(arrays["normal"] / 65535 * 2 - 1, asset.textures.normal, atol=1.02 / 65535)
    np.testing.assert_allclose(arrays["confidence"] / 65535, asset.textures.confidence, atol=0.51 / 65535)


def test_other_maps_of_the_same_face_need_no_other_textures(engine, photo, face, monkeypatch):
    made = []

    def unwrap(*arguments):
        made.append(arguments)
        return textured_mask(*arguments)

    monkeypatch.setattr(hffne.pipeline, "textured_mask", unwrap)
    estimate = engine.normals(photo, face, size=256)
    first = engine.build(photo, estimate, 64, 16)
    again = engine.build(photo, estimate, 64, 16, maps=["height", "seen"])
    assert len(made) == 1 and again.textures is first.textures and set(again.maps) == {"height", "seen"}
    assert np.array_equal(again.mesh.vertices, first.mesh.vertices)
    engine.build(photo, estimate, 32, 16)
    pins = SmoothField(np.zeros((1, 3), np.float32), np.full((1, 3), 1e-3, np.float32))
    moved = [engine.build(photo, estimate, 32, 16, field=pins) for _ in range(2)]
    assert len(made) == 4 and np.array_equal(moved[0].mesh.vertices, moved[1].mesh.vertices)
    # Another estimate is another face, and the last one's textures are given back before it is computed.
    engine.build(photo, engine.normals(photo, face, size=256), 32, 16)
    assert len(made) == 5


def test_a_small_face_is_said_to_be_small(engine, photo):
    small = Face((200.0, 100.0, 30.0, 36.0), 0.9, np.zeros((5, 2), np.float32))
    asset = engine.build(photo, engine.normals(photo, small), 64, 32)
    assert any("small" in notice for notice in asset.notices)


def test_importing_the_pipeline_needs_no_torch():
    import subprocess
    import sys

    code = "import sys, hffne.pipeline; sys.exit('torch' in sys.modules)"
    server = Path(__file__).resolve().parents[2] / "server"
    assert subprocess.run([sys.executable, "-c", code], cwd=server).returncode == 0
