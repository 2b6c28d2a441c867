# SPDX-License-Identifier: GPL-3.0-or-later
"""What covers a face: scenes with known parts, the parts on a face's crop, textures and relief without covers."""

import cv2
import numpy as np
import pytest
import torch

from ellipsoid_model import ellipsoid_model
from hffne.errors import HffneError
from hffne.evaluation import parsing as evaluation
from hffne.evaluation.held_out_people import is_another
from hffne.geometry.band_merge import merge_bands
from hffne.geometry.face_parts import MARGIN, WIDE, FaceParts, wide_crop
from hffne.geometry.feature_masks import eye_distance
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.networks.parsing import ParsingNetwork
from hffne.parts import BACKGROUND, BROWS, CLOTH, GLASSES, HAIR, OCCLUDER, PARTS, SKIN, UNKNOWN
from hffne.photo.crop import Crop
from hffne.synthesis.covers import cover
from hffne.synthesis.furrows import with_furrows
from hffne.synthesis.parsing_scenes import SIZE
from hffne.synthesis.render import HeadView, Window
from hffne.synthesis.scene import Light, Thing, load_skies, shoot
from hffne.synthesis.strands import with_strands
from hffne.synthesis.uv_layout import CENTER
from hffne.synthesis.wearables import random_glasses, random_hat, random_scarf
from hffne.training.imagenet import start_encoder

FRONT = HeadView(np.eye(3, dtype=np.float32), None)


@pytest.fixture(scope="module")
def head():
    """A head's points, its triangles, and the iBUG points of a face on it."""
    model = ellipsoid_model()
    points = model.neutral - CENTER
    ring = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    marks = np.stack([6 * np.cos(ring), 6 * np.sin(ring), np.full(68, 7.0)], 1)
    marks[0], marks[8], marks[16], marks[27] = [-7.5, 0, 1], [0, -8, 5], [7.5, 0, 1], [0, 2, 8.8]
    marks[17:27] = [0, 3.5, 8]
    marks[36:42], marks[42:48] = [-3, 2, 7.5], [3, 2, 7.5]
    return points, model.triangles, marks


def shot(things, rng, size=128):
    light = Light(np.eye(9, 3, dtype=np.float32) * [[1, 0, 0]] + np.float32(0), [])
    light.sky[0] = 1
    return shoot(things, FRONT, Window(0, 0, 30), size, light, rng)


def test_glasses_lie_before_the_eyes_and_reach_the_ears(head):
    points, triangles, marks = head
    for seed in range(5):
        rng = np.random.default_rng(seed)
        frame, lenses = random_glasses(rng, marks)
        skin = Thing(points, triangles, color=np.full(3, 0.5), part=SKIN)
        glasses = Thing(frame.vertices, frame.triangles, color=np.full(3, 0.01), part=GLASSES)
        seen = shot([skin, glasses], rng)
        share = (seen.part == GLASSES).sum() / (seen.part == SKIN).sum()
        assert 0.004 < share < 0.35
        assert seen.color[seen.part == GLASSES].mean() < 0.3 * seen.color[seen.part == SKIN].mean()
        for eye in (marks[36], marks[42]):
            inside = np.abs(lenses.vertices[:, 0] - eye[0]) < 3
            assert lenses.vertices[inside, 2].mean() > eye[2] + 0.3
        assert frame.vertices[:, 2].min() < 1 < frame.vertices[:, 2].max()


@pytest.mark.parametrize("wear", [random_hat, random_scarf])
def test_what_is_worn_leaves_the_face_free(head, wear):
    points, triangles, marks = head
    for seed in range(5):
        rng = np.random.default_rng(seed)
        form = wear(rng, points, marks)
        skin = Thing(points, triangles, color=np.full(3, 0.5), part=SKIN)
        seen = shot([skin, Thing(form.vertices, form.triangles, color=np.full(3, 0.2), part=CLOTH)], rng)
        assert (seen.part == CLOTH).sum() > 300
        assert seen.part[72, 64] == SKIN  # 2 cm below the head's center


def test_a_cover_changes_what_its_parts_say(head):
    rng = np.random.default_rng(0)
    rgb, part = rng.uniform(0.3, 0.6, (SIZE, SIZE, 3)).astype(np.float32), np.full((SIZE, SIZE), SKIN, np.uint8)
    marks = head[2][:, :2] * [10, -10] + SIZE / 2
    kinds = set()
    for seed in range(30):
        covered, shown = cover(np.random.default_rng(seed), rgb, part, marks)
        changed = np.abs(covered - rgb).max(2) > 0.02
        assert (changed | (shown == SKIN)).mean() > 0.97  # a cover may have the color below it in places
        assert np.isfinite(covered).all()
        kinds |= set(np.unique(shown))
    assert {HAIR, OCCLUDER} <= kinds and GLASSES not in kinds


