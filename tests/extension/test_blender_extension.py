# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's operators, panel, zip and headless command, with an engine without networks."""

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from blender_process import needs_blender, run_case, run_headless
from hffne_blender import build
from paths import ROOT


@pytest.fixture
def photo(tmp_path):
    """Only its name counts; it is one that a path may well have."""
    path = tmp_path / "Großmutter 1.jpg"
    path.write_bytes(b"the fake engine does not look inside")
    return path


@needs_blender
def test_the_operator_builds_a_face_from_a_script(fake_engine, photo):
    found = run_case("operator", sys.executable, photo, path=[fake_engine], script="operator_cases.py")
    assert found["state"] == ["FINISHED"]
    made = {kind: found["after"][kind] - found["before"][kind] for kind in found["after"]}
    # Normal, its two bands, color, delit color, height, occlusion, roughness.
    assert made == {"objects": 1, "meshes": 1, "images": 8, "materials": 1}
    name, selected, location, vertices = found["active"]
    assert (name, selected, location) == ("Großmutter 1", True, [1, 2, 3]) and vertices > 500
    assert found["progress"] == sorted(found["progress"]) and found["progress"][-1] == 1
    assert found["redone"] == [True, True, False]
    assert found["view"] == ["ORTHO", 1920]


@pytest.mark.once
@needs_blender
def test_a_new_face_stands_beside_those_there_and_leaves_the_users_work_alone(fake_engine, tmp_path):
    photo = tmp_path / "good.jpg"
    photo.write_bytes(b"the fake engine does not look inside")
    found = run_case("shown", sys.executable, photo, path=[fake_engine], script="operator_cases.py")
    # One after the other along x, where nothing stands: beside the cube, each other, lights and a card.
    assert found["selected"] and found["places"] == sorted(found["places"])
    # (what stands there, what of it is touched): the cube; face, lights and card more each time.
    assert found["apart"] == [[1, 0], [6, 0], [11, 0]]
    assert {(y, z) for _, y, z in found["places"]} == {(2, 3)}
    # A floor is no obstacle, and in a scene whose unit is a centimeter a face is as many units long.
    assert found["on a floor"] == [20, 20, 20] and found["centimeters"] == pytest.approx([100] * 3)
    assert found["scatters"] == pytest.approx(100)
    # (the collection stays, nothing changed, the new face is active)
    assert found["other selection"] == found["edit mode"] == [True, True, False]
    assert found["waited"] == [True, False, True]


@pytest.mark.once
@needs_blender
def test_errors_are_told_and_leave_nothing(fake_engine, tmp_path):
    found = run_case("operator_errors", sys.executable, tmp_path, path=[fake_engine], script="operator_cases.py")
    assert found.pop("left")
    expected = {
        "no_face": ("no_face", "No face was found"),
        "die": ("engine_died", "exit code 7"),
        "broken": ("bad_asset", "uvs"),
        "missing": ("photo_not_found", "missing.jpg"),
        "not set": ("engine_not_set", "preferences"),
    }
    assert set(found) == set(expected)
    for name, (code, words) in expected.items():
        assert found[name][0] == code and words in found[name][1]


@needs_blender
def test_the_panel_shows_what_is_going_on(fake_engine, tmp_path):
    found = run_case("panel", sys.executable, tmp_path, path=[fake_engine], script="operator_cases.py")
    assert (
        "prop photo  Photo" in found["new"]
        and "operator hffne.open_photo  FILEBROWSER" in found["new"]
        and "operator hffne.generate USER" in found["new"]
    )
    assert any("engine is not installed yet" in line for line in found["new"])
    assert any("No face was found" in line for line in found["failed"])
    assert "progress 0.4 Fine normals" in found["running"]
    assert any(line.startswith("operator hffne.cancel") for line in found["running"])
    assert not any(line.startswith("operator hffne.generate") for line in found["running"])


@pytest.mark.once
@needs_blender
def test_paths_are_told_apart_and_messages_go(tmp_path):
    found = run_case("paths", tmp_path, script="operator_cases.py")
    for said in found["folder"][:2]:
        assert "is a folder. Choose a photo in it." in said
    assert "no Python in the folder" in found["folder"][2] and found["environment"] == ""
    assert all("There is no file" in said for said in found["missing"])
    missing = tmp_path / "nobody"
    wrong = ["This is a folder: choose a file", f"There is no folder {missing}", f"There is no file {missing}"]
    assert found["optional"] == ["", "", *wrong]
    assert found["dismissed"] == [True, ["FINISHED"], True, False] and found["forgotten"]
    # As large as the photo's pixels, and never below or above what can be chosen.
    assert found["sizes"] == [256, 1024, 2048, 8192]


