# SPDX-License-Identifier: GPL-3.0-or-later
"""The second head family on stand-in files: loaded, registered, rendered, and its held-out people never drawn."""

import numpy as np
import pytest

from avatar_standins import write_heads
from ellipsoid_model import ellipsoid_model, ellipsoid_normals
from hffne.errors import HffneError
from hffne.geometry import feature_masks
from hffne.synthesis import (
    array_folder,
    avatar_colors,
    avatar_heads,
    avatar_sampling,
    avatar_set,
    photo_split,
    render,
)
from hffne.synthesis.avatar_render import AvatarRenderer, dressed
from hffne.synthesis.sampling import euler
from hffne.synthesis.uv_layout import build_layout

NAMES = ("Asian_F_1", "First_F_1", "Second_M_1", "Third_F_1")  # the first is held out


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heads") / "valid"
    model = write_heads(folder, NAMES, wigs=("Second_M_1",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(avatar_heads, "_NECK", 40.0)  # the ellipsoid's points lie anywhere on it
        yield folder, model, avatar_heads.load_avatar_heads(folder, model)


@pytest.fixture(scope="module")
def renderer(family):
    _, model, heads = family
    return AvatarRenderer(heads, model, build_layout(model))


def frontal(renderer, shape):
    view = render.HeadView(euler(0, 0, 0), None)
    return view, render.canonical_window(render.project(renderer.layout.sample(shape), view), renderer.layout.mask)


def test_people_take_the_face_models_frame(family):
    _, model, heads = family
    assert list(heads.names) == sorted(NAMES)
    points = heads.shapes.mean(0)[heads.landmarks][17:60]
    goal = (model.neutral - avatar_heads.CENTER)[avatar_heads.LANDMARKS[17:60]]
    assert np.linalg.norm(points - goal, axis=1).mean() < 0.4  # cm
    assert (heads.triangles < heads.shapes.shape[1]).all() and set(np.unique(heads.kind)) == {
        render.SKIN,
        render.EYE,
        render.TEETH,
    }


def test_held_out_people_are_never_mixed_in(family):
    _, _, heads = family
    assert [heads.names[k] for k in heads.people(held_out=True)] == ["Asian_F_1"]
    people = heads.people(held_out=False)
    heads = avatar_heads.AvatarHeads(**vars(heads))
    heads.shapes = heads.shapes.copy()
    heads.shapes[heads.people(held_out=True)] = np.nan
    assert all(
        np.isfinite(avatar_sampling.random_head(np.random.default_rng(k), heads, people)).all() for k in range(8)
    )


def test_a_folder_without_heads_is_told(tmp_path):
    with pytest.raises(HffneError, match="no heads"):
        avatar_heads.load_avatar_heads(tmp_path, ellipsoid_model())


def test_buffers_show_the_heads_own_normals_and_colors(family, renderer):
    heads = family[2]
    shape = heads.shapes[heads.names.index("First_F_1")]
    view, window = frontal(renderer, shape)
    buffers = renderer.buffers(shape, view, window, occlusion_rays=0)
    pixel = buffers["position"][renderer.layout.mask].astype(np.float32)
    points = renderer.layout.sample(shape)[renderer.layout.mask]
    normals = ellipsoid_normals(points)
    inside = (normals[:, 2] > 0.4) & (pixel[:, :2] > 1).all(1) & (pixel[:, :2] < render.SIZE - 2).all(1)
    column, row = np.round(pixel[inside, :2]).astype(int).T
    shown = buffers["normal"][row, column] / np.float32(127)
    angle = np.degrees(np.arccos(np.clip((shown * normals[inside]).sum(1) / np.linalg.norm(shown, axis=1), -1, 1)))
    assert inside.sum() > 1000 and np.median(angle) < 4  # the family's frame is not quite the ellipsoid's
    albedo = renderer.colored(shape, view, window, heads.grays[0])
    assert (albedo[buffers["kind"] == render.SKIN] == heads.grays[0][0, 0]).all()
    assert (albedo[buffers["kind"] == render.BACKGROUND] == 0).all()


def test_hair_covers_what_it_hangs_before(family, renderer):
    heads = family[2]
    hair = heads.hairs["Second_M_1"]
    shape = heads.shapes[heads.names.index("Third_F_1")]
    view, window = frontal(renderer, shape)
    with_hair, all_vertices = renderer.with_hair(hair), dressed(shape, hair)
    buffers = with_hair.buffers(all_vertices, view, window, occlusion_rays=0)
    covered = buffers["kind"] == avatar_heads.HAIR
    assert covered.any() and not covered[200:].any()
    colors = with_hair.colored(all_vertices, view, window, heads.grays[0], hair)
    assert np.abs(colors[covered].astype(int) - 20).max() < 3
    assert len(renderer.kind) == heads.shapes.shape[1]  # the plain renderer stays as it was


def test_the_set_is_written_once_and_is_the_same_for_all_numbers_of_processes(family, tmp_path, monkeypatch):
    folder, model, _ = family
    monkeypatch.setattr(avatar_set, "load_face_model", lambda _: model)
    monkeypatch.setattr(array_folder.multiprocessing, "get_context", lambda _: _Here())
    for name, processes in (("one", 1), ("two", 2)):
        avatar_set.build_avatars(folder, "", tmp_path / name, 3, processes=processes, report=lambda _: None)
    one, two = ({p.name: np.load(p) for p in (tmp_path / name / "avatars").glob("*.npy")} for name in ("one", "two"))
    assert set(one) == {f"{name}.npy" for name in avatar_set.AVATAR_FIELDS}
    assert all((one[name] == two[name]).all() for name in one)
    before = (tmp_path / "one" / "avatars" / "kind.npy").stat().st_mtime_ns
    avatar_set.build_avatars(folder, "", tmp_path / "one", 3, report=lambda _: None)
    assert (tmp_path / "one" / "avatars" / "kind.npy").stat().st_mtime_ns == before


class _Here:
    """A pool that works in this process."""

    def Pool(self, _):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def starmap(self, work, arguments):
        for each in arguments:
            work(*each)


def test_forms_stay_off_lids_and_colors_stay_in_range():
    lids = np.zeros((64, 64), np.float32)
    lids[20:40, 20:40] = 1
    forms = np.full((64, 64, 3), 0.5, np.float32)
    less = avatar_colors.weaken_at_lids(forms, lids)
    assert abs(less[30, 30, 0]) < 0.2 and less[5, 5, 0] == pytest.approx(0.5)
    assert less[30, 30, 2] > 0.8  # the sky is hidden less
    albedo = np.random.default_rng(0).integers(30, 220, (64, 64)).astype(np.uint8)
    kind = np.full((64, 64), render.SKIN, np.uint8)
    studio = [avatar_colors.recolored(np.random.default_rng(k), albedo, kind, True).astype(float) for k in range(9)]
    assert np.mean([s.std() for s in studio]) < 0.7 * albedo.std()


def points():
    """68 points with eyes 40 pixels apart and a mouth of 30."""
    marks = np.zeros((68, 2), np.float32)
    ring = np.stack([np.cos(np.arange(6) / 6 * 2 * np.pi) * 8, np.sin(np.arange(6) / 6 * 2 * np.pi) * 4], 1)
    marks[36:42], marks[42:48] = ring + [80, 100], ring + [120, 100]
    around = np.arange(12) / 12 * 2 * np.pi
    marks[48:60] = np.stack([100 + 15 * np.cos(around), 150 + 6 * np.sin(around)], 1)
    marks[27], marks[8] = (100, 98), (100, 160)
    return marks


def test_regions_reach_as_far_as_they_say():
    eyes, mouth = feature_masks.round_eyes(points(), 256), feature_masks.round_mouth(points(), 256)
    assert feature_masks.eye_distance(points()) == pytest.approx(40, abs=0.1)
    assert eyes[100, 80] == eyes[100, 120] == mouth[150, 100] == 1
    reach = 0.12 * 40
    assert eyes[int(104 + reach - 2), 80] == 1 and eyes[int(104 + reach + 3), 80] == 0
    assert eyes[150, 100] == mouth[100, 80] == 0
    assert not feature_masks.round_eyes(points() + 1000, 256).any()
    for moved in np.linspace(0, 1, 21):  # a little beside means a little less
        other = feature_masks.round_eyes(points() + [moved, 0.3 * moved], 256)
        assert np.abs(feature_masks.round_eyes(points() + [moved + 0.01, 0.3 * moved], 256) - other).max() < 0.011


def test_photos_of_one_person_are_held_out_together():
    names = [f"{k:03}" for k in range(400)]
    chosen = [photo_split.held_out(f"set/{name}_neutral.jpg") for name in names]
    assert chosen == [photo_split.held_out(f"elsewhere/{name}_smiling.png") for name in names]
    assert 15 < sum(chosen) < 70
    paths = [f"{name}.jpg" for name in names]
    assert len(photo_split.training_photos(paths)) == len(names) - sum(photo_split.held_out(p) for p in paths)
