# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos of every kind give the right pixels or a clear error; faces are found; crops sit right."""

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

from hffne.errors import HffneError, NoFaceError, PhotoError, PhotoTooLargeError, PhotoTooSmallError
from hffne.photo.crop import Crop, crop_for_box, extract_crop, to_gray
from hffne.photo.detect import choose_faces, find_faces
from hffne.photo.load import load_photo
from paths import DATA

# The face of the astronaut photo: x, y, width, height.
FACE = (179, 63, 91, 111)

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


@pytest.fixture
def image(astronaut):
    return Image.fromarray(astronaut)


def assert_close(pixels, wanted, most):
    assert pixels.shape == wanted.shape and pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - wanted).mean() <= most


def assert_face(photo, box=FACE, off=12):
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
    with pytest.raises(PhotoTooLargeError, match="bomb.png"):
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
    assert np.abs(box / scale - FACE).max() < 25
    # 144 MB of pixels in two copies at a time (Pillow's has four bytes a pixel), beside the libraries.
    assert int(kilobytes) / 1e3 < 520


# Faces


def test_the_face_and_its_points(astronaut):
    (face,) = find_faces(astronaut)
    assert np.abs(np.subtract(face.box, FACE)).max() <= 6
    assert face.score > 0.9
    eyes, nose, mouth = face.points[:2], face.points[2], face.points[3:]
    assert eyes[0, 0] < nose[0] < eyes[1, 0] and eyes[:, 1].max() < nose[1] < mouth[:, 1].min()


@pytest.mark.parametrize("side", [32, 64, 128, 512, 1500])
@pytest.mark.parametrize("region", [(180, 70, 270, 170), (170, 55, 280, 185), (130, 20, 320, 230)])
def test_faces_that_fill_the_frame_or_are_small(image, side, region):
    photo = np.asarray(image.crop(region).resize((side, side), Image.Resampling.LANCZOS))
    faces = find_faces(photo)
    assert len(faces) == 1
    left, top, right, bottom = region
    scale = np.array([side / (right - left), side / (bottom - top)] * 2)
    wanted = np.subtract(FACE, (left, top, 0, 0)) * scale
    assert np.abs(np.subtract(faces[0].box, wanted)).max() < 0.35 * wanted[3]


def test_a_face_cut_by_the_frame(image):
    photo = np.asarray(image.crop((205, 30, 400, 230)))
    (face,) = find_faces(photo)
    assert face.box[0] < 20 and abs(face.box[1] - 33) < 25


def test_several_faces_come_largest_first(image):
    group = Image.new("RGB", (1800, 700), (90, 110, 130))
    for left, side in ((20, 256), (400, 600), (1200, 400)):
        group.paste(image.resize((side, side)), (left, 50))
    faces = find_faces(np.asarray(group))
    assert len(faces) == 3
    assert [400 < f.box[0] < 1000 for f in faces] == [True, False, False]
    assert faces[0].area > faces[1].area > faces[2].area


def test_a_small_face_on_a_large_photo(image):
    large = Image.new("RGB", (4000, 3000), (90, 110, 130))
    large.paste(image.resize((400, 400)), (3100, 2200))
    (face,) = find_faces(np.asarray(large))
    assert abs(face.box[0] - 3100 - 179 * 400 / 512) < 15 and abs(face.box[1] - 2200 - 63 * 400 / 512) < 15


@pytest.mark.parametrize("name", ["coffee", "chelsea", "brick", "rocket", "text", "coins"])
def test_pictures_without_a_face(name):
    import skimage.data

    pixels = getattr(skimage.data, name)()
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    assert find_faces(np.ascontiguousarray(pixels[..., :3])) == []


def test_choosing_a_face(astronaut):
    faces = find_faces(astronaut)
    assert choose_faces(faces, "largest", "p.jpg") == choose_faces(faces, 0, "p.jpg") == [(0, faces[0])]
    assert [index for index, _ in choose_faces(faces * 3, "all", "p.jpg")] == [0, 1, 2]
    for found, which in (([], "largest"), ([], "all"), (faces, 1)):
        with pytest.raises(NoFaceError, match="p.jpg") as caught:
            choose_faces(found, which, "p.jpg")
        assert caught.value.exit_code == 3 and isinstance(caught.value, HffneError)


