# SPDX-License-Identifier: GPL-3.0-or-later
"""Pins that correct the fit: the field that they ask for, and all of it in Blender with the real engine."""

import numpy as np
import pytest
from PIL import Image

from blender_process import ENGINE, needs_blender, needs_engine, run_case
from hffne_blender.numeric import surface_pick
from hffne_blender.numeric.pin_fit import Pull, solve

FRONT = np.array([[1.0, 0, 0], [0, 0, 1.0]])
SIDE = np.array([[0, 1.0, 0], [0, 0, 1.0]])


def pull(point, move, axes=FRONT, mirrored=False):
    return Pull(np.array(point, float), axes, np.array(move, float), mirrored)


def test_a_pin_moves_its_point_across_the_line_of_sight_and_nothing_far_away():
    field = solve([pull((0.03, -0.1, 0.02), (0.004, -0.002))])
    np.testing.assert_allclose(field.at(np.array([0.03, -0.1, 0.02])), (0.004, 0, -0.002), atol=1e-5)
    near, far = field.at(np.array([[0.05, -0.1, 0.02], [0.03, 0.1, 0.02]]))
    assert 0.001 < near[0] < 0.0035 and np.abs(far).max() < 1e-5


def test_pins_hold_their_points_beside_one_another():
    points = np.random.default_rng(4).uniform(-0.06, 0.06, (30, 3))
    moves = np.random.default_rng(5).normal(0, 0.002, (30, 2))
    field = solve([pull(point, move) for point, move in zip(points, moves, strict=True)])
    moved = field.at(points) @ FRONT.T
    assert np.abs(moved - moves).max() < 2e-4


def test_a_second_photo_gives_the_depth():
    point = (0.01, -0.1, 0.0)
    field = solve([pull(point, (0.002, 0.001)), pull(point, (-0.003, 0.001), SIDE)])
    np.testing.assert_allclose(field.at(np.array(point)), (0.002, -0.003, 0.001), atol=1e-5)


def test_a_mirrored_pin_moves_the_other_side_and_one_in_the_middle_is_its_own_mirror_image():
    field = solve([pull((0.03, -0.1, 0), (0.004, 0.001), mirrored=True)])
    left, right = field.at(np.array([[0.03, -0.1, 0], [-0.03, -0.1, 0]]))
    np.testing.assert_allclose(left * (-1, 1, 1), right, atol=1e-7)
    assert abs(left[0] - 0.004) < 1e-5
    middle = solve([pull((0.001, -0.1, 0), (0.004, 0), mirrored=True)])
    assert len(middle.centers) == 1 and abs(middle.at(np.array([0.001, -0.1, 0]))[0] - 0.004) < 1e-5


def test_pins_at_one_place_that_contradict_each_other_meet_in_the_middle():
    field = solve([pull((0, 0, 0), (0.004, 0)), pull((0, 0, 0), (0.002, 0))])
    assert abs(field.at(np.zeros(3))[0] - 0.003) < 1e-5
    assert np.isfinite(field.weights).all() and len(solve([]).centers) == 0


def test_the_point_under_the_mouse_is_the_nearest_one_that_faces_the_viewer():
    # Two squares behind one another, and one turned away in front of them.
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    seen = np.concatenate([np.column_stack([square, np.full(4, z)]) for z in (0.0, 1.0, 2.0)])
    front = np.array([[0, 1, 2], [0, 2, 3]])
    triangles = np.concatenate([front, front + 4, front[:, ::-1] + 8])
    vertices, weights = surface_pick.pick(seen, triangles, np.array([0.75, 0.5]), 0.1)
    np.testing.assert_allclose(weights @ seen[vertices], (0.75, 0.5, 1.0), atol=1e-12)
    vertices, weights = surface_pick.pick(seen, triangles, np.array([1.04, -0.02]), 0.1)
    np.testing.assert_allclose((weights @ seen[vertices])[:2], (1, 0))
    assert surface_pick.pick(seen, triangles, np.array([1.5, 0]), 0.1) is None
    edges = {tuple(edge) for edge in surface_pick.outline(seen[:4], front, surface_pick.Edges.of(front))}
    assert edges == {(0, 1), (1, 2), (2, 3), (0, 3)}
    # A roof: one side faces the viewer, and the ridge is the outline.
    roof = np.array([[0, 0, 0], [1, 0, 0], [0.5, 1, 1], [0.6, 0.5, -1]])
    sides = np.array([[0, 1, 2], [1, 0, 3]])
    found = surface_pick.outline(roof, sides, surface_pick.Edges.of(sides)).tolist()
    assert [0, 1] in found and [0, 2] in found and [1, 2] in found


