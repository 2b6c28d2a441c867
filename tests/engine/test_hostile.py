# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that mean harm: nothing is run, nothing outside is written, memory stays within what is stated."""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from hffne.errors import HffneError, PhotoError, PhotoTooLargeError
from hffne.networks.prn import PositionMapNetwork
from hffne.output import write_files
from hffne.photo import load
from hffne.weights.store import load_weights


def png(width, height, color_type=2, depth=8, data=None, chunks=()):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0" * 64) if data is None else data)
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(*each) for each in chunks) + body + chunk(b"IEND", b"")


def tiff(width, height, *, strips=1, counts=1 << 20, compression=1):
    """A TIFF with arbitrary values in its directory."""
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, compression),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height // strips),
        (279, 4, counts),
    ]
    body = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries
    )
    return b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 0)


def exif_bomb():
    """An EXIF directory that points at itself, with an entry of four billion values."""
    entry = struct.pack("<HHII", 0x0112, 3, 0xFFFFFFFF, 8) + struct.pack("<HHII", 0x8769, 4, 1, 8)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2) + entry + struct.pack("<I", 8)


def jpeg(**more):
    file = io.BytesIO()
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(file, "JPEG", **more)
    return file.getvalue()


ICC_SIZE_LIE = struct.pack(">I", 0xFFFFFFF0) + b"lcms" + b"\x02\x40\0\0mntrRGB XYZ " + b"\0" * 90 + b"\xff" * 64
XXE = '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
SVG = f'<?xml version="1.0"?>{XXE}<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><text>&x;</text></svg>'

REFUSED = {
    "bomb.png": png(60_000, 60_000),
    "deep.png": png(10_000, 10_000, color_type=6),
    "deep gray.png": png(10_000, 10_000, color_type=0, depth=16),
    "absurd.png": png(2**31 - 1, 2**31 - 1),
    "nothing.png": png(0, 64),
    "grows.png": png(64, 64, data=zlib.compress(b"\xff" * 50_000_000)[:600]),
    "text bomb.png": png(64, 64, chunks=[(b"zTXt", b"k\0\0" + zlib.compress(b"\0" * 200_000_000))]),
    "lie.tif": tiff(64, 64),
    "absurd.tif": tiff(2**32 - 1, 2**32 - 1),
    "no such compression.tif": tiff(64, 64, compression=60_000),
    "drawing.png": SVG.encode(),
    "page.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/etc/hostname) (r) file\nshowpage\n",
    "paper.jpg": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n",
    "render.jpg": b"v/1\x01\x02\0\0\0channels\0chlist\0" + b"\xff" * 200,
    "film.png": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 100,
    "pack.jpg": b"PK\x03\x04" + b"\0" * 100,
    "picture.wmf": b"\xd7\xcd\xc6\x9a" + b"\0" * 60,
    "icons.jpg": b"\0\0\1\0\1\0" + b"\xff" * 60,
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_clear_error(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(REFUSED[name])
    with pytest.raises(PhotoError) as caught:
        load.load_photo(path)
    assert name in caught.value.message and caught.value.hint and "\n" not in caught.value.message
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.jpg"
    with open(path, "wb") as file:
        file.truncate(load.MAX_FILE_BYTES + 1)  # sparse: it takes no room
    with pytest.raises(PhotoTooLargeError):
        load.load_photo(path)


@pytest.mark.parametrize("kind", ["exif", "icc", "icc cut"])
def test_bad_metadata_does_not_keep_the_photo_from_being_read(kind, tmp_path):
    more = {"exif": {"exif": exif_bomb()}, "icc": {"icc_profile": ICC_SIZE_LIE}, "icc cut": {"icc_profile": b"\0"}}[
        kind
    ]
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(**more))
    photo = load.load_photo(path)
    assert photo.size == (64, 64) and abs(int(photo.rgb[32, 32, 0]) - 90) < 4


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on a process's memory is Linux's")
def test_memory_stays_within_what_is_stated(tmp_path):
    """All of them in a process that may take 400 MB more than it had at its start."""
    for name, data in REFUSED.items():
        (tmp_path / name).write_bytes(data)
    code = (
        "import resource, sys, pathlib\n"
        "from hffne.photo.load import load_photo\nfrom hffne.errors import PhotoError\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\n"
        "limit = pages * resource.getpagesize() + (400 << 20)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    try:\n        load_photo(path)\n        sys.exit(f'{path} was read')\n"
        "    except PhotoError as error:\n"
        "        if 'not enough memory' in error.message: sys.exit(f'{path}: {error.message}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def weights(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


class Runs:
    def __reduce__(self):
        return os.mkdir, ("was run",)


@pytest.mark.parametrize(
    "data",
    [
        weights({}, length=2**63),
        weights({}, length=2**31),
        weights({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}, b"1234"),
        weights({"a": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 16]}}, b"\0" * 16),
        weights({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 2**60]}}, b"1234"),
        weights({"a": {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}}, b"1234"),
        weights(b"[" * 100_000),
        pickle.dumps(Runs()),
        b"",
    ],
    ids=["endless header", "long header", "shape", "overflow", "offset", "backwards", "deep", "pickle", "empty"],
)
def test_weights_that_lie(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "prn.safetensors"
    path.write_bytes(data)
    with pytest.raises(HffneError) as caught:
        load_weights(PositionMapNetwork(), path)
    assert caught.value.code == "bad_weights" and "prn.safetensors" in caught.value.message and caught.value.hint
    assert [file.name for file in tmp_path.iterdir()] == ["prn.safetensors"], "nothing was run"


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
def test_results_do_not_go_through_a_link(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a.npz").symlink_to(victim)
    write_files({folder / "a.npz": lambda file: file.write(b"result")})
    assert victim.read_text() == "mine"
    assert not (folder / "a.npz").is_symlink() and (folder / "a.npz").read_bytes() == b"result"


@pytest.mark.skipif(sys.platform == "win32", reason="the limit on a file's size is POSIX's")
def test_a_full_disk_leaves_what_was_there(tmp_path):
    """The system itself refuses to write more, as a full disk does."""
    (tmp_path / "a.npz").write_bytes(b"old")
    code = (
        "import pathlib, resource, sys\n"
        "from hffne.output import write_files\nfrom hffne.errors import OutputError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "small, large = (lambda f: f.write(b'1')), (lambda f: f.write(bytes(200_000)))\n"
        "try:\n    write_files({folder / 'b.png': small, folder / 'a.npz': large})\n"
        "except OutputError as error:\n    sys.exit(error.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "cannot_write", done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"] and (tmp_path / "a.npz").read_bytes() == b"old"