# Crops


def test_a_crop_at_the_photos_own_scale_is_a_slice(astronaut):
    got = extract_crop(astronaut, Crop(232, 132, 64, 64))
    np.testing.assert_allclose(got, astronaut[100:164, 200:264] / np.float32(255), atol=1e-6)
    assert got.dtype == np.float32


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 0.3, 3.9])
@pytest.mark.parametrize("side", [100.0, 300.0, 511.7, 640.3])
def test_samples_lie_where_the_crop_says(side, turns):
    columns, rows = np.meshgrid(np.arange(900), np.arange(800))
    ramp = np.stack([columns * 70, rows * 80, rows * 0], axis=-1).astype(np.uint16)
    crop = Crop(450.3, 399.6, side, 256, turns)
    got = extract_crop(ramp, crop) * 65535 / np.array([70, 80, 1])
    i, j = np.meshgrid(np.arange(256), np.arange(256))
    wanted = crop.to_photo(np.stack([i, j], axis=-1))
    inside = (wanted > 4).all(2) & (wanted < np.array([895, 795])).all(2)
    assert inside.mean() > 0.9
    np.testing.assert_allclose(got[..., :2][inside], wanted[inside], atol=0.1)
    corner, first = (tuple(wanted[k]) for k in ((0, 0), (0, 10)))
    if not turns:
        np.testing.assert_allclose(first[0], 450.3 + (10.5 / 256 - 0.5) * side - 0.5, rtol=1e-5)
    # As numpy.rot90 turns: after one quarter the crop's upper left is the photo's upper right; a tenth before it.
    turns = round(turns) % 4
    assert (corner[0] > 450, corner[1] > 400) == [(False, False), (True, False), (True, True), (False, True)][turns]


def test_shrinking_averages():
    checker = np.indices((1024, 1024)).sum(axis=0) % 2 * 255
    rgb = np.repeat(checker[..., None], 3, axis=2).astype(np.uint8)
    got = extract_crop(rgb, Crop(512, 512, 1024, 256))
    assert np.abs(got - 0.5).max() < 0.02


def test_outside_of_the_photo_the_edge_goes_on(astronaut):
    got = extract_crop(astronaut, Crop(0, 256, 64, 64))
    np.testing.assert_allclose(got[:, :31], np.repeat(got[:, 31:32], 31, axis=1), atol=0.02)
    far = extract_crop(astronaut, Crop(-900, -900, 64, 16))
    np.testing.assert_allclose(far, np.broadcast_to(astronaut[0, 0] / 255, far.shape), atol=1e-3)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 0.3, 3.9])
def test_crop_and_photo_pixels_convert_both_ways(turns):
    crop = Crop(400.25, 300.5, 333.3, 256, turns)
    points = np.random.default_rng(1).uniform(-50, 900, (68, 3)).astype(np.float32)
    np.testing.assert_allclose(crop.to_photo(crop.to_crop(points)), points, atol=1e-3)
    unit = crop.to_photo(np.array([[0, 0, 0], [1, 0, 1]], np.float32))
    np.testing.assert_allclose(unit[1, 2], 333.3 / 256, rtol=1e-5)
    kept = points.copy()
    crop.to_photo(points), crop.to_crop(points)
    np.testing.assert_array_equal(points, kept)


def test_the_crop_of_a_box_is_centerd_on_it():
    crop = crop_for_box((10, 20, 90, 160))
    assert (crop.center_x, crop.center_y, crop.size) == (55, 100, 256)
    assert 120 * 1.2 < crop.side < 120 * 2.5


def test_gray_is_the_luma(astronaut):
    wanted = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY) / 255
    np.testing.assert_allclose(to_gray(astronaut / np.float32(255)), wanted, atol=0.003)
