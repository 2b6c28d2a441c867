# SPDX-License-Identifier: GPL-3.0-or-later
"""Floating-point TIFFs, by OpenCV: Pillow does not read those of colors, and gray ones in part wrongly."""

from pathlib import Path
from typing import Any

import numpy as np

from hffne.errors import PhotoTooLargeError

# Pixels; three floats each.
MOST_PIXELS = 50_000_000
_WIDTH, _HEIGHT, _SAMPLES, _FORMAT = 256, 257, 277, 339
_FLOAT = 3


def read(path: Path, tags: dict[int, Any]) -> np.ndarray | None:
    """The pixels (H, W, 3) or (H, W) float32 of such a file, None where it is another kind. Raises PhotoTooLargeError.

    tags  of the file's first directory, by their numbers
    """
    kind = tags.get(_FORMAT, 1)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if set(kinds) != {_FLOAT} or int(tags.get(_SAMPLES, 1)) == 2:
        return None
    width, height = int(tags.get(_WIDTH, 0)), int(tags.get(_HEIGHT, 0))
    if width * height > MOST_PIXELS:
        most = MOST_PIXELS // 1_000_000
        raise PhotoTooLargeError(f"'{path}' has {width} x {height} pixels; at most {most} million of this kind.")
    import cv2

    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.dtype.kind != "f":
        return None
    if picture.ndim == 2:
        return np.ascontiguousarray(picture, np.float32)
    if picture.shape[2] < 3:
        return None
    return np.ascontiguousarray(picture[..., 2::-1], np.float32)
