# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos of every kind give the right pixels or a clear error."""

import io
import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from hffne.errors import PhotoError, PhotoTooLargeError, PhotoTooSmallError
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo
from paths import ASTRONAUT_FACE, DATA

# What each EXIF orientation does to the stored pixels, undone: the transpose that stores it.
STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def assert_close(pixels, wanted, most):
    assert pixels.shape == wanted.shape and pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - wanted).mean() <= most


def assert_face(photo, box=ASTRONAUT_FACE, off=12):
    faces = find_faces(photo)
    assert len(faces) == 1
    assert np.abs(np.subtract(faces[0].box, box)).max() <= off


def gray_of(image):
    return np.repeat(np.asarray(image.convert("L"))[..., None], 3, axis=2)


# Photos that are right


def test_an_iphone_s_photo(astronaut):
    """Stored on its side with a note of how to turn it, as phones do."""
    pytest.importorskip("pi_heif", reason="no wheel of pi-heif for this machine")
    photo = load_photo(DATA / "portrait.heic")
    assert_close(photo.rgb, astronaut[20:260, 130:330], 6)
    assert photo.notices == []


@pytest.mark.parametrize("name, most", [("a.png", 0), ("a.jpg", 4), ("a.webp", 4), ("a.tif", 0), ("a.bmp", 0)])
def test_formats(image, astronaut, tmp_path, name, most):
    image.save(tmp_path / name)
    photo = load_photo(tmp_path / name)
    assert_close(photo.rgb, astronaut, most)
    assert photo.size == (512, 512) and photo.notices == []


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_exif_orientation(image, astronaut, tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    wide = image.crop((0, 0, 512, 400))
    path = tmp_path / f"turned.{suffix}"
    wide.transpose(STORED_AS[orientation]).save(path, exif=exif)
    assert_close(load_photo(path).rgb, astronaut[:400], 4)


def test_gray_is_spread_over_the_channels(image, tmp_path):
    image.convert("L").save(tmp_path / "gray.png")
    photo = load_photo(tmp_path / "gray.png")
    assert_close(photo.rgb, gray_of(image), 0)
    assert_face(photo)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_gray_is_not_clipped(image, tmp_path, suffix):
    path = str(tmp_path / f"deep.{suffix}")
    cv2.imwrite(path, np.asarray(image.convert("L")).astype(np.uint16) * 257)
    assert_close(load_photo(path).rgb, gray_of(image), 0)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_color(astronaut, tmp_path, suffix):
    path = str(tmp_path / f"deep.{suffix}")
    cv2.imwrite(path, astronaut[..., ::-1].astype(np.uint16) * 257)
    assert_close(load_photo(path).rgb, astronaut, 0)


def test_float_gray(image, tmp_path):
    Image.fromarray(np.asarray(image.convert("L"), np.float32) / 255).save(tmp_path / "float.tif")
    assert_close(load_photo(tmp_path / "float.tif").rgb, gray_of(image), 0)


@pytest.mark.parametrize("name", ["c.jpg", "c.tif"])
def test_cmyk(image, astronaut, tmp_path, name):
    image.convert("CMYK").save(tmp_path / name)
    photo = load_photo(tmp_path / name)
    assert_close(photo.rgb, astronaut, 4)
    assert_face(photo)


def test_transparent_pixels_are_white(image, astronaut, tmp_path):
    alpha = np.full((512, 512), 255, np.uint8)
    alpha[:, :100], alpha[:, 100:150] = 0, 128
    image.putalpha(Image.fromarray(alpha))
    image.save(tmp_path / "alpha.png")
    photo = load_photo(tmp_path / "alpha.png")
    assert (photo.rgb[:, :100] == 255).all()
    half = astronaut[:, 100:150] * (128 / 255) + 255 * (127 / 255)
    assert np.abs(photo.rgb[:, 100:150] - half).max() <= 1
    np.testing.assert_array_equal(photo.rgb[:, 150:], astronaut[:, 150:])
    assert_face(photo)


def test_palette_with_a_transparent_color(image, tmp_path):
    indexed = image.quantize(32)
    indexed.save(tmp_path / "p.png", transparency=0)
    photo = load_photo(tmp_path / "p.png")
    clear = np.asarray(indexed) == 0
    assert clear.any() and (photo.rgb[clear] == 255).all()
    np.testing.assert_array_equal(photo.rgb[~clear], np.asarray(indexed.convert("RGB"))[~clear])


def odd_profile():
    """An sRGB-like profile whose red and blue primaries are swapped, and that is not named sRGB."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {}
    for i in range(struct.unpack(">I", data[128:132])[0]):
        start = 132 + 12 * i
        tags[bytes(data[start : start + 4])] = start
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    data[red + 4 : red + 12], data[blue + 4 : blue + 12] = data[blue + 4 : blue + 12], data[red + 4 : red + 12]
    return (
        bytes(data)
        .replace("sRGB".encode("utf-16-be"), "oRGB".encode("utf-16-be"))
        .replace(b"sRGB built", b"oRGB built")
    )


def test_color_profiles_are_applied(image, astronaut, tmp_path):
    image.save(tmp_path / "odd.png", icc_profile=odd_profile())
    photo = load_photo(tmp_path / "odd.png")
    assert_close(photo.rgb, astronaut[..., ::-1], 2)
    assert photo.notices == []


def test_a_broken_color_profile_is_noticed_and_left_out(image, astronaut, tmp_path):
    image.save(tmp_path / "odd.png", icc_profile=b"nonsense" * 20)
    photo = load_photo(tmp_path / "odd.png")
    np.testing.assert_array_equal(photo.rgb, astronaut)
    assert len(photo.notices) == 1 and "profile" in photo.notices[0]


def test_of_several_pictures_the_first_is_taken(image, astronaut, tmp_path):
    image.save(tmp_path / "two.tif", save_all=True, append_images=[Image.new("RGB", (512, 512))])
    photo = load_photo(tmp_path / "two.tif")
    np.testing.assert_array_equal(photo.rgb, astronaut)
    assert len(photo.notices) == 1


def test_spaces_and_letters_of_the_world_in_a_path(image, astronaut, tmp_path):
    folder = tmp_path / "mein Ordner ü"
    folder.mkdir()
    path = folder / "фото 写真 é.png"
    image.save(path)
    np.testing.assert_array_equal(load_photo(path).rgb, astronaut)


# Photos that are not


def bad_files(image):
    """name -> (bytes, the error's code)."""
    jpeg, png = io.BytesIO(), io.BytesIO()
    image.save(jpeg, "JPEG")
    image.save(png, "PNG")
    jpeg, png = jpeg.getvalue(), png.getvalue()
    return {
        "empty.jpg": (b"", "empty_photo"),
        "text.jpg": (b"Dear diary, this is no photo.\n" * 9, "not_a_photo"),
        "script.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n", "not_a_photo"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "damaged_photo"),
        "cut header.jpg": (jpeg[:100], "damaged_photo"),
        "cut.png": (png[: len(png) // 2], "damaged_photo"),
        "flipped.png": (png[:5000] + b"\0\0\0\0" + png[5004:], "damaged_photo"),
        "signature.png": (png[:8], "not_a_photo"),
    }


@pytest.mark.parametrize(
    "name",
    ["empty.jpg", "text.jpg", "script.jpg", "cut.jpg", "cut header.jpg", "cut.png", "flipped.png", "signature.png"],
)
def test_files_that_are_no_photos(image, tmp_path, name):
    data, code = bad_files(image)[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PhotoError) as caught:
        load_photo(tmp_path / name)
    error = caught.value
    assert error.code == code and name in error.message and error.hint
    assert "\n" not in error.message and "Traceback" not in error.message


def test_a_folder(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(PhotoError, match="folder") as caught:
        load_photo(tmp_path / "folder.jpg")
    assert caught.value.code == "photo_is_folder"


@pytest.mark.parametrize("name", ["missing.jpg", "missing/too.jpg"])
def test_no_file(tmp_path, name):
    with pytest.raises(PhotoError, match="missing") as caught:
        load_photo(tmp_path / name)
    assert caught.value.code == "photo_not_found"


def test_a_name_that_cannot_be_one(tmp_path):
    for name in ("x" * 5000 + ".jpg", "a\0b.jpg"):
        with pytest.raises(PhotoError):
            load_photo(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PhotoError, match="not a file"):
        load_photo(tmp_path / "pipe.jpg")


@pytest.mark.parametrize("side", [1, 8, 23])
def test_too_few_pixels(image, tmp_path, side):
    image.resize((side, 100)).save(tmp_path / "tiny.png")
    with pytest.raises(PhotoTooSmallError, match=f"tiny.png.*{side} x 100"):
        load_photo(tmp_path / "tiny.png")


@pytest.mark.parametrize("side", [13_000, 60_000])
def test_decompression_bombs_are_refused_by_their_header(tmp_path, side):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    with pytest.raises(PhotoTooLargeError, match=r"bomb\.png"):
        load_photo(tmp_path / "bomb.png")


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the peak memory is read from /proc")
def test_a_48_megapixel_photo_in_little_memory(image, tmp_path):
    path = tmp_path / "big.jpg"
    image.resize((8000, 6000)).save(path)
    code = (
        "import sys\n"
        "from hffne.photo.load import load_photo\n"
        "from hffne.photo.detect import find_faces\n"
        "from hffne.photo.crop import crop_for_box, extract_crop\n"
        "photo = load_photo(sys.argv[1])\n"
        "face = find_faces(photo)[0]\n"
        "extract_crop(photo.rgb, crop_for_box(face.box))\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(photo.size, [round(v) for v in face.box], peak.split()[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    head, kilobytes = done.stdout.rsplit(" ", 1)
    size, box = head.split(" [")
    assert size == "(8000, 6000)"
    box = np.array([int(v) for v in box.rstrip("]").split(",")])
    scale = np.array([8000, 6000, 8000, 6000]) / 512
    # Stretched, the face looks a little different to the detector.
    assert np.abs(box / scale - ASTRONAUT_FACE).max() < 25
    # 144 MB of pixels in two copies at a time (Pillow's has four bytes a pixel), beside the libraries.
    assert int(kilobytes) / 1e3 < 520
