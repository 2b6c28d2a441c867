# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply to My Mesh: the detail of a face arrives on another mesh, and nothing else changes."""

import pytest

from blender_process import ENGINE, needs_blender, needs_engine, run_case


def run(name, *arguments, script="character_cases.py"):
    return run_case(name, *arguments, script=script, timeout=600)


@needs_blender
def test_a_remeshed_moved_and_reunwrapped_copy_is_shaded_as_the_face():
    found = run("copy")
    assert found["state"] == ["FINISHED"]
    for way in ("landmarks", "placed"):
        assert found[way]["mean"] < 1 and found[way]["p95"] < 3, found
        assert found[way]["share"] > 0.7
    # Without the detail the copy is nothing like it.
    assert found["without"]["mean"] > 10


@pytest.mark.once
@needs_blender
def test_the_face_gets_a_uv_map_of_its_own_where_the_artists_gives_it_few_pixels():
    found = run("face_uv")
    assert found["state"] == ["FINISHED"]
    assert found["layers"] == [["skin", True, True], ["HFFNE Face", False, False]]
    assert found["again"] == ["skin", "HFFNE Face"] and found["maps"] == ["HFFNE Face"]
    assert found["angle"]["mean"] < 1.5 and found["angle"]["p95"] < 4 and found["angle"]["share"] > 0.7, found
    # What lies below the skin is not laid on it.
    skin, below, both = found["overlap"]
    assert skin > 30_000 and below > 5000 and both < 0.05 * below, found["overlap"]
    # A polygon that reaches behind the head is left out as a whole, else it would lie across the face.
    ahead, behind = found["widths"]
    assert min(ahead) > 0.9 and behind == [0, 0]
    red, green, blue, shown = found["gap"]
    assert red + green == pytest.approx(1, abs=0.01) and abs(blue) < 0.01 and shown == 1, found["gap"]
    # The lower lip has the lower lip's colors, fully, also where the open mouth's upper lip is nearer.
    row, shown, weight = found["open mouth"]
    assert row < 0.01 and shown == 1 and 0.1 < weight < 0.9, found["open mouth"]
    own, face, told = found["share"]
    assert face > 3 * own and told == pytest.approx(face, rel=0.25)


@pytest.mark.once
@needs_blender
def test_a_shape_key_leads_to_the_faces_own_shape():
    found = run("shape")
    assert found["state"] == ["FINISHED"] and found["keys"] == [["Basis", 0], ["Face Shape", 1]]
    assert found["basis"] == 0 and found["beside"][1] < 0.5 * found["beside"][0], found
    assert found["again"][0] == 2 and found["again"][1] < 2e-4


@needs_blender
def test_only_what_was_requested_appears_and_a_second_run_replaces_it():
    found = run("care")
    assert found["untouched"]
    assert found["made"] == {"objects": 0, "meshes": 0, "images": 1, "materials": 1, "textures": 0}
    assert found["own"] == [True, "Own skin"]
    # The artist's own material stays on the mesh; this object has a copy in which both reliefs are joined.
    assert found["slot"] == ["OBJECT", "Own skin HFFNE", "Own skin"]
    assert found["joined"] == "VECT_MATH"
    # The second run: the displacement map is new, the normal map takes the old one's place.
    assert found["again"] == {"objects": 0, "meshes": 0, "images": 1, "materials": 0, "textures": 0}
    assert found["kept"] == 0.123
    assert found["flat outside"] == 1
    # Its users are the material and the object that it was made for.
    assert found["image"] == ["Non-Color", True, True, 2]
    most, scale, middle = found["height"]
    assert most == pytest.approx(0.5, abs=1e-4) and 0.0002 < scale < 0.02 and abs(middle) < 1e-4
    assert found["saved"] == 0


@needs_blender
def test_colors_and_roughness_are_carried_over_the_artists_own_material():
    found = run("pictures")
    for kind in ("color", "albedo", "roughness"):
        colorspace, share, least, off = found[kind]
        assert colorspace == ("Non-Color" if kind == "roughness" else "sRGB")
        # Fully the face's over most of the mesh, nothing of it outside; the same values on the whole.
        assert 0.1 < share < 0.6 and least == 0 and off < 0.08, kind
    kind, before, pictures, nodes = found["mixed"]
    assert (kind, nodes) == ("MIX", 2) and before == pytest.approx([0.1, 0.2, 0.3])
    assert pictures == ["Hero_fake_albedo"] and found["rough"] == "MIX"
    # What the Solid viewport shows.
    assert found["active"] == "Hero_fake_albedo"
    assert found["made"]["images"] == [3, 0] and found["made"]["materials"] == [1, 0]
    assert "has no texture Roughness" in found["missing"]
    share, pixels = found["across"]
    # The copy's UVs are 0.6 by 0.55 of the face's, whose side is about its width.
    assert 0.2 < share < 0.9
    # Beside the face it is the mean of the UV map; of a giant nothing is said.
    assert found["elsewhere"][0] == [pytest.approx(share, rel=0.2), pixels] and found["elsewhere"][1] is None
    # 14 cm at 900 pixels of the crop in a meter; the crop has 256 pixels for 320 of the photo's.
    assert pixels == pytest.approx(0.14 * 900 * 320 / 256)


