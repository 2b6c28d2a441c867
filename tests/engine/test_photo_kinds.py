# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos as people have them: true colors, refusals that name the cause, time and memory that have an end."""

import io
import itertools
import os
import struct
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from hffne.errors import CameraRawError, ExemplarError, NotAPhotoError, PhotoError, PhotoTooComplexError
from hffne.exemplar import read_exemplar
from hffne.photo import detect, limited, suspect
from hffne.photo.load import decode_file, load_photo
from paths import ROOT


@pytest.fixture
def picture():
    """(64, 80, 3) uint8 with every brightness."""
    ramp = np.linspace(10, 245, 80)[None, :, None] * np.linspace(0.5, 1, 64)[:, None, None]
    return np.rint(ramp * [1.0, 0.9, 0.8]).astype(np.uint8)


def linear_profile(name=b"sRGB"):
    """A profile with sRGB's primaries, linear curves and a name that says sRGB."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for entry in range(struct.unpack(">I", data[128:132])[0]):
        tag, offset, _ = struct.unpack(">4sII", data[132 + 12 * entry : 144 + 12 * entry])
        if tag in (b"rTRC", b"gTRC", b"bTRC"):
            data[offset : offset + 12] = b"curv" + bytes(8)
    assert name.decode().encode("utf-16-be") in data
    return bytes(data)


def test_a_profile_counts_by_what_it_does_and_not_by_its_name(picture, tmp_path):
    Image.fromarray(picture).save(tmp_path / "linear.png", icc_profile=linear_profile())
    wanted = picture / 255
    wanted = np.where(wanted <= 0.0031308, wanted * 12.92, 1.055 * wanted ** (1 / 2.4) - 0.055) * 255
    assert np.abs(load_photo(tmp_path / "linear.png").rgb - wanted).max() < 2
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(picture).save(tmp_path / "srgb.png", icc_profile=srgb)
    assert np.array_equal(load_photo(tmp_path / "srgb.png").rgb, picture)


def test_a_huge_profile_is_left_out_with_a_notice(picture, tmp_path):
    profile = linear_profile() + bytes(2 << 20)
    Image.fromarray(picture).save(tmp_path / "huge.tif", icc_profile=profile)
    photo = load_photo(tmp_path / "huge.tif")
    assert np.array_equal(photo.rgb, picture) and any("2 MB" in notice for notice in photo.notices)
    Image.fromarray(picture).save(tmp_path / "huge.png", icc_profile=profile)
    photo = load_photo(tmp_path / "huge.png")
    assert np.array_equal(photo.rgb, picture) and any("left out" in notice for notice in photo.notices)


def test_tiffs_of_other_numbers_are_right_or_refused(picture, tmp_path):
    import tifffile

    gray = picture[..., 0]
    for order, compression in itertools.product("<>", (None, "zlib")):
        values = (gray / 255).astype(f"{order}f4")
        tifffile.imwrite(tmp_path / "float.tif", values, byteorder=order, compression=compression)
        assert np.abs(decode_file(tmp_path / "float.tif")[0].astype(int) - gray[..., None]).max() < 2
        whole = (gray.astype(np.float64) / 255 * (2**32 - 1)).astype(f"{order}u4")
        tifffile.imwrite(tmp_path / "whole.tif", whole, byteorder=order, compression=compression)
        with pytest.raises(PhotoError):
            decode_file(tmp_path / "whole.tif")


def test_floating_point_pictures_with_highlights(picture, tmp_path):
    gray = picture[..., 0].astype(np.float32) / 255
    bright = gray.copy()
    bright[5, 5] = 1.05
    for name, values in (("plain", gray), ("bright", bright)):
        Image.fromarray(values).save(tmp_path / f"{name}.tif")
    assert np.abs(load_photo(tmp_path / "plain.tif").rgb[..., 0].astype(int) - picture[..., 0]).max() <= 1
    different = load_photo(tmp_path / "bright.tif").rgb != load_photo(tmp_path / "plain.tif").rgb
    assert different.any(axis=2).sum() <= 1
    rgb = picture.astype(np.float32) / 255
    (tmp_path / "color.tif").write_bytes(
        cv2.imencode(".tif", rgb[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 1])[1].tobytes()
    )
    assert np.abs(load_photo(tmp_path / "color.tif").rgb.astype(int) - picture).max() <= 1


@pytest.mark.parametrize("ending", ["png", "tga", "tif"])
def test_what_is_transparent_everywhere_is_taken_as_opaque(picture, tmp_path, ending):
    rgba = np.dstack([picture, np.zeros(picture.shape[:2], np.uint8)])
    Image.fromarray(rgba).save(tmp_path / f"clear.{ending}")
    photo = load_photo(tmp_path / f"clear.{ending}")
    assert np.array_equal(photo.rgb, picture) and any("transparent" in notice for notice in photo.notices)


def test_camera_raw_and_separate_channels_are_refused(picture, tmp_path):
    for tags in ({50706: b"\1\4\0\0"}, {254: 1, 330: 8}, {262: 34892}):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "TIFF", tiffinfo={k: v for k, v in tags.items() if k != 262})
        data = file.getvalue()
        if 262 in tags:
            data = data.replace(struct.pack("<HHII", 262, 3, 1, 2), struct.pack("<HHII", 262, 3, 1, tags[262]))
        (tmp_path / "raw.dng").write_bytes(data)
        with pytest.raises(CameraRawError, match="preview"):
            load_photo(tmp_path / "raw.dng")
    planes = np.moveaxis(picture.astype("<u2") * 257, -1, 0)
    (tmp_path / "planar.tif").write_bytes(planar_tiff(planes))
    with pytest.raises(NotAPhotoError, match="per channel"):
        load_photo(tmp_path / "planar.tif")


def planar_tiff(planes):
    """A 16-bit RGB TIFF, one plane after the other."""
    count, height, width = planes.shape
    size = height * width * 2
    start = 8 + 2 + 10 * 12 + 4
    extra = start + 6 + 12 + 12
    entries = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, start), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 3, start + 6), (277, 3, 1, 3), (278, 3, 1, height), (279, 4, 3, start + 18), (284, 3, 1, 2),
    ]  # fmt: skip
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    head += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    offsets = [extra + plane * size for plane in range(count)]
    return head + struct.pack("<3H3I3I", 16, 16, 16, *offsets, size, size, size) + planes.tobytes()


def test_formats_with_limits_give_the_same_as_without(picture, tmp_path):
    for ending in ("tif", "jp2", "avif"):
        path = tmp_path / f"photo.{ending}"
        try:
            Image.fromarray(picture).save(path)
        except (KeyError, OSError):
            continue  # this build of Pillow does not write it
        assert suspect.needs_limits(path)
        assert np.array_equal(load_photo(path).rgb, decode_file(path)[0]), ending
    for ending in ("jpg", "png", "bmp", "webp", "gif", "ppm"):
        Image.fromarray(picture).save(tmp_path / f"photo.{ending}")
        assert not suspect.needs_limits(tmp_path / f"photo.{ending}"), ending


def test_a_decoder_that_does_not_end_is_ended(picture, tmp_path, monkeypatch):
    Image.fromarray(picture).save(tmp_path / "slow.tif")
    monkeypatch.setattr(limited, "WALL_SECONDS", 0.05)
    with pytest.raises(PhotoTooComplexError):
        load_photo(tmp_path / "slow.tif")


def test_tens_of_thousands_of_directories_and_scans(picture, tmp_path):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "TIFF")
    data = bytearray(file.getvalue())
    first = struct.unpack("<I", data[4:8])[0]
    count = struct.unpack("<H", data[first : first + 2])[0]
    directory = bytes(data[first : first + 2 + 12 * count])
    place = first + 2 + 12 * count
    for _ in range(60_000):
        data[place : place + 4] = struct.pack("<I", len(data))
        place = len(data) + len(directory)
        data += directory + bytes(4)
    (tmp_path / "many.tif").write_bytes(data)
    started = time.monotonic()
    photo = load_photo(tmp_path / "many.tif")
    assert np.array_equal(photo.rgb, picture) and any("several pictures" in notice for notice in photo.notices)
    Image.fromarray(picture).save(tmp_path / "scans.jpg", progressive=True)
    data = (tmp_path / "scans.jpg").read_bytes()
    last = data.rindex(b"\xff\xda")
    (tmp_path / "scans.jpg").write_bytes(data[:last] + data[last:-2] * 20_000 + data[-2:])
    with pytest.raises(PhotoTooComplexError, match="scans"):
        load_photo(tmp_path / "scans.jpg")
    assert time.monotonic() - started < 60


def test_an_exemplar_does_not_take_any_memory(tmp_path):
    Image.new("RGB", (12_000, 12_000)).save(tmp_path / "large.png")
    with pytest.raises(ExemplarError, match="too large"):
        read_exemplar(tmp_path / "large.png")
    Image.new("RGB", (64, 64), (128, 128, 255)).save(tmp_path / "normals.jpg")
    with pytest.raises(ExemplarError, match="PNG or TIFF"):
        read_exemplar(tmp_path / "normals.jpg")
    Image.new("RGB", (64, 64), (128, 128, 255)).save(tmp_path / "normals.png")
    assert read_exemplar(tmp_path / "normals.png").normal.shape == (64, 64, 3)


def test_a_row_of_the_detector_without_an_extent_is_no_face(monkeypatch):
    class Detector:
        def setInputSize(self, size):
            self.size = size

        def detect(self, _):
            w, h = self.size
            real = [w * 0.3, h * 0.3, w * 0.2, h * 0.25, *[w * 0.4, h * 0.4] * 5, 0.79]
            ghosts = [
                [1.2e28, -np.inf, 0, np.inf, *[np.nan] * 10, 1.0],
                [w * 0.3, h * 0.3, 0, h, *real[4:14], 1.0],
                [-9 * w, h * 0.3, w, h, *real[4:14], 1.0],
                [w * 0.3, h * 0.3, 50 * w, 50 * h, *real[4:14], 1.0],
            ]
            return 1, np.array([*ghosts, real], np.float32)

    monkeypatch.setattr(detect, "_detector", Detector)
    (face,) = detect.find_faces(np.full((600, 800, 3), 120, np.uint8))
    assert face.box == pytest.approx((240, 180, 160, 150))


@pytest.fixture
def hostile(tmp_path):
    """A folder whose Python files take the place of modules where they are found first."""
    for name in ("argparse.py", "numpy/__init__.py", "PIL/__init__.py", "cv2.py"):
        path = tmp_path / "hostile" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("raise SystemExit('a module of another program was run')")
    return tmp_path / "hostile"


def test_neither_pythonpath_nor_the_working_folder_replaces_modules(hostile, picture, tmp_path):
    Image.fromarray(picture).save(tmp_path / "plain.tif")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(hostile)])}
    command = [sys.executable, "-m", "hffne", "normals", str(tmp_path / "plain.tif"), "-o", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=hostile, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 3 and "No face was found" in done.stderr, done.stderr


def test_names_cannot_control_the_terminal(tmp_path):
    path = tmp_path / "photo\x1b]0;title\x07{}.jpg"
    path.write_bytes(b"no photo")
    command = [sys.executable, "-m", "hffne", "normals", str(path), "-o", str(tmp_path / "out")]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "server")}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2 and "\x1b" not in done.stderr + done.stdout and "{}.jpg" in done.stderr
    with pytest.raises(PhotoError):
        load_photo(path)
