# SPDX-License-Identifier: GPL-3.0-or-later
"""Base mesh, projection, merge, resampling: against what is known by construction."""

import numpy as np
import pytest

from hffne.geometry.band_merge import merge_bands, resize_normals
from hffne.geometry.base_shape import ShapeError, _fold_weights, fit_base_shape
from hffne.geometry.grids import blur, fill_gaps, resample, sample
from hffne.geometry.mesh import build_mesh
from hffne.geometry.project import project
from hffne.geometry.uv import face_texels, template
from hffne.geometry.vectors import normalize, rotate_between
from posed_head import SCALE, position_map, ripples, turned

OBJECT_TO_HEAD = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # (x, y, z) of Blender -> x right, y up, z out
POSES = [(0, 0, 0), (35, 0, 0), (-60, 10, 5), (10, -25, 30)]


def angle_between(a, b):
    return np.degrees(np.arccos(np.clip((normalize(a) * normalize(b)).sum(-1), -1, 1)))


def pose_error(shape, rotation):
    difference = shape.rotation @ (rotation @ OBJECT_TO_HEAD).T
    return np.degrees(np.arccos(np.clip((np.trace(difference) - 1) / 2, -1, 1)))


@pytest.mark.parametrize("pose", POSES)
def test_the_pose_is_found_and_taken_out(pose):
    rotation = turned(*pose)
    noise = np.random.default_rng(1).normal(0, 1.0, (128, 128, 3)).astype(np.float32)
    shape = fit_base_shape(position_map(rotation) + noise)
    assert pose_error(shape, rotation) < 0.2
    assert shape.scale == pytest.approx(SCALE, rel=0.01)
    straight = fit_base_shape(position_map())
    mask = template().mask
    assert np.linalg.norm((shape.points - straight.points)[mask], axis=1).mean() < 0.0006


def test_an_open_mouth_does_not_tilt_the_head():
    rotation = turned(20, 5, 0)
    straight = fit_base_shape(position_map())
    head = position_map(scale=1.0, center=(0, 0)) * [1, -1, 1]
    jaw = template().regions["jaw"] | template().regions["lips"]
    head[jaw] += [0, -0.02, -0.005]
    shape = fit_base_shape(position_map(rotation, shape=head))
    assert pose_error(shape, rotation) < 1.5
    chin = shape.points[104, 64] - straight.points[104, 64]
    assert chin[2] < -0.012  # and the mouth is still open


def test_an_open_mouth_leaves_the_upper_lip_where_it_was():
    closed = position_map()
    rows, columns = np.indices(closed.shape[:2])
    dropped = 20 * np.exp(-(((columns - 63.5) / 9) ** 2)) * (rows > 85)
    opened = closed + dropped[..., None].astype(np.float32) * np.float32([0, 1, 0])
    change = fit_base_shape(opened).position_map() - fit_base_shape(closed).position_map()
    drop = sample(change, template().landmarks)[:, 1]
    assert drop[61:64].max() < 5 and abs(drop[51]) < 3, drop[48:]
    assert drop[57] > 12, drop[48:]


def test_noise_is_taken_off():
    clean = position_map(turned(15, 0, 0))
    noisy = clean + np.random.default_rng(2).normal(0, 1.5, clean.shape).astype(np.float32)
    mask = template().mask
    before = np.linalg.norm((noisy - clean)[mask], axis=1).mean()
    after = np.linalg.norm((fit_base_shape(noisy).position_map() - clean)[mask], axis=1).mean()
    assert after < before / 3


def test_holes_of_the_layout_are_closed():
    # The template has texels between the lips that lie on the back of the head.
    points = fit_base_shape(position_map()).points
    mask = face_texels()
    for axis in (0, 1):
        steps = np.linalg.norm(np.diff(points, axis=axis), axis=2)
        inside = mask[1:] & mask[:-1] if axis == 0 else mask[:, 1:] & mask[:, :-1]
        assert steps[inside].max() < 0.012


def test_eyes_are_an_interpupillary_distance_apart_whatever_the_scale():
    for scale in (300.0, 2500.0):
        points = fit_base_shape(position_map(turned(25, 0, 0), scale)).points
        at = np.round(template().landmarks).astype(int)
        eyes = [points[at[part, 0], at[part, 1]].mean(0) for part in (slice(36, 42), slice(42, 48))]
        assert np.linalg.norm(eyes[1] - eyes[0]) == pytest.approx(0.063, abs=0.001)
        assert eyes[1][0] > eyes[0][0]  # landmarks 42-47 are on the viewer's right


