# SPDX-License-Identifier: GPL-3.0-or-later
"""A head in Blender: neutral basis, shape keys, parts, files for other programs, and all that takes a face."""

import pytest

import fake_head
from blender_process import needs_blender, run_case
from hffne_blender.numeric import head_parts

KEYS = ["Photo Expression", *fake_head.KEYS]


def run(name, *arguments):
    return run_case(name, *arguments, script="head_cases.py")


def material(name, *arguments):
    return run_case(name, *arguments, script="head_material_cases.py")


def use(name, *arguments):
    return run_case(name, *arguments, script="head_use_cases.py", timeout=600)


@pytest.fixture(scope="module")
def built():
    """What the case says of a new head; do not change it."""
    return run("object")


@needs_blender
def test_the_basis_is_neutral_and_the_photos_expression_gives_the_photo_back(built):
    found = built
    assert list(found["keys"]) == ["Basis", *KEYS] and found["relative"]
    assert found["keys"]["Photo Expression"] == [1, 0, 1]
    assert all(found["keys"][name] == [0, 0, 1] for name in fake_head.KEYS)
    for which in ("posed", "shown", "neutral", "worst key"):
        assert found[which] < 1e-6, which


@needs_blender
def test_each_part_has_a_slot_and_a_group_and_only_the_skin_has_textures(built):
    found = built
    assert found["slots"] and found["members"] and found["smooth"]
    assert found["materials"] == ["fake", "fake Eye Left", "fake Eye Right", "fake Teeth"]
    assert found["corners"] == [3, 4] and found["uvs"] < 1e-6
    assert found["parts"] == list(fake_head.PARTS)
    assert found["groups"] == sorted([*fake_head.PARTS, "forehead", "jaw"])
    assert found["confidence"] == [1, 0]


@needs_blender
def test_cycles_shades_the_skin_with_the_normals_that_were_sent():
    found = run("round_trip")
    mean, worst, seen = found["photo"]
    assert mean < 0.25 and worst < 1 and seen > 0.9
    # The map was made for the photo's expression: on the neutral shape the picture is another one.
    assert found["neutral"][0] > 1


@pytest.mark.once
@needs_blender
def test_a_head_that_fails_half_way_leaves_nothing():
    found = run("failure")
    assert found["said"] and found["left"] and found["keys"] == 0


@needs_blender
def test_shape_keys_go_to_other_programs_and_back(tmp_path):
    found = run("files", tmp_path)
    for kind in ("gltf", "fbx"):
        back = found[kind]
        assert back["names"] == found["own"] == KEYS, kind
        assert back["values"] == {name: float(name == "Photo Expression") for name in KEYS}, kind
        assert back["off"] < 1e-6 and back["materials"] == len(fake_head.PARTS), kind


@needs_blender
def test_the_operators_of_a_face_take_a_head(tmp_path):
    found = use("operators", tmp_path)
    assert set(map(tuple, found["states"].values())) == {("FINISHED",)}
    assert found["displaced"] == ["SUBSURF", "CATMULL_CLARK", 1 + len(KEYS)] and found["modifiers"] == 0
    kinds = ("albedo", "color", "curvature", "height", "normal", "occlusion", "roughness", "seen")
    assert found["files"] == sorted([f"fake_{kind}" for kind in kinds] + ["fake_height"])


@pytest.mark.once
@needs_blender
def test_a_head_is_baked_onto_itself_as_a_mask_is():
    found = use("bake_own")
    for which in ("blender", "mask"):
        mean, worst = found[which]
        assert mean < 0.4 and worst < 1.5, which
    assert found["images"] == [] and found["nodes"] == [0] * len(fake_head.PARTS)


@pytest.mark.once
@needs_blender
def test_only_the_skin_is_baked_onto_another_mesh():
    found = use("bake_other")
    assert found["known"] > 0.1 and found["median"] < 0.5 and found["p90"] < 2
    assert found["left"] == 0 and found["selected"] == ["fake"]


@pytest.mark.once
@needs_blender
def test_the_detail_of_a_head_is_applied_to_another_mesh():
    found = use("apply")
    assert found["angle"]["mean"] < 1 and found["angle"]["p95"] < 3 and found["angle"]["share"] > 0.6, found
    skin, everything = found["vertices"]
    assert 0 < skin < everything and found["landmarks"] == pytest.approx(0.2, abs=0.1)


@needs_blender
def test_each_part_has_a_material_of_its_kind():
    found = material("parts")
    assert found.pop("images") == [f"fake_part_{kind}" for kind in ("blend", "cornea", "iris", "lashes", "occlusion")]
    picture, one = "TEX_IMAGE", {"ALL": True}
    both = {"ALL": True, "CYCLES": False}
    eye = [picture, picture, "BLENDED", both]
    assert found["Eye Left"] == found["Eye Right"] == eye
    assert found["Iris Left"] == found["Iris Right"] == [picture, None, "DITHERED", one]
    assert found["Lashes"] == [picture, picture, "DITHERED", one]
    assert found["Eye Occlusion"] == found["Eye Blend"] == [picture, picture, "BLENDED", both]
    assert found["Tear Line"] == [None, None, "BLENDED", both]
    assert found["hidden in Solid"] == ["Tear Line", "Eye Blend", "Eye Occlusion"]
    assert found["Teeth"] == found["Mouth"] == found["Gums and Tongue"] == [None, None, "DITHERED", one]


@pytest.mark.once
@needs_blender
def test_cycles_shows_a_pupil_an_iris_of_the_photos_color_and_the_white_of_the_eye():
    found = material("eye")
    pupil, iris, white = (sum(found[name]) / 3 for name in ("pupil", "iris", "white"))
    assert pupil < 0.7 * iris and iris < 0.4 * white and white > 0.3
    red, green, blue = found["iris"]
    assert red > 1.3 * green > 1.3 * blue


@needs_blender
def test_a_gltf_file_has_the_parts_as_they_are_seen(tmp_path):
    found = material("gltf", tmp_path)
    blended = {name.removeprefix("fake ") for name, (mode, _) in found.items() if mode == "BLEND"}
    assert blended == {"Eye Left", "Eye Right", "Tear Line", "Eye Blend", "Eye Occlusion", "Lashes"}
    pictured = {name.removeprefix("fake ") for name, (_, has) in found.items() if has}
    assert pictured == {
        "fake",
        "Eye Left",
        "Eye Right",
        "Iris Left",
        "Iris Right",
        "Eye Blend",
        "Eye Occlusion",
        "Lashes",
    }


def test_a_part_is_known_by_its_name():
    kinds = [head_parts.kind_of(part, fake_head.ALL_PARTS) for part in fake_head.ALL_PARTS[1:]]
    assert kinds == [
        "cornea", "cornea", "teeth", "iris", "iris", "gums", "gums", "tear", "blend", "occlusion", "lashes"
    ]  # fmt: skip
    assert head_parts.kind_of("Eye Left", fake_head.PARTS) == "eye"
    assert head_parts.kind_of("Horns", fake_head.PARTS) == "plain"
