# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of data sets as OpenCV reads them: no orientation, no color profile, and an error instead of None."""

from pathlib import Path

import cv2
import numpy as np

from hffne.errors import PhotoNotReadableError


def read_picture(path: str | Path, flags: int = cv2.IMREAD_GRAYSCALE) -> np.ndarray:
    """A picture (H, W) or (H, W, 3 of blue, green, red). Raises PhotoNotReadableError."""
    return _known(cv2.imread(str(path), flags), str(path))


def decode_picture(code: np.ndarray, flags: int = cv2.IMREAD_GRAYSCALE, name: str = "picture") -> np.ndarray:
    """The same of a file's bytes (n,) uint8; name: for the error."""
    return _known(cv2.imdecode(code, flags), name)


def _known(picture: np.ndarray | None, name: str) -> np.ndarray:
    # Older stubs of OpenCV say that a picture is always there.
    if picture is None:
        raise PhotoNotReadableError(f"'{name}' is not a readable picture.")
    return picture