@pytest.mark.once
@needs_blender
def test_the_latest_face_is_the_one_made_last_also_after_opening_the_file(tmp_path):
    assert run("latest", tmp_path) == ["Ada", "Ada", "Bea"]


@pytest.mark.once
@needs_blender
def test_a_copy_with_the_detail_is_applied_to_on_its_own():
    found = run("twin")
    assert found["shared"]
    for strength in ("0.3", "0.5"):
        assert found[f"kept {strength}"], strength
        # Another material, other images, other pixels.
        assert found[f"own {strength}"] == [True] * 3, strength
    assert found["images"] == 4 and found["materials"] == 2
    assert found["twin"] and found["gone"]


@pytest.mark.once
@needs_blender
def test_the_maps_of_an_artists_mesh_can_be_exported(tmp_path):
    found = run("export", tmp_path)
    assert not found["before"] and not found["none"]
    assert any("hffne.export_maps" in line for line in found["panel"])
    assert found["photos"] == []
    assert found["state"] == ["FINISHED"]
    assert found["files"] == ["Hero_displacement", "Hero_normal"]
    displacement, normal = found["OPEN_EXR"]
    # A millimeter or so on a natural head, which is five times as large here.
    assert 0.001 < found["range"] < 0.05 and displacement < 1e-6 and normal < 1e-6
    displacement, normal = found["PNG"]
    assert displacement < 2e-5 * found["range"] * 2 + 1e-7 and normal < 2e-5
    assert found["baked"] == [
        "Hero_bake_tangent.png",
        "Hero_displacement.json",
        "Hero_displacement.png",
        "Hero_normal.png",
    ]


@pytest.mark.once
@needs_blender
def test_impossible_requests_are_refused_with_a_message():
    found = run("mistakes")
    assert found["left"]
    assert {name: code for name, (code, _) in found["said"].items()} == {
        "no face": "no_face_object",
        "itself": "no_target",
        "missing": "no_target",
        "no uv": "no_uv",
        "other uv": "no_uv",
        "few landmarks": "few_landmarks",
        "far": "no_overlap",
        "multires": "has_multires",
        "nothing": "nothing",
        "full disk": "file_error",
        "fuller disk": "file_error",
    }
    assert "No space left on device). Make room" in found["said"]["full disk"][1]
    assert all(len(text) > 40 for _, text in found["said"].values())


@needs_blender
def test_the_relief_is_sculpted_with_the_heights_of_the_map():
    found = run("relief", script="relief_cases.py")
    assert found["untouched"]
    assert found["made"] == {"objects": 0, "meshes": 0, "images": 1, "materials": 1, "textures": 0}
    assert found["levels"] == 2 and found["dense"][1] > 10 * found["dense"][0]
    low, high = found["range"]
    assert low < -0.001 and high > 0.001
    assert found["off"] < 0.1
    assert found["again"] < 1e-6 and found["modifiers"] == ["HFFNE Relief"]


@pytest.mark.once
@needs_blender
@needs_engine
def test_the_engine_finds_the_face_on_a_mesh_by_itself(astronaut_file):
    # Of a head; the one of another topology gets a mask's detail.
    found = run("auto", ENGINE, astronaut_file, script="character_engine_cases.py")
    assert found["same"]
    assert found["mean"] < 2 and found["share"] > 0.5, found
    assert found["landmarks"] < 6, found


@pytest.mark.once
@needs_blender
@needs_engine
def test_a_head_of_another_topology_keeps_its_keys_and_its_rig(astronaut_file):
    """MakeHuman's base mesh: other vertices, other UVs and another face than the source's."""
    found = run("other_topology", ENGINE, astronaut_file, script="character_engine_cases.py")
    assert found["latest"] and found["chosen"]
    assert found["eyes off"] < 0.008, found
    assert found["state"] == ["FINISHED"] and found["untouched"] and found["undone"], found
    # The eyes' material is none of the skin's.
    assert found["slots"] == ["skin HFFNE", "eyes"]
    # The face has a twentieth of this UV map, the rest stays flat.
    share, steepest = found["relief"]
    assert 0.004 < share < 0.05 and steepest > 0.15 and found["eyes flat"] < 0.05, found
    assert found["keys"] and found["modifiers"] == ["HFFNE Relief", "Armature"]
    assert found["dense"][1] > 3 * found["dense"][0]
    assert found["alive"][0] > 0.02 and found["alive"][1]


@pytest.mark.once
@needs_blender
def test_heights_are_the_integral_of_the_slopes():
    found = run("heights", script="relief_cases.py")
    assert found["correlation"] > 0.98 and found["gain"] == pytest.approx(1, abs=0.1), found
