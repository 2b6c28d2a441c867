# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals on a photo's pixels as files: a 16-bit picture, or all arrays in an .npz."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from hffne.errors import OutputError
from hffne.parts import PARTS

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate

# Rows that are encoded at once: a photo of 48 million pixels would take another 600 MB as float.
_BAND = 256
_FLAT = np.array([0.0, 0.0, 1.0], np.float32)


def arrays_on_photo(estimate: FaceEstimate, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """What an .npz of `hffne normals` holds, on the pixels of a photo of `shape` (H, W).

    normal, coarse, fine (H, W, 3) float32, mask and skin (H, W) bool, landmarks (68, 3) float32, parts (H, W) uint8,
    see `estimator.FaceNormals`; part_names: the names of the parts' numbers.
    """
    normal, coarse, mask = estimate.on_photo(shape)
    # The same pixels where the bands are not merged.
    fine = normal if estimate.fine is estimate.normal else estimate.resample_to_photo(estimate.fine, shape)
    parts = estimate.parts_on_photo(shape)
    return {
        "normal": normal,
        "coarse": coarse,
        "fine": fine,
        "mask": mask,
        "landmarks": np.asarray(estimate.landmarks, np.float32),
        "skin": mask & estimate.skin_on_photo(shape),
        "parts": parts,
        "part_names": np.array(PARTS),
    }


def encode_png(normal: np.ndarray, mask: np.ndarray) -> bytes:
    """A 16-bit RGB PNG of unit normals (H, W, 3) in camera space: n * 0.5 + 0.5, Non-Color, green = up.

    Outside of the mask (H, W) bool it holds the flat normal (0, 0, 1), so that the picture can be used as a normal map
    as it is. Raises OutputError when it cannot be encoded.
    """
    import cv2

    encoded = np.empty(normal.shape, np.uint16)
    for top in range(0, len(normal), _BAND):
        band = slice(top, top + _BAND)
        values = np.where(mask[band, :, None], normal[band], _FLAT)
        # OpenCV writes blue, green, red.
        encoded[band] = np.clip(values[..., ::-1] * 32767.5 + 32767.5 + 0.5, 0, 65535)
    done, data = cv2.imencode(".png", encoded)
    if not done:
        raise OutputError("The normals cannot be encoded as PNG.")
    # Through memory: OpenCV opens no paths with non-ASCII letters on Windows.
    return data.tobytes()


def png_writer(normal: np.ndarray, mask: np.ndarray) -> Callable[[IO[bytes]], object]:
    """A function for `output.write_files` that writes `encode_png`'s picture."""
    data = encode_png(normal, mask)
    return lambda file: file.write(data)


def npz_writer(compressed: bool = True, /, **arrays: np.ndarray) -> Callable[[IO[bytes]], object]:
    """A function for `output.write_files` that writes arrays by name."""
    save = np.savez_compressed if compressed else np.savez
    return lambda file: save(file, **arrays)


def suffixed(path: Path, suffix: str) -> Path:
    """The path with `suffix` appended: unlike `with_suffix` it keeps dots in the stem."""
    return path.parent / f"{path.name}{suffix}"