def test_the_camera_takes_the_mesh_back_to_the_crop():
    rotation = turned(-30, 12, -8)
    wanted = position_map(rotation)
    shape = fit_base_shape(wanted)
    mesh = build_mesh(shape, 128)
    camera = mesh.vertices @ shape.rotation.T * shape.scale
    pixels = np.stack([shape.center[0] + camera[:, 0], shape.center[1] - camera[:, 1]], 1)
    column = mesh.uvs[:, 0] * 128 - 0.5
    row = (1 - mesh.uvs[:, 1]) * 128 - 0.5
    on_grid = (np.abs(column - np.round(column)) < 1e-3) & (np.abs(row - np.round(row)) < 1e-3)
    texel = np.round(row[on_grid]).astype(int), np.round(column[on_grid]).astype(int)
    assert on_grid.mean() > 0.9
    clean = shape.position_map()[texel][:, :2]
    assert np.linalg.norm(pixels[on_grid] - clean, axis=1).max() < 0.5
    # Only where the surface is meant to span the nostrils and the mouth does it leave the network's map.
    left_alone = _fold_weights()[texel] < 0.01
    assert left_alone.mean() > 0.95
    assert np.linalg.norm(pixels[on_grid] - wanted[texel][:, :2], axis=1)[left_alone].max() < 0.5


@pytest.mark.parametrize("grid", [64, 100, 128, 256])
def test_the_mesh_is_sound(grid):
    mesh = build_mesh(fit_base_shape(position_map(turned(20, 0, 0))), grid)
    v, q = mesh.vertices, mesh.quads
    assert v.dtype == mesh.uvs.dtype == mesh.region_weights.dtype == np.float32 and q.dtype == np.int32
    assert len(mesh.uvs) == len(v) and set(np.unique(q)) == set(range(len(v)))
    assert mesh.uvs.min() >= 0 and mesh.uvs.max() <= 1
    # Counter-clockwise from outside: normals point away from the head's center, -Y in front.
    normals = np.cross(v[q[:, 2]] - v[q[:, 0]], v[q[:, 3]] - v[q[:, 1]])
    outward = (normals * v[q].mean(1)).sum(1) > 0
    assert outward.mean() > 0.97
    nose = q[np.argmin(v[q].mean(1)[:, 1])]
    assert np.cross(v[nose[2]] - v[nose[0]], v[nose[3]] - v[nose[1]])[1] < 0
    # In the texture no quad is turned over or empty.
    uv = mesh.uvs[q].astype(np.float64)
    a, b = uv[:, 2] - uv[:, 0], uv[:, 3] - uv[:, 1]
    assert (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] > 0.05 / grid**2).all()
    # One piece without holes: Euler's number of a disc.
    edges = np.unique(np.sort(np.concatenate([q[:, [i, (i + 1) % 4]] for i in range(4)]), 1), axis=0)
    assert len(v) - len(edges) + len(q) == 1


def test_the_outline_has_no_stairs():
    mesh = build_mesh(fit_base_shape(position_map()), 128)
    edges = np.concatenate([mesh.quads[:, [i, (i + 1) % 4]] for i in range(4)])
    key, count = np.unique(np.sort(edges, 1), axis=0, return_counts=True)
    rim = key[count == 1]
    directions = mesh.uvs[rim[:, 1]] - mesh.uvs[rim[:, 0]]
    at = {}
    for (a, b), d in zip(rim, directions, strict=True):
        at.setdefault(a, []).append(d)
        at.setdefault(b, []).append(-d)
    corners = [angle_between(-d[0], d[1]) for d in at.values() if len(d) == 2]
    assert np.mean(np.array(corners) > 60) < 0.03  # stairs have 90 degrees at every second vertex