@needs_blender
def test_presets_of_the_output_and_check_boxes_of_its_maps(tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    found = run_case("presets", script="operator_cases.py")
    every = ["ALBEDO", "BANDS", "CURVATURE", "HEIGHT", "OCCLUSION", "RELIGHT", "ROUGHNESS", "SEEN"]
    assert found["shipped"] == {
        "Draft": ["HEAD", "512", "GAME", True, ["ALBEDO"]],
        "Portrait": ["HEAD", "2048", "FULL", True, [name for name in every if name not in ("CURVATURE", "SEEN")]],
        "Game": ["HEAD", "2048", "GAME", True, ["ALBEDO", "BANDS", "OCCLUSION", "ROUGHNESS"]],
        "Film": ["HEAD", "4096", "FULL", True, every],
    }
    assert found["boxes"] == [["ALBEDO", "CURVATURE"], True, False] and found["tooltips"]
    assert found["added"] == found["removed"] == ["FINISHED"] and found["own"] and found["gone"]


@needs_blender
def test_registering_twice():
    assert run_case("register_twice", script="extension_cases.py")["gone"]


def test_one_version():
    from hffne import __version__

    assert build.manifest_value("version") == __version__


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return build.build(tmp_path_factory.mktemp("zip"))


def test_the_zip_is_the_sources_with_blenders_name_for_the_manifest(archive):
    with zipfile.ZipFile(archive) as opened:
        names = set(opened.namelist())
        assert opened.read("blender_manifest.toml") == (ROOT / "addon_manifest.toml").read_bytes()
    sources = {path.relative_to(build.SOURCE).as_posix() for path in build.SOURCE.rglob("*.py")}
    version = re.search(r'^version = "(.+)"$', (ROOT / "addon_manifest.toml").read_text("utf-8"), re.M).group(1)
    engine = {f"engine_wheel/hffne-{version}-py3-none-any.whl", "engine_wheel/engine-3.11.lock"}
    engine.add("engine_wheel/engine-3.13.lock")
    assert names == sources - build.LEFT_OUT | {"blender_manifest.toml", "LICENSE", "troubleshooting.md"} | engine
    assert archive.name == f"hffne_blender-{version}.zip"
    with zipfile.ZipFile(archive) as opened:
        wheel = zipfile.ZipFile(io.BytesIO(opened.read(f"engine_wheel/hffne-{version}-py3-none-any.whl")))
    # The head model goes with its license.
    assert {"hffne/head/head_model.npz", "hffne/head/LICENSE-ICT-FaceKit.txt"} <= set(wheel.namelist())


@needs_blender
def test_blenders_own_validator_accepts_the_zip(archive, tmp_path):
    done = subprocess.run(build.validate_command(archive), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    # It does look: the same without a license is refused.
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "blender_manifest.toml":
                data = re.sub(rb"(?m)^license = .*$", b"", data)
            target.writestr(name, data)
    assert subprocess.run(build.validate_command(broken), capture_output=True).returncode != 0


@needs_blender
def test_the_installed_extension_works(archive, fake_engine, photo, tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    found = run_case("install", archive, sys.executable, photo, path=[fake_engine], script="extension_cases.py")
    assert found["name"] == ["bl_ext.user_default.hffne_blender"]
    assert found["built"] == "Großmutter 1"
    assert found["idle"] == 5 and found["gone"]


@pytest.mark.once
@needs_blender
def test_headless_writes_everything_together(fake_engine, photo, tmp_path):
    output = tmp_path / "out" / "new"
    done = run_headless(
        photo, "--output", output, "--engine", sys.executable, "--texture-size", 512, "--grid", 64, "--samples", 1,
        "--maps", "height", "--base", "mask", path=[fake_engine],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    stem = photo.stem
    kinds = (".blend", "_texture_color.png", "_texture_normal.png", "_texture_height.png", "_preview.png")
    assert sorted(os.listdir(output)) == sorted(stem + kind for kind in kinds)
    shares = [int(share) for share in re.findall(r"^\[ *(\d+) %\]", done.stdout, re.M)]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 100
    assert [Path(line).name for line in done.stdout.splitlines()[-len(kinds) :]] == [stem + kind for kind in kinds]
    assert _png_depth(output / f"{stem}_texture_normal.png") == 16
    assert _png_depth(output / f"{stem}_texture_height.png") == 16
    assert _png_depth(output / f"{stem}_texture_color.png") == 8

    with Image.open(output / f"{stem}_preview.png") as preview:
        gray = preview.convert("L")
        assert gray.size == (640, 800)
        low, high = gray.getextrema()
        center = [gray.getpixel((x, y)) for x in range(220, 420, 10) for y in range(300, 500, 10)]
    # Lit, neither black nor burnt out.
    assert low < 60 and high > 90
    assert 30 < sum(center) / len(center) < 225

    found = run_case("textures_of", output / f"{stem}.blend", script="scene_cases.py")
    assert found["name"] == stem and found["location"] == [0, 0, 0]
    assert found["lights"] == 3 and found["camera"] == "Portrait"
    assert found["images"] == {
        f"{stem}_texture_normal": [512, True, "Non-Color", True],
        f"{stem}_texture_color": [512, False, "sRGB", True],
        f"{stem}_texture_height": [512, True, "Non-Color", True],
    }


@pytest.mark.once
@needs_blender
@pytest.mark.parametrize(
    "name, code, words",
    [
        ("no_face", 3, "No face was found"),
        ("not_a_photo", 2, "is not a photo"),
        ("internal", 70, "internal failed"),
        ("die", 1, "exit code 7"),
        ("missing", 2, "missing.jpg"),
    ],
)
def test_headless_errors(fake_engine, tmp_path, name, code, words):
    photo = tmp_path / f"{name}.jpg"
    if name != "missing":
        photo.touch()
    output = tmp_path / "out"
    done = run_headless(photo, "--output", output, "--engine", sys.executable, path=[fake_engine])
    assert done.returncode == code, done.stderr
    assert words in done.stderr and "Traceback" not in done.stderr
    assert os.listdir(output) == []


@pytest.mark.once
@needs_blender
def test_headless_says_when_the_output_cannot_be_written(fake_engine, photo, tmp_path):
    output = tmp_path / "file"
    output.write_text("not a folder")
    done = run_headless(photo, "--output", output, "--engine", sys.executable, path=[fake_engine])
    assert done.returncode == 4 and "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert output.read_text() == "not a folder"


def _png_depth(path):
    head = path.read_bytes()[:26]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return head[24]
