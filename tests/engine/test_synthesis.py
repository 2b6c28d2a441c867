# SPDX-License-Identifier: GPL-3.0-or-later
"""The generator of the training data, on a stand-in head with known shape: an ellipsoid."""

import cv2
import numpy as np
import pytest
import torch

from ellipsoid_model import AXES, ellipsoid_model, ellipsoid_normals
from hffne.errors import TrainingSetError
from hffne.geometry.uv import coordinates, landmark_uvs, pixels
from hffne.synthesis import (
    build,
    face_profiling,
    fit,
    landmark_mesh,
    refine,
    relief_maps,
    render,
    sampling,
    shading,
    textures,
)
from hffne.synthesis.face_model import LANDMARKS, MIRRORED, FaceModel
from hffne.synthesis.training_set import TrainingSet
from hffne.synthesis.uv_layout import CENTER, build_layout, directions, landmark_texels


@pytest.fixture(scope="module")
def model():
    return ellipsoid_model()


@pytest.fixture(scope="module")
def renderer(model):
    return render.Renderer(model, build_layout(model))


def test_training_sets_of_earlier_versions_can_be_read(tmp_path):
    for folder in ("photos", "textures"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "grey.npy", np.arange(3, dtype=np.uint8))
    np.save(tmp_path / "photos" / "kind.npy", np.zeros(3, np.uint8))
    files = TrainingSet(tmp_path)
    assert files.array("textures/gray").tolist() == [0, 1, 2]
    photos = files.arrays("photos")
    assert set(photos) == {"gray", "kind"} and photos["gray"].tolist() == [0, 1, 2]
    with pytest.raises(TrainingSetError, match="reliefs"):
        files.array("reliefs")


def test_layout_coordinates_invert_directions():
    uv = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    assert np.allclose(coordinates(directions(uv) * 7), uv, atol=1e-4)


def test_layout_lies_on_the_surface(renderer, model):
    points = renderer.layout.sample(model.neutral) - CENTER
    assert np.abs(np.square(points / AXES).sum(-1) - 1)[renderer.layout.mask].max() < 0.01


@pytest.mark.parametrize("distance", [None, 60.0])
@pytest.mark.parametrize("yaw", [0, 50, -80])
def test_buffers_are_exact(renderer, yaw, distance):
    """The position map's points land on pixels that show the same surface point's normal."""
    view = render.HeadView(sampling.euler(yaw, 10, -5), distance)
    shape = renderer.shape(np.zeros(fit.IDENTITIES, np.float32), np.zeros(10, np.float32))
    window = render.canonical_window(render.project(renderer.layout.sample(shape), view), renderer.layout.mask)
    buffers = renderer.buffers(shape, view, window, occlusion_rays=0)
    points = renderer.layout.sample(shape)[renderer.layout.mask]
    normals = ellipsoid_normals(points) @ view.rotation.T
    pixel = buffers["position"][renderer.layout.mask].astype(np.float32)
    eye = np.array([0, 0, distance or 1e6]) - points @ view.rotation.T
    facing = (normals * eye).sum(1) / np.linalg.norm(eye, axis=1) > 0.3
    inside = facing & (pixel[:, :2] > 1).all(1) & (pixel[:, :2] < render.SIZE - 2).all(1)
    column, row = np.round(pixel[inside, :2]).astype(int).T
    shown = buffers["normal"][row, column] / 127
    angle = np.degrees(np.arccos(np.clip((shown * normals[inside]).sum(1) / np.linalg.norm(shown, axis=1), -1, 1)))
    assert inside.sum() > 1000
    assert np.percentile(angle, 95) < 2.5


def test_shadow_lies_on_the_far_side(renderer):
    rng = np.random.default_rng(0)
    view = render.HeadView(sampling.euler(0, 0, 0), None)
    shape = renderer.shape(np.zeros(fit.IDENTITIES, np.float32), np.zeros(10, np.float32))
    window = render.Window(0, 0, 24)
    sun = np.float32([0.9, 0, 0.435])
    buffers = renderer.buffers(shape, view, window, [sun], rng=rng)
    face = buffers["kind"] > 0
    dark = (buffers["sun"] & 1).astype(bool)
    turned = (buffers["normal"] / 127 @ sun) < -0.02
    assert dark[face & turned].all()
    assert not dark[face & ((buffers["normal"] / 127 @ sun) > 0.1)].any()


def test_relief_tilts_by_its_slope(renderer):
    """A uniform slope to the right tilts a frontal normal to the right by just that much."""
    normal = np.zeros((8, 8, 3), np.float32)
    normal[..., 2] = 1
    slopes = np.zeros((8, 8, 2), np.float32)
    slopes[..., 0] = 0.5
    tilted = shading.tilt(normal, np.full((8, 8), render.SKIN), slopes, np.float32([0, 1, 0]))
    assert np.allclose(tilted[..., 0] / tilted[..., 2], 0.5, atol=1e-3) and np.allclose(tilted[..., 1], 0, atol=1e-5)


