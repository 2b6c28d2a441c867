# SPDX-License-Identifier: GPL-3.0-or-later
"""The public API: what it takes, what it gives, what its import costs."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import hffne
from hffne.photo.image_input import as_photo


@pytest.fixture(scope="module")
def estimator():
    return hffne.NormalEstimator("cpu")


@pytest.fixture(scope="module")
def result(estimator, astronaut):
    return estimator.predict(astronaut)


def test_the_import_is_cheap_and_names_what_there_is():
    code = (
        "import sys, hffne\n"
        "assert not {'torch', 'cv2', 'numpy', 'PIL'} & set(sys.modules), 'imported'\n"
        "assert {'normals', 'NormalEstimator', 'FaceNormals', '__version__'} <= set(dir(hffne))\n"
        "hffne.NormalEstimator()\n"
        "assert 'torch' not in sys.modules, 'torch'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_result_is_typed_and_short(result, astronaut):
    shape = astronaut.shape[:2]
    for normal in (result.normal, result.coarse, result.fine):
        assert normal.shape == (*shape, 3) and normal.dtype == np.float32
        lengths = np.linalg.norm(normal[result.mask], axis=1)
        assert np.abs(lengths - 1).max() < 1e-3
    assert result.mask.shape == shape and result.mask.dtype == bool and 0.01 < result.mask.mean() < 0.5
    assert result.landmarks.shape == (68, 3) and result.landmarks.dtype == np.float32
    assert len(repr(result)) < 80 and "512 x 512" in repr(result)


def test_what_the_command_line_writes_is_the_same(result, astronaut_file, tmp_path):
    from hffne.cli.main import main

    assert main(["normals", str(astronaut_file), "-o", str(tmp_path), "--device", "cpu"]) == 0
    with np.load(tmp_path / "astronaut.npz") as written:
        for name in ("normal", "coarse", "mask", "landmarks"):
            np.testing.assert_array_equal(written[name], getattr(result, name))
    result.save(tmp_path / "api.png")
    assert (tmp_path / "api.png").read_bytes() == (tmp_path / "astronaut_normal.png").read_bytes()


@pytest.mark.parametrize("kind", ["uint16", "float32", "float64", "pillow", "rgba", "path"])
def test_every_kind_of_image_gives_the_same_normals(kind, estimator, result, astronaut, astronaut_file):
    image = {
        "uint16": astronaut.astype(np.uint16) * 257,
        "float32": astronaut.astype(np.float32) / 255,
        "float64": astronaut / 255.0,
        "pillow": Image.fromarray(astronaut),
        "rgba": np.dstack([astronaut, np.full(astronaut.shape[:2], 255, np.uint8)]),
        "path": astronaut_file,
    }[kind]
    ours = estimator.predict(image).normal
    angles = np.degrees(np.arccos(np.clip((ours * result.normal)[result.mask].sum(1), -1, 1)))
    # 8-bit pixels are rounded once more where the crop is made smaller, so that it moves by a hundredth of a pixel.
    assert angles.mean() < 0.1 and np.percentile(angles, 99.9) < 1 and angles.max() < 2


def test_float_values_are_checked(astronaut):
    for wrong in (astronaut.astype(np.float32), astronaut / 255.0 - 0.5, np.where(astronaut > 200, np.nan, 0.5)):
        with pytest.raises(hffne.PhotoError, match="from 0 to 1") as caught:
            as_photo(wrong)
        assert "255" in caught.value.hint


@pytest.mark.parametrize(
    "wrong", [np.zeros((64, 64, 5), np.uint8), np.zeros((64,), np.uint8), np.zeros((64, 64, 3), np.int32), None, 3]
)
def test_what_is_no_image_is_refused(wrong):
    with pytest.raises(hffne.PhotoError):
        as_photo(wrong)


def test_alpha_is_seen_on_white_and_gray_on_all_channels():
    half = np.zeros((32, 32, 4), np.uint8)
    half[..., 3] = 51
    assert (as_photo(half).rgb == 204).all()
    gray = np.arange(32 * 32, dtype=np.uint16).reshape(32, 32)
    np.testing.assert_array_equal(as_photo(gray).rgb, np.dstack([gray] * 3))


def test_a_pillow_image_is_turned_upright_as_a_file_is(tmp_path):
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:, :24] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as image:
        rgb = as_photo(image).rgb
    np.testing.assert_array_equal(rgb, as_photo(tmp_path / "turned.png").rgb)
    assert rgb.shape == (48, 32, 3) and rgb[0, 0, 0] == 255


def test_no_face_names_the_image(estimator):
    with pytest.raises(hffne.NoFaceError, match="image"):
        estimator.predict(np.full((128, 128, 3), 90, np.uint8))


def test_the_largest_face_a_number_and_a_face_are_the_same(estimator, result, astronaut):
    face = estimator.faces(astronaut)[0]
    np.testing.assert_array_equal(estimator.predict(astronaut, 0).normal, result.normal)
    np.testing.assert_array_equal(estimator.predict(astronaut, face).normal, result.normal)


@pytest.mark.parametrize("base", ["head", "mask"])
def test_build_gives_mesh_and_maps(estimator, astronaut, base):
    asset = estimator.build(astronaut, texture_size=64, grid=32, maps=["height"], base=base)
    assert asset.textures.normal.shape == (64, 64, 3) and len(asset.mesh.vertices) > 500 and "height" in asset.maps
    assert (asset.rig is None) == (base == "mask")


def test_wrong_settings_are_one_error_each():
    for options, code in (
        ({"size": 300}, "bad_size"),
        *(({"device": name}, "no_device") for name in ("tpu", "cpu:x", 5)),
        ({"model": "no"}, "no_model"),
        ({"size": "x"}, "bad_size"),
        ({"weights": 5}, "bad_request"),
    ):
        with pytest.raises(hffne.HffneError) as caught:
            hffne.NormalEstimator(**options).engine.device  # noqa: B018
        assert caught.value.code == code


@pytest.mark.parametrize(
    "method, value",
    [
        *(("predict", {"face": face}) for face in (-1, 1.5, "x", None, True, float("nan"))),
        *(("build", {"texture_size": size}) for size in (0, -5, 10**9, 1.5, "64", None)),
        *(("build", {"grid": grid}) for grid in (1, 10**6, 2.5)),
        *(("build", {"maps": maps}) for maps in ("height", ["nope"], [1], None)),
        ("build", {"base": "x"}),
        ("build", {"lod": ["full"]}),
    ],
)
def test_a_wrong_value_is_one_error_that_names_it(estimator, astronaut, method, value):
    with pytest.raises(hffne.HffneError) as caught:
        getattr(estimator, method)(astronaut, **value)
    assert next(iter(value)) in caught.value.message and caught.value.hint


@pytest.mark.parametrize("box", [(float("nan"),) * 4, (0, 0, 0, 0), (1e9, 1e9, 5, 5), (0, 0, 1e6, 1e6), ()])
def test_a_face_that_is_not_on_the_image_is_refused(estimator, astronaut, box):
    face = dataclasses.replace(estimator.faces(astronaut)[0], box=box)
    with pytest.raises(hffne.HffneError, match="box"):
        estimator.predict(astronaut, face)


def test_an_unknown_ending_writes_nothing(result, tmp_path):
    with pytest.raises(hffne.HffneError, match=r"\.jpg"):
        result.save(tmp_path / "normal.jpg")
    assert not list(tmp_path.iterdir())
