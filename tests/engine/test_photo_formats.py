# SPDX-License-Identifier: GPL-3.0-or-later
"""The photo formats: what is listed as a photo is what Pillow and pi-heif can read."""

import pytest
from PIL import Image

from hffne.photo.formats import EXTENSIONS, FORMAT_NAMES, FORMATS, is_photo_name
from hffne.photo.load import find_photos, load_photo


def test_the_photos_of_a_folder_are_found_whatever_their_format(tmp_path):
    (tmp_path / "deeper").mkdir()
    photos = [tmp_path / name for name in ("a.heic", "b.TIF", "c.jpg", "deeper/d.avif", "e.tiff")]
    for path in [*photos, tmp_path / "._c.jpg", tmp_path / ".png", tmp_path / "notes.txt", tmp_path / "a.npz"]:
        path.touch()
    assert find_photos(tmp_path) == photos


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"HEIF"}))  # pi-heif reads HEIC and does not write it
def test_every_listed_extension_is_of_a_format_that_can_be_read(tmp_path, name):
    for extension in FORMATS[name][1]:
        path = tmp_path / f"photo{extension}"
        Image.new("RGB", (40, 30), (200, 100, 50)).save(path)
        with Image.open(path) as image:
            assert image.format == name
        assert load_photo(path).size == (40, 30)


def test_extensions_are_lower_case_and_named_for_the_user():
    assert len(set(EXTENSIONS)) == len(EXTENSIONS)
    assert all(extension == extension.lower() and is_photo_name(f"A{extension.upper()}") for extension in EXTENSIONS)
    assert FORMAT_NAMES == "JPEG, HEIC, PNG, TIFF, WebP, BMP, AVIF or JPEG 2000"