def test_stretched_faces_differ_in_depth_and_little_in_outline(model):
    shape = model.neutral - CENTER
    faces = np.stack([sampling.stretched(np.random.default_rng(i), shape) for i in range(40)])
    moved = (faces - shape).std(0)
    wide = np.abs(shape[:, 0]) > 1
    assert np.abs(faces[:, wide, 0] / shape[wide, 0] - 1).max() < 0.07
    rim = np.abs(shape[:, 0]) > 5
    assert 0.3 < moved[rim, 2].mean() < 2  # cm
    assert np.abs((faces - shape).mean((0, 1))).max() < 0.3  # deeper as often as flatter
    assert (shape == model.neutral - CENTER).all()


def test_reliefs_differ_and_stay_bounded():
    maps = [relief_maps.relief_map(np.random.default_rng(seed)).astype(np.float32) for seed in (0, 1)]
    assert np.abs(maps[0] - maps[1]).mean() > 0.01
    assert all(np.isfinite(m).all() and np.abs(m).max() <= 1.5 and m.std() > 0.02 for m in maps)


def test_forms_are_broader_than_reliefs():
    """Forms are for the coarse network, reliefs only for the fine one."""

    def fine_share(slopes, size):
        slopes = cv2.resize(slopes[..., :2].astype(np.float32), (size, size))
        return np.std(slopes - cv2.GaussianBlur(slopes, (0, 0), 2)) / slopes.std()

    forms = [fine_share(maps, relief_maps.FORMS) for maps in relief_maps.forms_maps(np.random.default_rng(0))]
    reliefs = [fine_share(relief_maps.relief_map(np.random.default_rng(s)), relief_maps.FORMS) for s in (0, 1)]
    assert max(forms) < 0.5 * min(reliefs)


def test_folds_lie_on_both_sides_and_are_hollow():
    heights = np.stack([relief_maps.folds(np.random.default_rng(s)) for s in range(12)])
    mean = heights.mean(0)
    column, row = np.round(pixels(np.array([0.2, -0.3]), relief_maps.SIZE)).astype(
        int
    )  # between nose and mouth's corner
    assert mean[row - 6 : row + 6, column - 8 : column + 8].min() < -0.3
    for height in heights:
        assert np.corrcoef(height.ravel(), height[:, ::-1].ravel())[0, 1] > 0.5
    assert np.ptp(mean[:40]) < 0.1  # none on the crown


def test_painted_folds_are_flattened_and_brows_are_not():
    texture = np.full((textures.SIZE, textures.SIZE), 150, np.uint8)
    fold = np.round(pixels(np.array([0.35, -0.25]) / textures.EXTENT, textures.SIZE)).astype(int)
    brow = np.round(pixels((landmark_uvs()[19] * 2 - 1) / textures.EXTENT, textures.SIZE)).astype(int)
    for column, row in (fold, brow):
        texture[row - 4 : row + 4, column - 1 : column + 2] = 110
    at = [tuple(p[::-1]) for p in (fold, brow)]
    assert np.array_equal(textures.flatten_shading(texture, 0.0, 9)[at[0]], texture[at[0]])
    assert textures.flatten_shading(texture, 1.0, 30)[at[0]] > 140
    half, whole = (textures.flatten_shading(texture, share, 9) for share in (0.5, 1.0))
    assert 110 < half[at[0]] < whole[at[0]] and whole[at[0]] > 140
    assert abs(int(whole[at[1]]) - 110) < 8


def frontal_fits(paths, landmarks, scale, middle):
    """Neutral heads that look into the camera, at `scale` px per cm, centered on the photo's pixel (middle, middle)."""
    count = len(paths)
    return fit.FittedPhotos(
        np.zeros((count, fit.IDENTITIES), np.float32),
        np.zeros((count, 10), np.float32),
        np.stack([np.eye(3)] * count),
        np.full(count, scale),
        np.full((count, 2), middle) - scale * CENTER[:2] * [1, -1],
        np.zeros(count),
        paths,
        landmarks,
    )


