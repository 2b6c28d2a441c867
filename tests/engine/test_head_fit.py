# SPDX-License-Identifier: GPL-3.0-or-later
"""The fitted head: it follows the position map, its lids and lips touch and do not cut, its keys do what they are named
for."""

import numpy as np
import pytest

from arkit import ARKIT
from hffne.evaluation.head_contact import depths, signed_distances, winding_numbers
from hffne.geometry.base_shape import HEAD_TO_OBJECT, BaseShape, fit_base_shape
from hffne.head import eyes, fitted
from hffne.head.fit import fit_coefficients
from hffne.head.gaze import eye_facts, turn_eyes
from hffne.head.iris import Iris
from hffne.head.lips import lips, smooth_corners
from hffne.head.model import PARTS, head_model


def base_shape(seed: int, expression: dict[str, float] | None = None) -> tuple[BaseShape, np.ndarray]:
    """The base shape of a random person of the model, and the position map (U, U, 3) it is of, meters, head axes."""
    model, rng = head_model(), np.random.default_rng(seed)
    person = model.neutral + np.tensordot(rng.normal(0, 0.7, len(model.identity)), model.identity, 1)
    surface = model.at_texels(model.expressions.add(person, expression or {}))
    pixels = surface * [850, -850, 850] + [128, 128, 0]
    return fit_base_shape(pixels.astype(np.float32)), surface


@pytest.fixture(
    scope="module", params=[(1, {}), (2, {"jawOpen": 0.6}), (3, {"eyeBlinkLeft": 0.9, "mouthSmileLeft": 0.7})]
)
def head(request) -> fitted.FittedHead:
    return fitted.fit_head(base_shape(*request.param)[0])


def on_head_axes(points: np.ndarray) -> np.ndarray:
    return points @ HEAD_TO_OBJECT


def lip_gap(points: np.ndarray) -> float:
    """Between the middles of the inner lips (landmarks 62 and 66), in millimeters."""
    marks = head_model().at_landmarks(points)
    return float(np.linalg.norm(marks[62] - marks[66]) * 1000)


def lid_gap(points: np.ndarray, side: int) -> float:
    """The median distance of the upper lid's rim to the lower lid's surface where they meet, in millimeters."""
    blink, mesh = eyes.eyes()[side].blink, head_model().mesh
    below = mesh.triangles[np.isin(mesh.triangles, blink.around_second).all(1)]
    share = [(i / 6, j / 6, 1 - i / 6 - j / 6) for i in range(7) for j in range(7 - i)]
    surface = np.concatenate([np.einsum("tkx,k->tx", points[below], weights) for weights in share])
    distance = np.linalg.norm(points[blink.first][:, None] - surface[None], axis=2).min(1)
    return float(np.median(distance) * 1000)


def deepest_in_eye(points: np.ndarray) -> float:
    """How deep skin of the face lies in an eyeball, in millimeters."""
    deepest = 0.0
    for eye in eyes.eyes():
        skin = eye.around[eye.around < 9409]
        gap, _ = eyes.ball_surface(points, eye.ball).gaps(points[skin])
        deepest = max(deepest, -float(gap.min()))
    return deepest * 1000


def test_the_model_is_whole():
    model = head_model()
    assert len(model.neutral) == 26719
    assert sorted(model.expressions.names) == sorted(ARKIT)
    skin = model.mesh.uvs[model.mesh.quad_parts == 0]
    assert skin.min() >= 0 and skin.max() <= 1
    assert {PARTS[number] for number in np.unique(model.mesh.quad_parts)} == set(PARTS)


