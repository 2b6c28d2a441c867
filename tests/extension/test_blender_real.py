# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole chain on a real photo: engine, frames, object, and back to pixels by Cycles."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from blender_process import BLENDER, ENGINE, environment, needs_blender, needs_engine, run_case, run_headless
from hffne_blender import build
from paths import ROOT

# A head of this photo goes through each Blender, see test_head_real.py.
pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def built(astronaut_file, tmp_path_factory):
    """A folder with what `batch --build` and `normals` make of the photo."""
    output, photos = (tmp_path_factory.mktemp(name) for name in ("real", "photos"))
    shutil.copy(astronaut_file, photos / "astronaut.png")
    batch = ["batch", photos, "-o", output, "--build", "mask", "--blender", sys.executable, "--samples", 8]
    for command in ([*batch, "--workers", 1], ["normals", astronaut_file, "-o", output / "normals"]):
        command = [ENGINE, "-m", "hffne", *map(str, command)]
        subprocess.run(command, env=environment(()), cwd=ROOT, check=True, timeout=600)
    return output


@needs_blender
@needs_engine
def test_blender_shades_the_face_with_the_normals_that_the_engine_saw(built):
    found = run_case("compare", built / "astronaut.blend", built / "normals" / "astronaut.npz", script="scene_cases.py")
    assert found["mean"] <= 3, found
    assert found["median"] <= 1, found
    # The object covers the face that the engine saw.
    assert found["seen"] > 0.95, found


@needs_blender
@needs_engine
def test_the_face_is_a_head_in_meters(built):
    found = run_case("textures_of", built / "astronaut.blend", script="scene_cases.py")
    assert found["name"] == "astronaut"
    width, _, height = found["size"]
    assert 0.11 < width < 0.20 and 0.15 < height < 0.28
    assert found["vertices"] > 5000
    assert {"nose", "lips", "forehead"} <= set(found["groups"])
    assert found["images"] == {
        "astronaut_texture_normal": [1024, True, "Non-Color", True],
        "astronaut_texture_normal_medium": [512, True, "Non-Color", True],
        "astronaut_texture_normal_coarse": [256, True, "Non-Color", True],
        "astronaut_texture_color": [1024, False, "sRGB", True],
        "astronaut_texture_albedo": [1024, False, "sRGB", True],
        "astronaut_texture_height": [1024, True, "Non-Color", True],
        "astronaut_texture_occlusion": [1024, True, "Non-Color", True],
        "astronaut_texture_roughness": [1024, False, "Non-Color", True],
    }


@needs_blender
@needs_engine
def test_the_preview_shows_the_face(built):
    with Image.open(built / "astronaut_preview.png") as preview:
        image = preview.convert("RGB")
    width, height = image.size
    corners = [image.getpixel(place) for place in ((5, 5), (width - 6, 5), (5, height - 6), (width - 6, height - 6))]
    assert max(max(pixel) for pixel in corners) < 90
    cheeks = [image.getpixel((int(width * x), int(height * 0.55))) for x in (0.33, 0.36, 0.64)]
    for red, green, blue in cheeks:
        # Skin, lit: warm and neither black nor burnt out.
        assert red > green > blue * 0.8 and red > 40


@needs_blender
@needs_engine
def test_a_photo_without_a_face_leaves_nothing(tmp_path):
    photo = tmp_path / "plain.png"
    Image.new("RGB", (300, 300), (90, 110, 120)).save(photo)
    done = run_headless(photo, "--output", tmp_path / "out", "--engine", ENGINE)
    assert done.returncode == 3, done.stderr
    assert "Error: " in done.stderr and "Hint: " in done.stderr and "Traceback" not in done.stderr
    assert os.listdir(tmp_path / "out") == []


@needs_blender
@needs_engine
def test_a_sheet_of_faces_from_three_sides(built, astronaut_file, tmp_path):
    sheet = tmp_path / "sheet.png"
    command = [
        *BLENDER,
        "-m",
        "hffne_blender.contact_sheet",
        built / "astronaut.blend",
        "-o",
        sheet,
        "--photos",
        astronaut_file.parent,
        "--height",
        100,
        "--samples",
        1,
        "--clay",
    ]
    subprocess.run(list(map(str, command)), env=environment((ROOT,)), check=True, timeout=300)
    with Image.open(sheet) as picture:
        rgb = np.asarray(picture.convert("RGB")).astype(float)
    assert rgb.shape == (104, 100 + 3 * 80, 3)
    left, front, right = (rgb[:100, start : start + 80] for start in (100, 180, 260))
    # The photo has colors, the clay has none; the turned heads look past the camera, each to its own side.
    assert np.ptp(rgb[:100, :100], axis=2).mean() > 10 > np.ptp(front, axis=2).mean()
    places = [np.average(np.indices(view.shape[:2])[1], weights=view.mean(2) > 60) for view in (left, front, right)]
    assert places[0] < places[1] < places[2] or places[0] > places[1] > places[2]


@needs_blender
@needs_engine
def test_the_installed_zip_with_an_engine_that_is_there_and_long_paths(astronaut_file, tmp_path, monkeypatch):
    deep = tmp_path / ("Ånna's photos 顔 " + "x" * 90) / ("y" * 100)
    deep.mkdir(parents=True)
    photo = deep / "Großmutter 1.png"
    shutil.copy(astronaut_file, photo)
    assert len(str(photo)) > 200
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    found = run_case(
        "install", build.build(tmp_path / "zip"), ENGINE, photo, path=[ROOT / "server"], script="extension_cases.py"
    )
    assert found["built"] == "Großmutter 1" and found["gone"]


def test_a_sheet_of_nothing_says_so(tmp_path):
    pytest.importorskip("bpy")
    missing = tmp_path / "none.blend"
    command = [*BLENDER, "-m", "hffne_blender.contact_sheet", str(missing), "-o", str(tmp_path / "s.png")]
    done = subprocess.run(command, env=environment((ROOT,)), capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "none.blend" in done.stderr and not (tmp_path / "s.png").exists()