def test_shading_adds_shape_that_landmarks_do_not_show(model, tmp_path):
    """A hill on one cheek, which no landmark shows, is reconstructed from its shading, and only if it is there."""
    deltas = model.expression_deltas.copy()
    hill = model.neutral - CENTER - [3.5, -1.0, 8.0]
    deltas[1, :, 2] = 12 * np.exp(-np.square(hill).sum(1) / (2 * 1.3**2))  # in cm, so that the prior has little weight
    model = FaceModel(model.neutral, model.identity_deltas, deltas, model.expression_names, model.triangles)
    heads = render.Renderer(model, build_layout(model))
    scale, size = 12.0, 400
    light = sampling.random_direction(np.random.default_rng(1))
    paths, strengths = [], (0.0, 0.07)
    for strength in strengths:
        expression = np.zeros(10, np.float32)
        expression[1] = strength
        window = render.Window(0, 0, size / scale)
        buffers = heads.buffers(
            heads.shape(np.zeros(fit.IDENTITIES, np.float32), expression),
            render.HeadView(np.eye(3), None),
            window,
            occlusion_rays=0,
            size=size,
        )
        shading = 0.3 + 0.5 * (buffers["normal"] / 127 @ light).clip(0)
        paths.append(str(tmp_path / f"{strength}.png"))
        cv2.imwrite(paths[-1], np.round(255 * shading ** (1 / 2.2)).astype(np.uint8))
    fits = frontal_fits(paths, np.full((2, 478, 3), -100.0, np.float32), scale, size / 2 - 0.5)
    found = refine.refine(model, fits, lambda *_: None)
    assert found.expression[0, 1] < 0.01 and 0.04 < found.expression[1, 1] < 0.08
    assert np.abs(found.expression[:, 2:]).max() < 0.1


