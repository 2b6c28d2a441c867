# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps, shading sliders, exports and bakes of a face in Blender, on a face that is known by formula."""

import pytest

from blender_process import needs_blender, run_case


@needs_blender
def test_every_map_has_its_name_depth_color_space_and_unit():
    found = run_case("images", script="map_cases.py")
    assert found["images"] == {
        # name, size, more than 8 bits, color space, range
        "color": ["fake_texture_color", 256, False, "sRGB", None],
        "albedo": ["fake_texture_albedo", 256, False, "sRGB", None],
        "roughness": ["fake_texture_roughness", 256, False, "Non-Color", None],
        "occlusion": ["fake_texture_occlusion", 256, True, "Non-Color", None],
        "normal": ["fake_texture_normal", 256, True, "Non-Color", None],
        "normal_medium": ["fake_texture_normal_medium", 128, True, "Non-Color", None],
        "normal_coarse": ["fake_texture_normal_coarse", 64, True, "Non-Color", None],
        "normal_pores": ["fake_texture_normal_pores", 256, True, "Non-Color", None],
        "height": ["fake_texture_height", 256, True, "Non-Color", pytest.approx(0.0015)],
        "seen": ["fake_texture_seen", 256, False, "Non-Color", None],
        "curvature": ["fake_texture_curvature", 256, True, "Non-Color", 500],
    }
    # Half a step of 16 bits over 3 mm.
    assert found["height error"] < 3e-8
    assert set(found["fed"]) == {"Base Color", "Roughness", "Normal", "Specular IOR Level", "Subsurface Weight"}
    assert found["subsurface"] > 0
    assert len(found["photo"]) == 4


@needs_blender
def test_cycles_shades_what_the_sliders_say(tmp_path):
    found = run_case("sliders", tmp_path / "face.blend", script="shading_cases.py")
    assert found.pop("mixes") == pytest.approx([0.25, 0.5])
    for which, degrees in found.items():
        assert degrees < 1.0, which


@pytest.mark.once
@needs_blender
def test_the_sliders_of_an_export_are_those_of_the_shader():
    found = run_case("mixed", script="map_cases.py")
    assert found.pop("flat") < 1e-6
    assert found["as sent"] < 0.01 and found["back"] < 0.1
    # The bands' maps are smaller; what they lack is the sampling.
    assert found["medium"] < 2 and found["coarse"] < 2 and found["pores"] < 0.5


@needs_blender
def test_relief_by_displacement_and_back():
    found = run_case("relief", script="shading_cases.py")
    assert found["answer"] == ["FINISHED"]
    assert found["before"] == found["undone"] == found["back"] == [False, 1, 0]
    assert found["displaced"] == found["redone"] == [True, 0, 1]
    assert "height map" in found["without relief"] and "delit" in found["without delit"]
    assert "Synthetic Pores" in found["without pores"]
    assert found["untouched"] == [1, 0]


@pytest.mark.once
@needs_blender
def test_strength_is_how_far_the_surface_is_moved():
    found = run_case("displaced", script="shading_cases.py")
    # The height map's waves are 1.2 mm high, seen at a slant.
    assert 0.0008 < found["one"] < 0.002
    assert found["ratio"] == pytest.approx(2, abs=0.1)


@pytest.mark.once
@needs_blender
def test_clay_is_gray_in_light_and_shadow_whatever_the_textures_say():
    found = run_case("clay", script="shading_cases.py")
    assert found["tint 0"] > 0.1 and found["tint 1"] < 1e-4
    assert found["lit"][1] > 10 * found["lit"][0]
    assert found["textures"] < 1e-4


@needs_blender
def test_exports_hold_what_was_made(tmp_path):
    found = run_case("export", tmp_path, script="map_cases.py")
    for which, worst in found["worst"].items():
        limit = 1e-6 if which.startswith("exr") else 2e-5
        assert worst["normal"] < limit and worst["albedo"] < 1e-5 and worst["height"] < 2e-5, which
    kinds = ("albedo", "color", "curvature", "height", "normal", "occlusion", "roughness", "seen")
    assert found["files"] == [f"fake_{kind}" for kind in kinds]
    # The heights' scale beside them, in meters.
    assert found["scales"] == [["fake_height.json"]] * 6 and found["named"]
    deep = {name for name, is_float in found["depth"].items() if is_float}
    assert {"fake_normal.png", "fake_height.png", "fake_normal.tif", "fake_color.exr"} <= deep
    assert not {"fake_color.png", "fake_color.tif"} & deep
    assert found["left"] == []
    assert "no folder" in found["no folder"] and "none of the chosen" in found["no map"]
    for file_format, (error, left) in found["full disk"].items():
        assert "could not be written" in error and left == [], file_format


@needs_blender
def test_both_bakes_agree_on_the_same_mesh():
    found = run_case("bake_own", script="bake_cases.py")
    for space in ("TANGENT", "OBJECT"):
        mean, worst = found[space]
        assert mean < 0.3 and worst < 1, space
    # Re-baking replaces.
    assert found["one image each"] == ["fake_bake_object", "fake_bake_tangent"]
    assert found["kept"]


@needs_blender
def test_both_bakes_agree_on_another_mesh():
    found = run_case("bake_other", script="bake_cases.py")
    assert found["FAST"] == found["BLENDER"] == ["FINISHED"]
    assert found["fast is right"] < 1.5
    assert found["both agree"] < 1 and found["both agree, tangent"] < 1
    assert found["assigned"] == [1, "TANGENT"]
    assert found["selected"] == ["fake"]
    assert "nobody" in found["no target"] and "No ray" in found["far away"] and "cage" in found["cage"]


@pytest.mark.once
@needs_blender
def test_a_mesh_without_a_material_shows_what_was_baked_in_either_space(tmp_path):
    found = run_case("bake_used", tmp_path, script="bake_cases.py")
    # The sliders know slopes in tangent space only.
    assert found["TANGENT"][:2] == ["TANGENT", "GROUP"] and found["OBJECT"][:2] == ["OBJECT", "TEX_IMAGE"]
    assert found["TANGENT"][2] < 1.5 and found["OBJECT"][2] < 1.5, found
    # Green points down in tangent space; an object's axes have no such choice.
    assert set(found["files"]) == {"Tangent_normal.png", "Object_bake_object.png"}
    assert max(found["files"].values()) < 2e-5


@needs_blender
def test_the_panels_offer_what_there_is():
    found = run_case("panels", script="shading_cases.py")
    assert found["nothing"] == []
    every = ("strength", "fine", "medium", "coarse", "smoothing", "synthetic_pores", "split", "delit", "clay")
    assert [name for name in every if f"prop {name} True" in found["face"]] == list(every)
    # What would do nothing is not offered, or tells why.
    assert [name for name in every if f"prop {name} True" in found["bare"]] == ["strength", "coarse", "split", "clay"]
    assert not any("only Strength" in line for line in found["face"])
    assert any("only Strength" in line for line in found["displaced"])
    assert found["passed on"] == pytest.approx([0.5, 0.25])
    assert [len(words) for words in found["words"].values()] == [9, 6]
    assert all(len(text) > 10 and "socket" not in text for words in found["words"].values() for text in words)
    for name in ("set_detail Displacement", "export_maps", "bake", "add_lights", "add_turntable", "relight_photo"):
        assert any(f"hffne.{name}" in line for line in found["face"]), name
    for name in ("relit", "light"):
        assert "prop ambient True" in found[name] and "prop light_color True" in found[name], name
    assert "prop ambient True" not in found["face"]