def test_no_chart_of_the_skin_is_flipped_or_lies_on_another():
    mesh = head_model().mesh
    uv = mesh.uvs[mesh.quad_parts == 0].astype(np.float64)
    x, y = uv[..., 0], uv[..., 1]
    area = 0.5 * sum(x[:, k] * y[:, (k + 1) % 4] - x[:, (k + 1) % 4] * y[:, k] for k in range(4))
    assert (area > 0).mean() > 0.995
    import cv2

    size = 1024
    count = np.zeros((size, size), np.uint8)
    for quad in uv:
        layer = np.zeros((2 + int(np.ptp(quad[:, 1]) * size) + 2, 2 + int(np.ptp(quad[:, 0]) * size) + 2), np.uint8)
        corner = np.floor(quad.min(0) * size).astype(int)
        cv2.fillConvexPoly(layer, np.round((quad * size - corner) * 16).astype(np.int32), (1,), shift=4)
        part = count[corner[1] : corner[1] + len(layer), corner[0] : corner[0] + layer.shape[1]]
        part += layer[: part.shape[0], : part.shape[1]]
    # Neighbors share the pixels of their common edge; charts on one another would cover areas many times over.
    assert (count >= 1).mean() > 0.5
    assert (cv2.erode((count >= 2).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0).mean() < 0.01


def test_the_fit_finds_a_person_of_the_model():
    for seed, expression in ((5, {}), (6, {"jawOpen": 0.5, "browInnerUp": 0.8})):
        shape, _ = base_shape(seed, expression)
        model = head_model()
        head = fitted.fit_head(shape)
        known = model.texel_mask
        error = np.linalg.norm(model.at_texels(head.posed) - shape.points, axis=2)[known] * 1000
        assert error.mean() < 0.5 and np.percentile(error, 95) < 1.2
        found = fit_coefficients(shape).expression
        for name, weight in expression.items():
            assert found.get(name, 0) == pytest.approx(weight, abs=0.25)


def test_a_mirrored_face_gives_the_mirrored_head():
    model = head_model()
    shape, _ = base_shape(8, {"mouthSmileLeft": 0.6})
    from dataclasses import replace

    flip = np.array([-1, 1, 1], np.float32)
    other = replace(shape, points=shape.points[:, ::-1] * flip)
    one, two = fitted.fit_head(shape).posed, fitted.fit_head(other).posed
    skin = model.part_vertices["Skin"]
    difference = np.linalg.norm(one[model.mirror][skin] * flip - two[skin], axis=1) * 1000
    assert np.percentile(difference, 99) < 1.0


def test_lips_of_the_neutral_meet(head):
    contact = lips()
    gap = np.linalg.norm(head.neutral[contact.first] - head.neutral[contact.second], axis=1) * 1000
    assert np.median(gap) < 1.5 and np.percentile(gap, 90) < 2.5


def test_lips_meet_where_the_photo_shows_a_closed_mouth():
    shape = base_shape(2, {"jawOpen": 0.2})[0]
    parted, met = (fitted.fit_head(shape, mouth_closed=closed) for closed in (False, True))
    gaps = [lip_gap(head.posed) - lip_gap(head.neutral) for head in (parted, met)]
    assert gaps[0] > 0.5 and gaps[1] < 0.3
    # The visible face is the same, away from the mouth.
    far = np.linalg.norm(met.posed - head_model().at_landmarks(met.posed)[62], axis=1) > 0.05
    assert np.abs(met.posed - parted.posed)[far].max() < 1e-3


def test_lids_rest_on_the_eyes_and_do_not_cut_them(head):
    for points in (head.neutral, head.posed):
        points = on_head_axes(points)
        assert deepest_in_eye(points) < 0.3
    neutral = on_head_axes(head.neutral)
    for eye in eyes.eyes():
        gap, _ = eyes.ball_surface(neutral, eye.ball).gaps(neutral[eye.lids])
        assert np.median(gap) * 1000 < 1.0


def test_jaw_open_parts_the_lips_and_takes_the_lower_teeth(head):
    model = head_model()
    opened = head.keys.add(head.neutral, {"jawOpen": 1.0})
    assert lip_gap(opened) > lip_gap(head.neutral) + 15
    teeth = model.part_vertices["Teeth"]
    low = teeth[model.neutral[teeth, 1] < np.quantile(model.neutral[teeth, 1], 0.3)]
    assert np.linalg.norm((opened - head.neutral)[low], axis=1).min() > 0.01


def test_blinking_closes_the_lids_without_cutting_the_eye(head):
    for side, name in enumerate(("eyeBlinkLeft", "eyeBlinkRight")):
        shut = on_head_axes(head.keys.add(head.neutral, {name: 1.0}))
        assert lid_gap(on_head_axes(head.neutral), side) > 3
        assert lid_gap(shut, side) < 0.5
        assert deepest_in_eye(shut) < 0.5


def test_smiling_widens_the_mouth(head):
    model = head_model()

    def width(points: np.ndarray) -> float:
        marks = model.at_landmarks(points)
        return float(np.linalg.norm(marks[54] - marks[48]))

    smiling = head.keys.add(head.neutral, {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0})
    assert width(smiling) > width(head.neutral) + 0.004


def test_every_key_moves_its_own_part_in_its_sense(head):
    """By the landmarks: where each key moves them, on object axes (x to the person's left, z up)."""
    marks = head_model().at_landmarks

    def moved(name: str) -> np.ndarray:
        return (marks(head.keys.add(head.neutral, {name: 1.0})) - marks(head.neutral)) * 1000

    assert moved("browInnerUp")[[21, 22], 2].min() > 1
    assert moved("browDownLeft")[[22, 23], 2].max() < -0.5
    assert moved("browOuterUpRight")[[17, 18], 2].min() > 0.5
    assert moved("jawLeft")[8, 0] > 2 > -2 > moved("jawRight")[8, 0]
    assert moved("jawForward")[8, 1] < -1
    assert moved("mouthLeft")[51, 0] > 1 > -1 > moved("mouthRight")[51, 0]
    assert moved("mouthPucker")[[48], 0].min() > 1
    assert moved("mouthFrownLeft")[54, 2] < -1
    assert moved("mouthSmileLeft")[54, 2] > 1
    assert moved("noseSneerLeft")[35, 2] > 0.3
    assert moved("eyeWideLeft")[[43, 44], 2].min() > 0.5
    assert moved("mouthUpperUpLeft")[52, 2] > 0.5
    assert moved("mouthLowerDownRight")[58, 2] < -0.5


def test_looking_aside_turns_the_eyes_and_not_the_face(head):
    """Object axes: x to the person's left, -y ahead, z up."""
    for side, outward in zip(eyes.SIDES, (1, -1), strict=True):
        eye = eyes.eyes()[eyes.SIDES.index(side)]
        iris = head_model().part_vertices[f"Iris {side}"]
        front = iris[head_model().neutral[iris, 2] > np.quantile(head_model().neutral[iris, 2], 0.8)]
        for direction, axis, sign in (("In", 0, -outward), ("Out", 0, outward), ("Up", 2, 1), ("Down", 2, -1)):
            moved = head.keys.dense(f"eyeLook{direction}{side}", len(head.neutral))
            assert sign * moved[front, axis].mean() > 0.003, (side, direction)
            # The ball stays in its place.
            assert np.linalg.norm(moved[eye.ball].mean(0)) < 1e-4
            assert deepest_in_eye(on_head_axes(head.neutral + moved)) < 0.5


def test_one_mistaken_iris_does_not_turn_both_eyes():
    head = fitted.fit_head(base_shape(1)[0])
    to_camera = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])

    def yaw(left: float, right: float) -> list[float]:
        """Degrees to the person's left, with irises so many meters beside the slits' middles."""
        places = {"Left": left, "Right": right}
        irises = {side: Iris(np.array([x, 0.001]), np.full(3, 0.3), 0.4) for side, x in places.items()}
        points = head.posed.copy()
        turn_eyes(points, irises, to_camera)
        return [float(np.degrees(np.arctan2(f.gaze[0], -f.gaze[1]))) for f in eye_facts(points, irises).values()]

    assert np.abs(yaw(0.0, 0.006)).max() < 15  # a frame of glasses beside the right iris
    assert np.min(yaw(0.0055, 0.006)) > 18 and np.max(yaw(-0.006, -0.0055)) < -18  # both look aside