def test_a_photos_normals_move_toward_its_landmark_mesh(renderer, tmp_path, monkeypatch):
    """A plane of landmarks turned by 40 degrees moves the normals under it by a share, and none beside it."""
    cv2.imwrite(str(tmp_path / "a.png"), np.full((300, 300), 120, np.uint8))
    side = 12
    v, u = np.mgrid[-30 : 30 : side * 1j, -30 : 30 : side * 1j]  # photo pixels around the head's center, at (150, 150)
    slope = np.tan(np.radians(40))
    # As in MediaPipe, depth grows away from the viewer.
    landmarks = np.stack([150 + u, 150 + v, slope * u], -1).reshape(1, -1, 3).astype(np.float32)
    fits = frontal_fits([str(tmp_path / "a.png")], landmarks, 10.0, 150.0)
    index = np.arange(side * side).reshape(side, side)
    a, b, c, d = (x.ravel() for x in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    monkeypatch.setattr(
        landmark_mesh, "triangles", lambda: np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    )

    ours = build.MESH_SHARE

    def sample(share):
        monkeypatch.setattr(build, "MESH_SHARE", share)
        return build.photo_sample(renderer, fits, 0, np.random.default_rng(0))["normal"].astype(np.float32) / 127

    fit_only, joined, mesh = (sample(share) for share in (0, ours, 1))
    turned = (mesh != fit_only).any(2)
    row, column = np.argwhere(turned).mean(0).round().astype(int)
    assert abs(np.degrees(np.arcsin(mesh[row, column, 0])) - 40) < 3
    share = np.degrees(np.arcsin(joined[row, column, 0])) / 40
    assert 0.7 * ours < share < 1.3 * ours
    assert np.array_equal(joined[~turned], fit_only[~turned])


def test_a_turned_photo_shows_the_turned_head(renderer):
    """A head colored by height keeps its colors where the turned head shows the same points."""
    rng = np.random.default_rng(0)
    shape = renderer.shape(np.zeros(fit.IDENTITIES, np.float32), np.zeros(10, np.float32))
    rotation = np.eye(3, dtype=np.float32)
    turn = face_profiling.random_profile_turn(rng, rotation)
    assert 25 <= abs(np.degrees(np.arctan2(turn[0, 2], turn[2, 2]))) <= 93
    turn = sampling.euler(30, 0, 0)
    scale, origin = 10.0, np.array([150.0, 150.0])
    rows = np.indices((300, 300))[0]
    photo = (rows / 300 * 255).astype(np.uint8)  # gray is the height of a point, which a turn about y keeps
    position = render.project(renderer.layout.sample(shape), render.HeadView(turn, None))
    window = render.canonical_window(position, renderer.layout.mask)
    picture = face_profiling.profiled_photo(
        photo,
        shape,
        renderer.model.triangles,
        origin,
        scale,
        turn,
        window,
        window.side,
        np.zeros((render.SIZE, render.SIZE), np.uint8),
    )
    normal = renderer.buffers(shape, render.HeadView(turn, None), window, occlusion_rays=0)["normal"]
    seen = normal[..., 2] > 80
    row = np.nonzero(seen)[0]
    height = window.y - ((row + 0.5) / render.SIZE - 0.5) * window.side
    assert seen.sum() > 3000
    assert np.median(np.abs(picture[seen] - (origin[1] - height * scale) / 300 * 255)) < 2


def test_a_sphere_lit_from_the_right_is_brighter_there(renderer):
    rng = np.random.default_rng(3)
    view, shape = (
        render.HeadView(np.eye(3, dtype=np.float32), None),
        renderer.shape(np.zeros(fit.IDENTITIES, np.float32), np.zeros(10, np.float32)),
    )
    suns = np.float32([[0.8, 0, 0.6], [0.8, 0, 0.6]])
    buffers = renderer.buffers(shape, view, render.Window(0, 0, 24), suns, rng=rng) | {"suns": suns}
    gray = np.mean(
        [
            shading.shade(
                np.random.default_rng(s),
                buffers,
                buffers["normal"].astype(np.float32) / 127,
                np.full((64, 64), 150, np.uint8),
                np.zeros((256, 256), np.float32),
            )
            for s in range(6)
        ],
        0,
    )
    face = buffers["kind"] > 0
    right = np.arange(256)[None] > 128
    assert gray[face & right].mean() > 1.15 * gray[face & ~right].mean()
    assert gray[~face].max() < 0.6 and gray.min() >= 0 and gray.max() <= 1


def test_fit_recovers_pose_and_shape(model):
    """Known shapes and poses are recovered from their projected landmarks."""
    rng, torch_seed = np.random.default_rng(0), torch.manual_seed(0)
    assert torch_seed is not None
    poses = [sampling.euler(y, p, r) for y, p, r in ((0, 0, 0), (25, -5, 4), (-30, 8, -6))]
    points = []
    for pose in poses:
        identity = np.zeros(fit.IDENTITIES, np.float32)
        identity[:2] = rng.normal(0, 0.7, 2)
        seen = model.vertices(identity, np.full(10, 0.2, np.float32))[LANDMARKS] @ pose.T * 20
        points.append(seen + np.array([250, -260, 0]))
    fits = fit._solve(model, LANDMARKS, np.stack(points).astype(np.float32), np.ones(68, np.float32), 400, lambda _: 0)
    assert fits.residual.max() < 0.03
    for found, pose in zip(fits.rotation, poses, strict=True):
        assert np.degrees(np.arccos(np.clip((np.trace(found @ pose.T) - 1) / 2, -1, 1))) < 8
    assert np.allclose(fits.scale, 20, rtol=0.08)


def test_offsets_common_to_all_photos_do_not_change_the_identities(model):
    """Points with the same offset from the model's on every photo do not change the fitted shapes."""
    rng = np.random.default_rng(1)
    wide = rng.normal(0, 0.8, 24)
    wide -= wide.mean()
    # As if all labeled faces were wider, higher and rough.
    beside = model.identity_deltas[0, LANDMARKS] * 0.5 + [0, 0.2, 0] + rng.normal(0, 0.1, (68, 3))
    points = []
    for trait in wide:
        identity = np.zeros(fit.IDENTITIES, np.float32)
        identity[0] = trait
        shape = model.vertices(identity, np.zeros(10, np.float32))[LANDMARKS] + beside
        points.append(shape @ sampling.euler(*rng.normal(0, 12, 3)).T * 20 + [250, -260, 0])
    fits = fit._solve(model, LANDMARKS, np.stack(points).astype(np.float32), np.ones(68, np.float32), 400, lambda _: 0)
    assert np.abs(fits.identity.mean(0)).max() < 1e-3
    assert np.corrcoef(fits.identity[:, 0], wide)[0, 1] > 0.97
    # Fitted photo by photo, the widening would become part of the identities.
    assert fits.residual.mean() * 6.3 < 0.4 * np.linalg.norm(beside[:, :2], axis=1).mean()


def test_offsets_of_the_labels_are_measured(model):
    rng = np.random.default_rng(2)
    count, beside = 40, rng.normal(0, 0.3, (68, 3)).astype(np.float32)
    fits = fit.Fits(
        rng.normal(0, 1, (count, fit.IDENTITIES)).astype(np.float32),
        np.zeros((count, 10), np.float32),
        np.stack([sampling.euler(*rng.normal(0, (25, 10, 5))) for _ in range(count)]),
        rng.uniform(10, 30, count),
        rng.uniform(100, 300, (count, 2)),
        np.zeros(count),
    )
    points = [
        (model.vertices(a, b)[LANDMARKS] + beside) @ r.T[:, :2] * [1, -1] * s + t
        for a, b, r, s, t in zip(
            fits.identity, fits.expression, fits.rotation, fits.scale, fits.translation, strict=True
        )
    ]
    found = fit.label_offsets(model, fits, np.stack(points))
    assert np.abs(found - beside)[:, :2].max() < 0.15 < np.abs(beside[:, :2]).max()
    # Brows, nose and eyes follow their labels; the map stays the same on both sides.
    layout = build_layout(model)
    plain, moved = landmark_texels(model, layout), landmark_texels(model, layout, found)
    assert (
        (plain[:17] == moved[:17]).all()
        and (plain[48:] == moved[48:]).all()
        and np.abs(plain - moved)[17:48].max() > 0.5
    )
    step = moved - plain
    assert np.allclose(step, step[MIRRORED] * [1, -1], atol=1e-4)
