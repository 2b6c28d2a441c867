# SPDX-License-Identifier: GPL-3.0-or-later
"""Export Character: textures as each program expects them, and a head read back from GLB, FBX and USD."""

import json
import shutil
import subprocess
import sys

import pytest

from blender_process import needs_blender
from blender_process import run_case as run_any_case

KEYS = ["Basis", "Photo Expression", "jawOpen", "eyeBlinkLeft", "eyeBlinkRight"]
# Prints what Khronos' validator finds in a GLB file.
VALIDATE = """
require('gltf-validator').validateBytes(new Uint8Array(require('fs').readFileSync(process.argv[1])))
  .then(report => console.log(JSON.stringify(report.issues)))
"""


def run_case(name, *arguments, **more):
    return run_any_case(name, *arguments, script="export_cases.py", timeout=300, **more)


@pytest.mark.once
@needs_blender
def test_the_textures_are_the_sliders_and_each_programs_own(tmp_path):
    found = run_case("textures", tmp_path)
    extent = found.pop("range")
    assert found.pop("as before") and found.pop("sliders") == pytest.approx(0.3)
    for preset, facts in found.items():
        # 8 bits, 16 for normals and heights.
        for texture, off in facts["off"].items():
            assert off < (0.0001 if texture in ("normal", "height") else 0.0025), (preset, texture)
        assert facts["scale"] == [True, "m", pytest.approx(2 * extent)], preset
    assert found["UNREAL"]["files"] == [
        "T_Ada_BC.png", "T_Ada_Eye_BC.png", "T_Ada_H.json", "T_Ada_H.png", "T_Ada_N.png", "T_Ada_ORM.png"
    ]  # fmt: skip
    assert "Ada_MaskMap.png" in found["UNITY"]["files"] and "Ada_Roughness.png" not in found["UNITY"]["files"]
    for preset in ("SUBSTANCE", "MARMOSET"):
        assert {"Ada_AO.png", "Ada_Roughness.png"} <= set(found[preset]["files"]), preset
    assert {"Ada_OcclusionRoughnessMetallic.png", "Ada_Occlusion.png"} <= set(found["ANY"]["files"])


@needs_blender
def test_a_head_read_back_has_its_size_keys_parts_and_pictures(tmp_path):
    found = run_case("read_back", tmp_path)
    assert found["state"] == ["FINISHED"] and found["as before"] and found["secret"] == []
    for ending in ("glb", "fbx", "usd"):
        facts = found[ending]
        assert facts["size"] == pytest.approx(found["size"], abs=0.01) and facts["middle"] < 0.1, ending
        assert [key.replace("_", " ") for key in facts["keys"]] == KEYS, ending
        skin, left, right, teeth = facts["fed"].values()
        assert {"Base Color", "Normal", "Roughness"} <= set(skin) and set(map(tuple, skin.values())) == {(64,)}, ending
        assert left["Base Color"] == right["Base Color"] == [512] and "Base Color" not in teeth, ending


@pytest.mark.once
@needs_blender
def test_khronos_validator_finds_no_fault(tmp_path):
    node = shutil.which("node")
    probe = node and subprocess.run([node, "-e", "require('gltf-validator')"], capture_output=True).returncode
    if probe != 0:
        pytest.skip("npm's package gltf-validator is not there; NODE_PATH may name the folder that has it")
    run_case("read_back", tmp_path)
    done = subprocess.run([node, "-e", VALIDATE, tmp_path / "fake.glb"], capture_output=True, text=True)
    issues = json.loads(done.stdout)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]


@pytest.mark.once
@needs_blender
@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_failed_export_changes_nothing_and_no_link_is_followed(tmp_path):
    found = run_case("failures", tmp_path)
    assert found["mask"] == ["FINISHED"]
    assert found["files"] == ["fake.fbx", "fake_BaseMap.png", "fake_MaskMap.png", "fake_NormalMap.png"]
    assert "could not be written" in found["errors"][0] and "There is no folder" in found["errors"][1]
    assert found["victim"] == "mine"
    assert found["left"] == {"fake.glb": "mine"} and found["as before"] and found["other"] is False