@pytest.mark.once
@needs_blender
@needs_engine
def test_pins_correct_a_face_and_its_maps(astronaut_file, tmp_path):
    # A head; a mask is pinned over several photos below.
    found = run_case("correct", astronaut_file, ENGINE, "HEAD", tmp_path, script="pin_cases.py", timeout=600)
    assert found["head"] and found["engines"] and found["state"] == ["FINISHED"]
    count, projected, miss = found["pins"]
    assert (count, projected) == (1, True) and miss < 0.5
    assert found["maps"]["color"] > 0.1 and found["maps"]["normal"] > 0.02
    # No image, mesh or material more than before, with their names, and the sliders as they were.
    assert found["blocks"] and found["strength"] == pytest.approx(0.5)
    assert [name.removeprefix("astronaut_texture_") for name in found["names"]] == [
        "albedo", "color", "height", "normal",
    ]  # fmt: skip
    assert found["second"][0] == 2 and found["second"][1] < 0.5
    most, least, _ = found["mirrored"]
    assert most > 0.0008 and least < -0.0008 and abs(most + least) < 0.0006
    assert found["undone"] == [1, 0] and found["undone maps"] == 0 and found["redone"] == [2, 0]
    assert found["reloaded"][0] == 2 and found["reloaded"][1] < 0.5 and found["reloaded"][2]
    assert found["found"] == 0
    assert found["removed"][0] == 1 and found["removed"][1] < 1e-6
    assert found["reset"][0] == 0 and found["reset"][1] < 1e-6 and found["reset maps"] < 1e-6


@pytest.mark.once
@needs_blender
@needs_engine
def test_pins_keep_what_was_sculpted_and_what_the_engine_failed_to_project(astronaut_file):
    found = run_case("sculpted", astronaut_file, ENGINE, "HEAD", script="pin_cases.py", timeout=600)
    assert found["tip"] == pytest.approx(-0.02, abs=0.002) and found["pin"] < 0.5
    assert "engine" in found["error"].lower()
    assert found["kept"][0] == 2 and found["kept"][1] < 0.5 and not found["kept"][2]
    assert found["state"] == ["FINISHED"] and found["projected"]
    assert "no point of the face" in found["beside"] and found["damaged"] == []


@pytest.mark.once
@needs_blender
@needs_engine
def test_a_face_of_several_photos_is_pinned_over_each_of_them(astronaut, astronaut_file, tmp_path):
    # One side of the face lies beside this photo.
    cut = tmp_path / "cut.png"
    Image.fromarray(astronaut[:, 205:]).save(cut)
    found = run_case("merged", astronaut_file, cut, ENGINE, script="pin_cases.py", timeout=600)
    assert found["photo"] == 1 and found["cameras"] == [0, 1] and found["state"] == ["FINISHED"]
    assert found["pins"] == [1, 0] and found["miss"] < 0.5 and found["after"] < 0.5
    # One camera looks over both photos, in whose pixels the face is 205 apart.
    first, second, same = found["views"]
    assert same and first < second and abs(found["apart"] - 205) < 6
    assert not found["before"] and found["maps"] and "no photo 3" in found["error"]


@pytest.mark.once
@needs_blender
@needs_engine
def test_the_photo_of_a_face_is_measured_in_its_pixels(astronaut_file):
    found = run_case("camera", astronaut_file, ENGINE, script="pin_cases.py")
    assert found["back"] < 1e-9
    (chin_x, chin_y), (eye_x, eye_y) = found["marks"]
    # Read off the photo: the chin, and the outer corner of the eye on the left of the picture.
    assert np.hypot(chin_x - 222, chin_y - 178) < 6 and np.hypot(eye_x - 192.5, eye_y - 101) < 6
