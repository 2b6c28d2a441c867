# SPDX-License-Identifier: GPL-3.0-or-later
"""Exemplars for the fine network instead of the coarse normal: from a file, or of the base mesh."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from hffne.errors import ExemplarError
from hffne.geometry.project import Projection
from hffne.geometry.vectors import normalize

SIZE = 256
BASE = "base"
# Of a picture; of an archive, unpacked.
MOST_PIXELS = 16_000_000
MOST_BYTES = 1 << 30


def read_exemplar(file: str | Path) -> np.ndarray:
    """Unit normals (256, 256, 3) float32 in camera space from a file. Raises ExemplarError.

    An .npz has `normal` (H, W, 3) and may have `mask` (H, W): the square around the mask is taken. A picture holds
    n * 0.5 + 0.5 of 8 or 16 bits. The exemplar becomes a vector, so it need not be aligned with the photo.
    """
    path = Path(file)
    if not path.is_file():
        raise ExemplarError(f"There is no exemplar '{path}'.", hint="Check the path, or use 'base' for the base mesh.")
    normal = _read_archive(path) if path.suffix.lower() == ".npz" else _read_picture(path)
    if normal.ndim != 3 or normal.shape[2] != 3 or min(normal.shape[:2]) < 16 or not np.isfinite(normal).all():
        raise ExemplarError(f"'{path}' does not hold a picture of normals.")
    length = np.linalg.norm(normal, axis=2)
    shown = length[length > 0.1]
    # In an ordinary photo taken as normals, the vectors have all lengths.
    if not len(shown) or np.percentile(np.abs(shown - 1), 80) > 0.15:
        raise ExemplarError(f"'{path}' does not hold unit normals.")
    return _filled(_square(normal, length > 0.5))


def base_exemplar(projection: Projection) -> np.ndarray:
    """The base mesh's unit normals (256, 256, 3) float32, camera space, as an exemplar."""
    return _filled(cv2.resize(projection.normal, (SIZE, SIZE), interpolation=cv2.INTER_AREA))


def _read_archive(path: Path) -> np.ndarray:
    """The array "normal" of an .npz file, zero outside of its "mask" where it has one. Raises ExemplarError."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise ExemplarError(f"'{path}' holds more than {MOST_BYTES >> 30} GB.")
        with np.load(path, allow_pickle=False) as data:
            normal = np.asarray(data["normal"], np.float32)
            if normal.ndim == 3 and "mask" in data and data["mask"].shape == normal.shape[:2] and data["mask"].any():
                normal = normal * np.asarray(data["mask"], bool)[..., None]
            return normal
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ExemplarError(f"'{path}' has no array named normal.") from error


def _read_picture(path: Path) -> np.ndarray:
    """The vectors encoded in a picture, 8 or 16 bits. Raises ExemplarError."""
    try:
        # The header alone: OpenCV would take the memory for any size, and its JPEG decoder is not used.
        with Image.open(path, formats=["PNG", "TIFF"]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ExemplarError(f"'{path}' has {image.width} x {image.height} pixels, which is too large.")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ExemplarError(f"'{path}' is not a PNG or TIFF of normals.") from error
    # Through memory: OpenCV opens no paths with non-ASCII letters on Windows.
    data = np.frombuffer(path.read_bytes(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if picture is None or picture.ndim != 3 or picture.dtype not in (np.uint8, np.uint16):
        raise ExemplarError(f"'{path}' is not a picture of normals.")
    encoded = picture[..., 2::-1].astype(np.float32) / (255 if picture.dtype == np.uint8 else 65535)
    return encoded * 2 - 1


def _square(normal: np.ndarray, face: np.ndarray) -> np.ndarray:
    """The square around the mask `face` (H, W), resized to (256, 256, 3)."""
    rows, columns = np.flatnonzero(face.any(1)), np.flatnonzero(face.any(0))
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    side = max(bottom - top, right - left)
    middle = (top + bottom) // 2, (left + right) // 2
    padded = np.pad(normal, ((side, side), (side, side), (0, 0)))
    top, left = (m - side // 2 + side for m in middle)
    part = np.ascontiguousarray(padded[top : top + side, left : left + side])
    return cv2.resize(part, (SIZE, SIZE), interpolation=cv2.INTER_AREA if side > SIZE else cv2.INTER_LINEAR)


def _filled(normal: np.ndarray) -> np.ndarray:
    """Unit normals float32, facing the viewer where there are none."""
    empty = np.linalg.norm(normal, axis=2, keepdims=True) < 0.3
    return normalize(np.where(empty, np.array([0, 0, 1], np.float32), normal)).astype(np.float32)