def test_upright_and_facing_forward():
    mesh = build_mesh(fit_base_shape(position_map(turned(50, -20, 25))), 64)
    weights = dict(zip(mesh.regions, mesh.region_weights, strict=True))
    middle = {name: np.average(mesh.vertices, axis=0, weights=w) for name, w in weights.items()}
    assert middle["forehead"][2] > middle["eyes"][2] > middle["nose"][2] > middle["lips"][2] > middle["jaw"][2]
    assert middle["nose"][1] < middle["cheeks"][1] - 0.03
    assert abs(middle["nose"][0]) < 0.002
    assert all(w.min() >= 0 and w.max() <= 1 and w.max() > 0.9 for w in weights.values())


@pytest.mark.parametrize("broken", [np.full((128, 128, 3), np.nan), np.zeros((128, 128, 3))])
def test_what_is_no_face_is_an_error(broken):
    with pytest.raises(ShapeError) as caught:
        fit_base_shape(broken.astype(np.float32))
    assert caught.value.hint


def test_projection_shows_normals_and_texels_of_a_ball():
    # A half ball in place of the head: every normal is known.
    row, column = np.indices((128, 128))
    x, y = (column - 63.5) / 64, (63.5 - row) / 64
    radius = np.hypot(x, y)
    tilt = np.minimum(radius, 1.2) * np.pi / 2
    ball = np.stack(
        [x / np.maximum(radius, 1e-9) * np.sin(tilt), y / np.maximum(radius, 1e-9) * np.sin(tilt), np.cos(tilt)], -1
    )
    pixels = (ball * [90, -90, 90] + [130, 120, 0]).astype(np.float32)
    drawn = project(pixels, 256)
    py, px = np.nonzero(drawn.mask)
    nx, ny = (px - 130) / 90, (120 - py) / 90
    inside = np.hypot(nx, ny) < 0.9
    truth = np.stack([nx, ny, np.sqrt(np.clip(1 - nx**2 - ny**2, 0, 1))], 1)
    assert angle_between(drawn.normal[py, px][inside], truth[inside]).max() < 1.5
    assert np.abs(drawn.depth[py, px] - truth[:, 2] * 90)[inside].max() < 0.5
    u, v = drawn.uv[py, px].T
    back = pixels[
        np.clip(np.round((1 - v) * 128 - 0.5), 0, 127).astype(int), np.clip(np.round(u * 128 - 0.5), 0, 127).astype(int)
    ]
    assert np.hypot(back[:, 0] - px, back[:, 1] - py)[inside].max() < 2.5
    # All of the disc but the rim that the surface leaves out, seen edge-on.
    assert drawn.mask.sum() == pytest.approx(np.pi * 90**2, rel=0.02)


def test_the_projection_hides_what_is_behind():
    drawn = project(position_map(turned(75, 0, 0)), 256)
    # The face looks to the viewer's right: the cheek on that side is hidden, no pixel shows its texels.
    u = drawn.uv[drawn.mask][:, 0]
    assert u.max() < 0.75 and u.min() < 0.1
    assert (drawn.normal[drawn.mask][:, 2] > 0).all()


def test_projection_at_twice_the_size_is_the_same_picture():
    small, large = (project(position_map(turned(20, 0, 0)), size) for size in (256, 512))
    both = small.mask & large.mask[::2, ::2]
    assert both.sum() > 0.97 * small.mask.sum()
    assert np.median(angle_between(small.normal[both], large.normal[::2, ::2][both])) < 2


# merge


@pytest.fixture(scope="module")
def head():
    drawn = project(position_map(turned(15, 0, 0)), 256)
    return normalize(fill_gaps(drawn.normal, drawn.mask.astype(np.float32))).astype(np.float32), drawn.mask


def smoothed(head):
    normal, mask = head
    return normalize(blur(normal, 6.0, mask)).astype(np.float32), mask


def test_merging_a_normal_with_itself_keeps_its_shape_and_deepens_its_folds(head):
    smooth, mask = smoothed(head)
    folded = ripples(smooth)
    merged = merge_bands(folded, folded, mask)
    inner = blur(mask.astype(np.float32), 8) > 0.99
    assert angle_between(merge_bands(smooth, smooth, mask), smooth)[inner].mean() < 0.2
    deeper = angle_between(merged, smooth)[inner].mean() / angle_between(folded, smooth)[inner].mean()
    assert 1.1 < deeper < 1.5


