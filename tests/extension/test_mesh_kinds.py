# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes, materials and scenes as people have them: the relief arrives, or a sentence says what to do."""

import pytest

from blender_process import needs_blender, run_case

# What a kind of mesh is told by each way; all others are shaded as the face is.
SAID = {
    "over_an_edge BLENDER": "first UV tile",
    "on_tile_1002 BLENDER": "first UV tile",
    "inside_out FAST": "point inward",
    "inside_out BLENDER": "point inward",
    "half_flipped FAST": "against their neighbors",
    "half_flipped BLENDER": "against their neighbors",
    "seam FAST": "n-gons",
    "seam BLENDER": "n-gons",
    "nowhere FAST": "lay one over the other",
    "nowhere BLENDER": "lay one over the other",
    "flat FAST": "shade it smooth",
    "flat BLENDER": "shade it smooth",
    "uneven_scale BLENDER": "apply the scale",
    "no_area FAST": "unwrap the mesh",
    "no_area BLENDER": "unwrap the mesh",
}
# n-gons are not exactly the shape of the face.
NGONS = 3.0


def run(name, *arguments):
    return run_case(name, *arguments, script="mesh_kind_cases.py", timeout=900)


def check(found, said):
    for name, outcome in found.items():
        if name in said:
            assert isinstance(outcome, str) and said[name] in outcome and "Traceback" not in outcome, (name, outcome)
        else:
            assert not isinstance(outcome, str) and outcome < (NGONS if "ngons" in name else 1), (name, outcome)


@pytest.mark.once
@needs_blender
def test_bakes_depend_on_no_setting_and_name_what_they_cannot_bake():
    found = run("bake")
    kept, without = found.pop("kept"), found.pop("without Cycles")
    assert "Cycles Render Engine" in without and "Traceback" not in without
    assert len(found) == 29 and all(kept)
    check(found, SAID)


@pytest.mark.once
@needs_blender
def test_the_other_parts_of_a_copied_head_do_not_cover_its_skin():
    found = run("copied_head")
    assert max(found.values()) < 0.5, found


@pytest.mark.once
@needs_blender
def test_apply_to_my_mesh_takes_every_kind_or_says_why_not():
    found = run("apply")
    assert len(found) == 20
    said = {
        "inside_out": "Recalculate Outside",
        "flat": "Shade Smooth",
        "no_area": "Unwrap",
        "layers": "too many layers",
        "without_uvs": "A modifier",
        "mirrored": "Apply the Mirror modifier",
    }
    if not isinstance(found["without_uvs"], str):  # Blender 5's Remesh keeps UV maps
        del said["without_uvs"]
    check(found, {**said, "half_flipped": "against their neighbors", "nowhere": "do not overlap", "seam": "n-gons"})


@pytest.mark.once
@needs_blender
def test_a_material_over_several_uv_tiles_is_refused():
    found = run("tiles")
    assert found["code 1"] == "uv_tiles" and "slot of their own" in found["1"] and "1001" in found["1"]
    assert found["2"] < 1


@pytest.mark.once
@needs_blender
def test_wrong_and_hostile_values_of_a_file_give_a_sentence(tmp_path):
    found = run("hostile", tmp_path)
    assert found["bad"] == [] and not found["out"]


@needs_blender
def test_every_shader_gets_the_relief():
    found = run("shaders")
    assert found["in_a_group"] == 1 and found["in_a_group kept"]
    assert found["old_skin"] == 2 and found["unlit"] == 0 and found["use nodes"]