def test_strands_hang_from_hair_in_its_color_and_are_hair():
    rgb, part = np.full((SIZE, SIZE, 3), 0.7, np.float32), np.full((SIZE, SIZE), SKIN, np.uint8)
    assert with_strands(np.random.default_rng(0), rgb, part)[1] is part  # nothing to hang from
    rgb[:100], part[:100] = 0.1, HAIR
    below = np.zeros(part.shape, bool)
    below[100:] = True
    strewn = 0
    for seed in range(8):
        covered, shown = with_strands(np.random.default_rng(seed), rgb, part)
        strand = (shown == HAIR) & below
        bare = (shown == SKIN) & below
        assert np.isin(shown[below], (SKIN, HAIR, UNKNOWN)).all() and (shown[:100] == HAIR).all()
        assert covered[bare].mean() > 0.6 and np.isfinite(covered).all()
        strewn += strand.sum() > 100 and covered[strand].mean() < 0.6
    assert strewn >= 6


def test_wrinkles_are_drawn_on_skin_alone():
    rgb, part = np.full((SIZE, SIZE, 3), 0.7, np.float32), np.full((SIZE, SIZE), SKIN, np.uint8)
    assert with_furrows(np.random.default_rng(0), rgb, part) is rgb  # no brows
    part[:120], part[200:210, 140:240] = HAIR, BROWS
    dark = 0
    for seed in range(6):
        drawn = with_furrows(np.random.default_rng(seed), rgb, part)
        assert np.array_equal(drawn[part != SKIN], rgb[part != SKIN])
        changed = (drawn < 0.65).any(2)
        dark += changed.sum() > 50
        assert changed[230:].sum() == 0  # the forehead's, for this face has no eyes
    assert dark >= 4


def test_skies_are_told_apart_from_other_files(tmp_path):
    np.savez(tmp_path / "skies.npz", a=np.ones((8, 16, 3), np.float16))
    skies = load_skies(tmp_path / "skies.npz")
    assert skies.shape == (1, 9, 3)
    assert np.abs(skies[0, 0] - 1).max() < 0.05 and np.abs(skies[0, 1:]).max() < 0.05  # even light
    with pytest.raises(HffneError, match="no environment maps"):
        load_skies(tmp_path / "none.npz")