def test_people_who_look_into_the_camera_do_not_look_up():
    """Their irises just touch the lower lids, 1.4 mm above the middle of the lids' landmarks (47 eyes: 1.42)."""
    irises = {side: Iris(np.array([0.0, 0.0014]), np.full(3, 0.3), 0.4) for side in eyes.SIDES}
    to_camera = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
    pitch = []
    for seed in (1, 2):
        points = fitted.fit_head(base_shape(seed)[0]).posed
        turn_eyes(points, irises, to_camera)
        pitch += [np.degrees(np.arctan2(f.gaze[2], -f.gaze[1])) for f in eye_facts(points, irises).values()]
    assert abs(np.mean(pitch)) < 2.5


def test_mirrored_keys_mirror():
    model = head_model()
    head = fitted.fit_head(base_shape(11)[0])
    symmetric = (head.neutral + head.neutral[model.mirror] * [-1, 1, 1]) / 2
    count = len(symmetric)
    for name in head.keys.names:
        if not name.endswith("Left"):
            continue
        left = head.keys.dense(name, count)
        right = head.keys.dense(name.removesuffix("Left") + "Right", count)
        skin = model.part_vertices["Skin"]
        difference = np.linalg.norm(left[model.mirror][skin] * [-1, 1, 1] - right[skin], axis=1)
        assert np.percentile(difference, 99) * 1000 < 1.0, name


def test_the_photo_expression_is_made_of_the_keys(head):
    again = head.keys.add(head.neutral, head.expression)
    skin = head_model().part_vertices["Skin"]
    difference = np.linalg.norm(again - head.posed, axis=1)[skin] * 1000
    assert np.percentile(difference, 95) < 0.5


def test_lips_do_not_cross_at_a_key(head):
    contact = lips()
    for name in ("mouthShrugLower", "mouthPressLeft", "mouthPressRight", "mouthPucker", "cheekPuff", "mouthRollLower"):
        points = on_head_axes(head.keys.add(head.neutral, {name: 1.0}))
        between = ((points[contact.first] - points[contact.second]) * contact.direction).sum(1)
        assert between.min() * 1000 > -1.0, name