def test_the_shape_comes_from_the_coarse_and_the_relief_from_the_fine(head):
    coarse, mask = head
    # The fine network's usual fault: the low band leans toward a light.
    leaning = normalize(coarse + np.array([0.5, 0.1, 0])).astype(np.float32)
    fine = ripples(leaning)
    merged = merge_bands(coarse, fine, mask)
    inner = blur(mask.astype(np.float32), 8) > 0.99
    low = [normalize(blur(n, 10.0, mask)) for n in (merged, coarse, fine)]
    assert angle_between(low[0], low[1])[inner].mean() < 1.0 < 10 < angle_between(low[2], low[1])[inner].mean()
    wanted = ripples(coarse)
    assert angle_between(merged, wanted)[inner].mean() < 0.35 * angle_between(coarse, wanted)[inner].mean()
    assert np.allclose(np.linalg.norm(merged, axis=2), 1, atol=1e-4)


def test_weak_relief_fades_out_and_strong_relief_stays(head):
    """What is found on smooth skin is mostly noise."""
    coarse, mask = smoothed(head)
    inner = blur(mask.astype(np.float32), 8) > 0.99
    kept = []
    for strength in (0.005, 0.25):
        fine = ripples(coarse, strength)
        merged = merge_bands(coarse, fine, mask)
        kept.append(angle_between(merged, coarse)[inner].mean() / angle_between(fine, coarse)[inner].mean())
    assert kept[0] < 0.65 * kept[1] and 0.8 < kept[1] < 1.3


def test_beside_the_face_the_merged_normal_is_the_coarse_one(head):
    coarse, mask = head
    merged = merge_bands(coarse, ripples(coarse), mask)
    assert np.allclose(merged[~mask], coarse[~mask], atol=1e-5)
    nothing = merge_bands(coarse, ripples(coarse), np.zeros_like(mask))
    assert np.allclose(nothing, coarse, atol=1e-5)


def test_merging_is_equivariant_to_turning_both(head):
    coarse, mask = head
    fine = ripples(coarse)
    rotation = turned(0, 0, 40).astype(np.float32)
    one, other = merge_bands(coarse, fine, mask) @ rotation.T, merge_bands(coarse @ rotation.T, fine @ rotation.T, mask)
    assert angle_between(one, other).max() < 0.2


# resampling


def test_resampling_is_exact_on_a_plane_and_keeps_texels():
    row, column = np.indices((32, 32)).astype(np.float32)
    grid = np.stack([2 * column + row, column * 0 + 5, row], -1)
    large = resample(grid, 80)
    at = (np.arange(80) + 0.5) * 32 / 80 - 0.5
    assert np.allclose(large[..., 0], 2 * at[None, :] + at[:, None], atol=1e-4)  # beyond the outermost centers too
    assert np.allclose(resample(grid, 80, derivative="column")[..., 0], 2, atol=1e-4)
    noise = np.random.default_rng(0).normal(size=(32, 32, 3)).astype(np.float32)
    assert np.allclose(resample(noise, 32), noise, atol=1e-6)
    assert np.allclose(resample(noise, 96)[1::3, 1::3], noise, atol=1e-5)
    assert np.allclose(resample(noise, 96, slice(40, 50)), resample(noise, 96)[40:50], atol=1e-6)


def test_filling_keeps_what_is_known_and_continues_it():
    values = np.full((64, 64, 2), 3.0, np.float32)
    values[:, :32] = 1.0
    weight = np.ones((64, 64), np.float32)
    weight[20:44, 40:60] = 0
    values[weight == 0] = 1e6
    done = fill_gaps(values, weight)
    assert np.allclose(done[weight == 1], values[weight == 1])
    assert np.abs(done[weight == 0] - 3).max() < 1


def test_turning_takes_start_to_end_and_keeps_angles():
    rng = np.random.default_rng(3)
    start, end, other = (normalize(rng.normal(size=(50, 3))) for _ in range(3))
    assert np.allclose(rotate_between(start, start, end), end, atol=1e-6)
    assert np.allclose((rotate_between(other, start, end) * end).sum(1), (other * start).sum(1), atol=1e-6)
    assert np.allclose(rotate_between(np.cross(start, end), start, end), np.cross(start, end), atol=1e-6)


def test_enlarging_gives_unit_normals(head):
    assert np.allclose(np.linalg.norm(resize_normals(head[0], 384), axis=2), 1, atol=1e-4)
    assert angle_between(resize_normals(resize_normals(head[0], 512), 256), head[0]).mean() < 1