def covered_right_half():
    shares = np.zeros((len(PARTS), WIDE, WIDE), np.float16)
    shares[SKIN, :, : WIDE // 2] = 1
    shares[GLASSES, :, WIDE // 2 :] = 1
    return FaceParts(shares)


def test_parts_on_the_crop():
    parts = covered_right_half()
    at = np.array([[10.0, 100], [120, 20], [140, 20], [250, 250], [-50, 10], [300, 10]], np.float32)
    assert parts.face_at(at).round(2).tolist() == [1, 1, 0, 0, 1, 0]
    assert parts.relief_on_crop(512)[:, :240].min() == 1 and parts.relief_on_crop(512)[:, 260:].max() == 0
    assert parts.relief_on_crop(256)[:, 127].max() < 0.3  # beside a frame
    assert parts.keeping(["glasses"]).relief_on_crop(256).min() == 1
    assert parts.covered(np.ones((64, 64), bool)) == {"glasses": 0.5}
    assert parts.keeping(["glasses"]).face_at(at).tolist() == [1] * 6
    assert parts.keeping(["hair"]).covered(np.ones((64, 64), bool)) == {"glasses": 0.5}
    assert FaceParts.bare().notices(np.ones((64, 64), bool)) == []
    crop = Crop(100.0, 80.0, 64.0)
    wide = wide_crop(crop)
    here = np.array([[30.0, 40.0]])
    assert np.allclose(wide.to_photo(here + MARGIN), crop.to_photo(here), atol=1e-3)


def test_it_is_said_what_covers_the_face():
    mask = np.zeros((256, 256), bool)
    mask[:, 100:140] = True  # 28 of 40 columns are seen
    (sentence,) = covered_right_half().notices(mask)
    assert sentence == "Glasses cover 30% of the face; the skin there is completed."
    mask[:, 140:] = True
    (sentence,) = covered_right_half().notices(mask)
    assert "82% of the face is covered" in sentence


def test_what_does_not_look_like_a_face_at_all_is_taken_as_one():
    shares = np.zeros((len(PARTS), WIDE, WIDE), np.float16)
    shares[CLOTH] = 1
    mask = np.ones((64, 64), bool)
    assert FaceParts(shares).believed(mask).face.min() == 1
    half = covered_right_half()
    assert half.believed(mask) is half


def test_the_shape_under_frames_goes_on_from_around_and_under_lenses_it_is_the_base_shape():
    shares = np.zeros((len(PARTS), WIDE, WIDE), np.float16)
    shares[GLASSES, MARGIN + 119 : MARGIN + 125, MARGIN + 60 : MARGIN + 200] = 0.9
    shares[GLASSES, MARGIN + 160 : MARGIN + 200, MARGIN + 60 : MARGIN + 120] = 0.9
    shares[SKIN] = 1 - shares[GLASSES]
    skin, base = (
        np.broadcast_to(normalize(np.array(n)), (256, 256, 3)).astype(np.float32)
        for n in ([0.1, 0.2, 1.0], [-0.3, 0.2, 1.0])
    )
    seen = skin.copy()
    seen[119:125, 60:200] = seen[160:200, 60:120] = normalize(np.array([0.1, 0.9, 0.6]))
    parts = FaceParts(shares)
    beneath = parts.shape_beneath(seen, lambda: base)
    assert np.abs(beneath - skin)[:140].max() < 0.1 < 0.5 < np.abs(seen - skin)[:140].max()
    assert np.abs(beneath - base)[165:195, 65:115].max() < 0.02
    assert np.allclose(beneath[220:], skin[220:], atol=1e-6)
    unknown = parts.shape_beneath(seen, lambda: base * 0)  # beside the base mesh
    assert np.allclose(np.linalg.norm(unknown, axis=2), 1, atol=1e-5)
    assert np.array_equal(parts.keeping(["glasses"]).shape_beneath(seen, lambda: base), seen)
    assert np.array_equal(FaceParts.bare().shape_beneath(seen, lambda: base), seen)


def test_covers_are_painted_over_with_the_skin_around_them():
    shares = np.zeros((len(PARTS), WIDE, WIDE), np.float16)
    shares[GLASSES, MARGIN + 119 : MARGIN + 122, MARGIN + 60 : MARGIN + 200] = 0.9
    shares[SKIN] = 1 - shares[GLASSES]
    parts = FaceParts(shares)
    for size in (256, 512):
        unit = size // 256
        y, x = np.mgrid[:size, :size].astype(np.float32) / size
        skin = 0.5 + 0.2 * x + 0.01 * np.sin(200 * y)
        framed = skin.copy()
        framed[119 * unit : 122 * unit, 60 * unit : 200 * unit] = 0.05
        painted = parts.painted_over(framed)
        assert painted.shape == skin.shape and np.abs(painted - skin).max() < 0.06 < 0.4 < np.abs(framed - skin).max()
        away = np.r_[: 110 * unit, 132 * unit : size]
        assert np.array_equal(painted[away], framed[away])
        assert parts.keeping(["glasses"]).painted_over(framed) is framed
        assert FaceParts.bare().painted_over(framed) is framed


def test_a_fringe_on_the_brows_is_hair_and_brows_are_brows():
    marks = template().landmarks[:, ::-1]  # rows and columns of the map
    marks = (marks - marks.mean(0)) * 1.1 + 128
    row, unit = round(float(marks[19:25, 1].mean())) + MARGIN, eye_distance(marks)
    columns = slice(round(float(marks[17, 0])) + MARGIN, round(float(marks[26, 0])) + MARGIN)
    shares = np.zeros((len(PARTS), WIDE, WIDE), np.float16)
    thick = slice(row - round(0.3 * unit), row + round(0.1 * unit))
    shares[BROWS, thick, columns] = 1
    shares[SKIN] = 1 - shares[BROWS]
    bare = FaceParts(shares).without_fringe(marks)
    assert np.array_equal(bare.part, FaceParts(shares).part)  # skin above: brows, however thick
    shares[:, : thick.start] = 0
    shares[HAIR, : thick.start] = 1
    hung = FaceParts(shares).without_fringe(marks)
    middle = round(float(marks[19, 0])) + MARGIN
    assert hung.part[row - round(0.2 * unit), middle] == HAIR
    assert hung.part[round(float(marks[19, 1])) + MARGIN, middle] == BROWS
    assert np.allclose(hung.shares.sum(0, dtype=np.float32), 1, atol=0.01)


@pytest.mark.parametrize("turned", [False, True])
def test_loose_strands_on_a_forehead_are_hair_and_wrinkles_are_skin(turned):
    marks = template().landmarks[:, ::-1]
    marks = (marks - marks.mean(0)) * 1.1 + [128, 150]
    unit, middle, brows = eye_distance(marks), marks[[21, 22]].mean(0)[0], marks[17:27, 1].mean()
    picture = np.full((256, 256), 150, np.uint8)

    def line(side, height):
        return tuple(round(float(each)) for each in (middle + side * unit, brows - height * unit))

    lines = {
        "strand": (line(0.5, 0.8), line(0.55, 0.25)),
        "frown": (line(0.04, 0.2), line(0.04, -0.1)),
        "wrinkle": (line(-0.35, 0.45), line(0.35, 0.45)),
    }
    for start, end in lines.values():
        cv2.line(picture, start, end, 90, 1, cv2.LINE_AA)
    shares = np.zeros((len(PARTS), WIDE, WIDE), np.float16)
    shares[HAIR, : MARGIN + line(0, 0.7)[1]] = 1
    shares[SKIN] = 1 - shares[HAIR]
    gray = picture.astype(np.float32) / 255
    if turned:
        gray, shares, marks = (
            np.rot90(gray),
            np.rot90(shares, axes=(1, 2)),
            np.stack([marks[:, 1], 255 - marks[:, 0]], 1),
        )
    found = FaceParts(shares).without_strands(gray, marks)
    part = np.rot90(found.part_on_crop(), -1) if turned else found.part_on_crop()
    shown = {}
    for name, (start, end) in lines.items():
        x, y = (np.linspace(a, b, 9).round().astype(int)[3:-1] for a, b in zip(start, end, strict=True))
        shown[name] = set(part[y, x])
    assert shown == {"strand": {HAIR}, "frown": {SKIN}, "wrinkle": {SKIN}}
    assert (found.part != FaceParts(shares).part).mean() < 0.002
    assert np.allclose(found.shares.sum(0, dtype=np.float32), 1, atol=0.01)
    assert found.without_strands(np.full((256, 256), 0.6, np.float32), marks) is found


def test_no_relief_where_something_covers_the_face():
    rng = np.random.default_rng(0)
    coarse = np.zeros((256, 256, 3), np.float32)
    coarse[..., 2] = 1
    fine = normalize(coarse + rng.normal(0, 0.2, coarse.shape)).astype(np.float32)
    seen = covered_right_half().relief_on_crop(256)
    merged = merge_bands(coarse, fine, np.ones((256, 256), bool), seen=seen)
    assert np.abs(merged[:, 135:] - coarse[:, 135:]).max() < 1e-6
    assert np.abs(merged[60:200, 20:120] - coarse[60:200, 20:120]).mean() > 0.05


def test_the_network_takes_any_size_and_other_weights_are_refused(tmp_path):
    network = ParsingNetwork().eval()
    for size in (64, 96):
        assert network(torch.rand(1, 3, size, size)).shape == (1, len(PARTS), size, size)
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(HffneError, match="EfficientNet"):
        start_encoder(network, tmp_path / "other.pth")
    assert sum(p.numel() for p in network.parameters()) < 2_000_000
    assert BACKGROUND == 0


def test_figures_of_parts_and_bare_skin():
    truth = np.full((20, 20), SKIN, np.uint8)
    truth[:, 10:] = HAIR
    truth[0, 0] = 255  # unknown
    found = truth.copy()
    found[:, 9] = HAIR
    everywhere = np.ones((20, 20), bool)
    result = evaluation.compared(found, found == SKIN, truth, everywhere, everywhere)
    figures = evaluation.figures([result, None])
    assert (figures["pictures"], figures["without_face"]) == (2, 1)
    assert figures["iou"] == {"skin": pytest.approx(179 / 199), "hair": pytest.approx(200 / 220)}
    assert figures["skin_precision"] == 1 and figures["skin_recall"] == pytest.approx(179 / 199)
    assert not is_another(everywhere, truth)
    assert is_another(everywhere, np.full((20, 20), BACKGROUND)) and not is_another(~everywhere, truth)
    assert "| hair | 0.909 |" in evaluation.table([result, None])