def test_lips_meet_on_the_whole_width_of_the_mouth():
    model, contact = head_model(), lips()
    across = model.neutral[contact.first, 0]
    corners = model.at_landmarks(model.neutral)[[60, 64], 0]
    assert across.min() < 0.8 * corners[0] and across.max() > 0.8 * corners[1]
    # The upper lip is above the lower one, and no pair joins two places of one lip.
    assert contact.direction[np.abs(across) < 0.01, 1].min() > 0
    assert np.abs(model.neutral[contact.first, 1] - model.at_landmarks(model.neutral)[62, 1]).max() < 0.008


def test_nothing_passes_through_lips_and_teeth(head):
    for points in (head.neutral, head.posed):
        at_rest = depths(on_head_axes(points))
        assert max(at_rest.lids, at_rest.lips, at_rest.teeth) <= 0.3
    rolled = ("mouthRollLower", "mouthRollUpper", "mouthFunnel", "mouthPucker")
    for name in (*rolled, "cheekPuff", "mouthDimpleLeft", "jawLeft", "jawRight", "mouthSmileRight"):
        at_key = depths(on_head_axes(head.keys.add(head.neutral, {name: 1.0})))
        assert max(at_key.lids, at_key.lips, at_key.teeth) <= 1.0, name


def test_winding_numbers_count_how_often_a_surface_encloses_a_place():
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]  # seen from outside
    cube = np.array([t for a, b, c, d in sides for t in ((a, b, c), (a, c, d))])
    places = np.array([[0, 0, 0], [0.9, 0, 0], [3, 0, 0]])
    assert np.allclose(winding_numbers(places, corners, cube), [1, 1, 0], atol=1e-6)
    # Two that overlap.
    both, two = np.concatenate([corners, corners + [1.5, 0, 0]]), np.concatenate([cube, cube + 8])
    assert np.allclose(winding_numbers(places, both, two), [1, 2, 0], atol=1e-6)
    # Without a side: what is near the middle is more within than without.
    assert 0.5 < winding_numbers(places[:1], corners, cube[2:])[0] < 1


def test_rolled_lips_go_back_and_stay_smooth(head):
    """The red of a rolled lip goes behind its edge: back (y on object axes), and no edge of the mesh tears."""
    model, marks = head_model(), head_model().at_landmarks
    mesh = model.mesh
    near = np.linalg.norm(model.neutral - model.at_landmarks(model.neutral)[[62, 66]].mean(0), axis=1) < 0.03
    triangles = mesh.triangles[(mesh.triangle_parts == 0) & near[mesh.triangles].all(1)]
    for name, lip in (("mouthRollLower", [56, 57, 58]), ("mouthRollUpper", [50, 51, 52])):
        rolled = head.keys.add(head.neutral, {name: 1.0})
        assert (marks(rolled) - marks(head.neutral))[lip, 1].min() > 0.001, name
        change = rolled - head.neutral
        steps = np.linalg.norm(change[triangles] - change[np.roll(triangles, 1, 1)], axis=2)
        assert steps.max() < 0.003, name


def test_no_face_of_a_fitted_head_is_degenerate(head):
    mesh = head_model().mesh
    for points in (head.neutral, head.posed):
        corners = points[mesh.triangles[mesh.triangle_parts == 0]]
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
        assert np.isfinite(points).all()
        assert area.min() > 1e-12


def test_depths_are_distances_to_the_nearest_point_of_a_surface():
    """A cube of 2 mm, its faces outward; a pyramid's open base has no sides."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32) / 1000
    faces = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    cube = np.array([[face[0], face[k], face[k + 1]] for face in faces for k in (1, 2)])
    places = np.array([[0, 0, 0.7], [0, 0, 1.5], [2, 2, 1], [0.9, 0.2, 0]], np.float32) / 1000
    expected = [-0.3, 0.5, np.sqrt(2), -0.1]
    assert signed_distances(places, corners, cube) * 1000 == pytest.approx(expected, abs=1e-3)
    open_top = cube[(corners[cube][:, :, 2] < 0.0009).any(1)]
    assert signed_distances(np.array([[0, 0, 0.002]], np.float32), corners, open_top)[0] == 0


def test_corners_of_the_mouth_do_not_fold_over_themselves():
    """Where both lips are one surface; what lies farther from the corners than three millimeters stays."""
    model = head_model()
    posed = model.expressions.add(model.neutral, {"mouthFrownLeft": 1.5, "mouthFrownRight": 1.5})
    lips().uncross(posed)
    folded, before = depths(posed).lips, posed.copy()
    smooth_corners(posed, model.neutral)
    assert folded > 0.4 > 0.2 > depths(posed).lips
    moved = np.linalg.norm(posed - before, axis=1)
    assert moved.max() < 0.0012 and (moved > 0).sum() < 700
