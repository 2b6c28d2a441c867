# SPDX-License-Identifier: GPL-3.0-or-later
"""From the engine's arrays to Blender's shading, on a face whose normals are known by formula."""

import numpy as np
import pytest

import fake_face
from blender_process import needs_blender, run_case
from hffne_blender.numeric import raster

# The analytic face comes back within this; what remains is the mesh's and the texture's sampling.
EXACT = 0.25


@needs_blender
def test_the_object_is_what_an_artist_expects():
    found = run_case("object", script="scene_cases.py")
    assert found["corners"] == [4]
    assert found["smooth"] and found["outward"]
    # Meters, a head's width and height, looking along -Y.
    assert 0.13 < found["size"][0] < 0.16 and 0.16 < found["size"][2] < 0.22
    assert found["forward"] == pytest.approx(-0.095, abs=0.001)
    assert found["normal_map"] == ["TANGENT", found["uv"]]
    assert found["groups"] == ["forehead", "jaw"] and found["forehead"]
    # Another numpy, that of this Blender, may round the fake's rotation otherwise.
    camera = fake_face.answer()[0]["camera"]
    assert np.allclose(found["camera"].pop("rotation"), camera.pop("rotation"), atol=1e-12)
    assert found["camera"] == camera | {"photo": 0}
    assert found["images"] == {
        "fake_texture_normal": [512, True, "Non-Color", True],
        "fake_texture_color": [512, False, "sRGB", True],
    }
    assert found["users"] == [1, 1]
    # What the Solid viewport shows as the texture.
    assert found["active"] == "Color"


@needs_blender
@pytest.mark.parametrize("which", ["round_trip", "round_trip_of_a_moved_object"])
def test_cycles_shades_with_the_normals_that_were_sent(which):
    found = run_case(which, script="scene_cases.py")
    assert found["mean"] < EXACT and found["p95"] < 4 * EXACT
    assert found["seen"] > 0.95


@pytest.mark.once
@needs_blender
def test_a_coarse_mesh_keeps_the_detail():
    # A texel then moves a little over the surface, so that wrinkles shift with it.
    assert run_case("round_trip_of_a_coarse_mesh", script="scene_cases.py")["mean"] < 1


@needs_blender
def test_the_file_keeps_it_all(tmp_path):
    assert run_case("round_trip_after_saving", tmp_path / "face.blend", script="scene_cases.py")["mean"] < EXACT


@pytest.mark.once
@needs_blender
def test_the_round_trip_sees_the_classic_mistakes():
    for mistake, mean in run_case("round_trip_sees_mistakes", script="scene_cases.py").items():
        assert mean > 3, mistake


@pytest.mark.once
@needs_blender
def test_both_cameras_of_the_photo_project_as_the_engine_did():
    worst = run_case("photo_camera", script="scene_cases.py")
    assert worst["CROP"] < 0.01 and worst["PHOTO"] < 0.02


@pytest.mark.once
@needs_blender
def test_a_wrong_answer_is_refused_and_leaves_nothing():
    found = run_case("bad_assets", script="scene_cases.py")
    assert found["left"]
    for name, said in found["said"].items():
        assert said, name


@pytest.mark.once
@needs_blender
def test_a_face_is_built_in_short_slices_that_leave_nothing_between_them():
    found = run_case("slices", script="scene_cases.py")
    assert found["cancelled"] == [[True, True, True]] * 3
    assert found["whole"] == [True, "fake", 1]
    assert found["unlike at once"] < 1.5 / 65535
    # The longest slice beside the whole work done at once (seconds are `hffne bench --blender`'s).
    assert found["longest"] < 0.1


@pytest.mark.once
@needs_blender
def test_png_files_hold_exactly_what_went_in(tmp_path):
    for name, worst in run_case("png", tmp_path / "image.png", script="scene_cases.py").items():
        assert worst < 0.01, name


@pytest.mark.once
@needs_blender
def test_islands_have_a_margin():
    found = run_case("margin", script="scene_cases.py")
    assert found["unit"] < 1e-5
    assert found["near is flat"] == 0
    assert found["far is flat"] == 1


def test_every_texel_of_a_square_is_covered_once():
    for size in (1, 7, 64, 200):
        square = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], float)
        texels, owners, weights = raster.cover(square, size)
        assert np.array_equal(texels, np.arange(size * size))
        corners = square[owners]
        uv = np.einsum("kc,kcx->kx", weights, corners)
        row, col = np.divmod(texels, size)
        assert np.allclose(uv, np.stack([(col + 0.5) / size, 1 - (row + 0.5) / size], -1), atol=1e-6)


def test_triangles_without_area_are_left_out():
    triangles = np.array([[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]], [[0.2, 0.2], [0.2, 0.2], [0.2, 0.2]]], float)
    texels, owners, weights = raster.cover(triangles, 32)
    assert len(texels) == 0 and len(owners) == 0 and weights.shape == (0, 3)


def test_uvs_beyond_the_first_tile_fall_back_into_it():
    """As a texture repeats there: on another tile, far away, and over an edge and a corner of tiles."""
    square = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]]) * 0.6 + 0.1
    whole = raster.cover(square, 64)
    for found, wanted in zip(raster.cover(square + [1, 0], 64), whole, strict=True):
        assert np.allclose(found, wanted)
    for offset in ([-3, 7], [0.55, 0], [0, -0.3], [0.65, 0.75]):
        texels, owners, weights = raster.cover(square + offset, 64)
        uv = np.einsum("kc,kcx->kx", weights, (square + offset)[owners])
        row, col = np.divmod(texels, 64)
        off = uv - np.stack([(col + 0.5) / 64, 1 - (row + 0.5) / 64], -1)
        assert np.allclose(off, np.round(off), atol=1e-6)
        assert abs(len(texels) - 0.36 * 64 * 64) < 80
    assert not len(raster.cover(np.full((1, 3, 2), np.nan), 32)[0])
