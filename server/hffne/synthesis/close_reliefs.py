# SPDX-License-Identifier: GPL-3.0-or-later
"""Relief for close-ups: wrinkles, folds and pores down to 0.2 mm, from scans, painted heights and procedures.

A map is (S, S, 3) over the position map's -1..1: slopes along the texture's right and up (see `relief_maps`), and how
hollow the surface is (1 at the bottom of a deep wrinkle), which darkens it.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from hffne.geometry.uv import landmark_uvs
from hffne.photo.pictures import read_picture
from hffne.synthesis import relief_maps
from hffne.synthesis.relief_maps import SCAN_EYE_ROW, SCAN_MIDDLE, SCAN_UNIT, fading, height_slopes

SIZE = 1536  # a texel is about 0.16 mm on the face
LEVELS = 4  # each half the size of the one before
UP = SIZE // relief_maps.SIZE
# Where iBUG points lie on MB-Lab's painted heights of a face (human_*_bump_face.png, shrunk to 900 x 698), by eye.
_PAINTED = {
    0: (95, 400), 2: (120, 560), 4: (210, 640), 8: (450, 668), 12: (690, 640), 14: (780, 560), 16: (805, 400),
    17: (250, 320), 19: (330, 285), 21: (415, 310), 22: (485, 310), 24: (570, 285), 26: (650, 320),
    27: (450, 375), 30: (450, 470), 31: (405, 500), 33: (450, 508), 35: (495, 500),
    36: (278, 368), 37: (320, 338), 38: (362, 342), 39: (398, 385), 40: (362, 408), 41: (320, 405),
    42: (502, 385), 43: (538, 342), 44: (580, 338), 45: (622, 368), 46: (580, 405), 47: (538, 408),
    48: (405, 548), 51: (450, 530), 54: (495, 548), 57: (450, 572),
}  # fmt: skip
_PAINTED_WIDTH = 900
_PAINTED_SKIN = (450, 420), (345, 238)  # the painted face's ellipse: its middle and half axes
_EYE, _EYE_SIZE = (0.25, 0.25), (0.13, 0.05)  # in our layout; painted and scanned eyes are closed
_FOLD, _PORE = 24.0, 3.0  # sigmas in texels: broader forms belong to the shape; what is finer is pores


@dataclass
class Heights:
    """Heights (S, S) float32 in our layout, of any unit: painted faces with the wrinkles of age, and a scan's.

    skin (S, S, 1): 1 where the painted ones show a face.
    """

    painted: list[np.ndarray]
    scan: np.ndarray | None
    skin: np.ndarray


def load_heights(painted: str | Path | None, scan: str | Path | None) -> Heights:
    """Read MB-Lab's folder (human_*_bump_face.png) and a scan's displacement map, either may be None.

    Raises PhotoNotReadableError.
    """
    files = sorted(Path(painted).glob("human_*_bump_face.png")) if painted else []
    maps = []
    x, y = _painted_places()
    (middle_x, middle_y), (wide, high) = _PAINTED_SKIN
    skin = np.clip((1 - np.hypot((x - middle_x) / wide, (y - middle_y) / high)) * 12, 0, 1)[..., None]
    for path in files:
        picture = read_picture(path)
        factor = np.float32(picture.shape[1] / _PAINTED_WIDTH)
        smooth = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.8)  # its 256 steps are terraces
        maps.append(cv2.remap(smooth, x * factor, y * factor, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    return Heights(maps, _scan_height(read_picture(scan)) if scan else None, skin * _beside_eyes())


def _grid() -> tuple[np.ndarray, np.ndarray]:
    axis = ((np.arange(SIZE) + 0.5) / SIZE * 2 - 1).astype(np.float32)
    u, v = np.meshgrid(axis, -axis)
    return u, v


def _painted_places() -> tuple[np.ndarray, np.ndarray]:
    """Where each of our texels lies on a painted face: x, y (S, S) float32 in pixels of 900 x 698."""
    ours = landmark_uvs()[list(_PAINTED)] * 2 - 1
    warp = RBFInterpolator(ours, np.array(list(_PAINTED.values()), float), kernel="thin_plate_spline", smoothing=1e-4)
    axis = (np.arange(64) + 0.5) / 64 * 2 - 1
    u, v = np.meshgrid(axis, -axis)
    places = warp(np.stack([u.ravel(), v.ravel()], 1)).reshape(64, 64, 2).astype(np.float32)
    x, y = cv2.split(cv2.resize(places, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC))
    return x, y


def _beside_eyes() -> np.ndarray:
    """Weights (S, S, 1): little where a closed eye's lids meet."""
    u, v = _grid()
    far = np.hypot((np.abs(u) - _EYE[0]) / _EYE_SIZE[0], (v - _EYE[1]) / _EYE_SIZE[1])
    return np.clip((far - 0.6) * 2, 0.1, 1)[..., None]


def _scan_height(picture: np.ndarray) -> np.ndarray:
    side = len(picture)
    u, v = _grid()
    columns = (SCAN_MIDDLE + u * SCAN_UNIT[0]) * side - 0.5
    rows = (SCAN_EYE_ROW - (v - relief_maps.EYE_HEIGHT) * SCAN_UNIT[1]) * side - 0.5
    smooth = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 1.0)
    return cv2.remap(smooth, columns, rows, cv2.INTER_CUBIC)


def close_relief(rng: np.random.Generator, heights: Heights) -> np.ndarray:
    """One random map (S, S, 3) float16, see the module; from smooth young skin to deep wrinkles."""
    age = rng.random() ** 1.3
    folds = np.zeros((SIZE, SIZE, 2), np.float32)
    pores = np.zeros((SIZE, SIZE, 2), np.float32)
    drawn = relief_maps.wrinkles(rng, age if rng.random() < 0.6 else 0.0)
    folds += height_slopes(cv2.resize(drawn, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) * UP)
    if heights.painted and rng.random() < 0.65:
        fold, pore = _bands(_warped(rng, heights.painted[rng.integers(len(heights.painted))]), heights.skin)
        folds += fold / _strong(fold) * np.float32(rng.uniform(0.1, 0.15 + 0.75 * age))
        pores += pore / pore.std() * np.float32(rng.uniform(0, 0.07))
    if heights.scan is not None and rng.random() < 0.65:
        fold, pore = _bands(_warped(rng, heights.scan), _beside_eyes())
        folds += fold / _strong(fold) * np.float32(rng.uniform(0.1, 0.3 + 0.4 * age))
        pores += pore / pore.std() * np.float32(rng.uniform(0, 0.09))
    if rng.random() < 0.7:
        pores += _pores(rng) * _places(rng) * np.float32(rng.uniform(0, 0.12))
    slopes = np.clip(folds, -1.4, 1.4) * _places(rng, 0.4) + np.clip(pores, -0.6, 0.6)
    hollow = cv2.GaussianBlur(_hollow(folds), (0, 0), 3.0)
    hollow = np.clip(hollow / max(float(np.quantile(hollow[::4, ::4], 0.995)), 0.02), 0, 1)
    return (np.dstack([slopes, hollow]) * fading(SIZE)).astype(np.float16)


def _bands(height: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slopes of a height's folds, and of its pores; weight (S, S, 1)."""
    slopes = height_slopes(height)
    slopes = (slopes - _blurred(slopes, _FOLD)) * weight
    fold = cv2.GaussianBlur(slopes, (0, 0), _PORE)
    return fold, slopes - fold


def _blurred(layer: np.ndarray, sigma: float) -> np.ndarray:
    """A broad Gaussian blur, computed at a quarter of the size."""
    small = cv2.resize(layer, (SIZE // 4, SIZE // 4), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 4), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)


def _strong(slopes: np.ndarray) -> np.float32:
    """The slope that one texel of the face in a hundred exceeds."""
    middle = slopes[SIZE // 5 : -SIZE // 5 : 4, SIZE // 4 : -SIZE // 4 : 4]
    return np.float32(max(float(np.quantile(np.abs(middle), 0.99)), 1e-6))


def _hollow(slopes: np.ndarray) -> np.ndarray:
    """How concave the surface is: its slopes (S, S, 2) lean toward each other."""
    across = cv2.Sobel(slopes[..., 0], cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    along = cv2.Sobel(slopes[..., 1], cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.maximum(along - across, 0)


def _warped(rng: np.random.Generator, height: np.ndarray) -> np.ndarray:
    """The height of another face: mirrored at random, and moved smoothly by some millimeters."""
    if rng.random() < 0.5:
        height = height[:, ::-1]
    shift = cv2.GaussianBlur(rng.normal(size=(96, 96, 2)).astype(np.float32), (0, 0), 10)
    shift = cv2.resize(
        shift / shift.std() * np.float32(rng.uniform(5, 25)), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC
    )
    x, y = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))
    return cv2.remap(
        np.ascontiguousarray(height),
        x + shift[..., 0],
        y + shift[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )


def _pores(rng: np.random.Generator) -> np.ndarray:
    """Slopes (S, S, 2) of unit deviation: pits of 0.2 to 0.6 mm, or the fine net of skin's lines."""
    noise = rng.normal(size=(SIZE, SIZE)).astype(np.float32)
    size = rng.uniform(0.8, 2.2)
    height = cv2.GaussianBlur(noise, (0, 0), size) - cv2.GaussianBlur(noise, (0, 0), size * 2)
    height /= height.std()
    if rng.random() < 0.6:
        height = -np.maximum(height - np.float32(rng.uniform(0, 1.2)), 0)  # pits in level skin
    slopes = height_slopes(height)
    return slopes / slopes.std()


def _places(rng: np.random.Generator, least: float = 0.0) -> np.ndarray:
    """Weights (S, S, 1): where on a face relief is strong, some of it smooth."""
    place = cv2.resize(rng.uniform(-0.4, 1.4, (6, 6)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return np.clip(place, least, 1)[..., None]


def build_close_reliefs(folder: str | Path, heights: Heights, count: int = 40, seed: int = 0) -> None:
    """Write `count` maps to `folder`/close_reliefs_0.npy, and halves of them to _1, _2 ...: (count, S, S, 3)."""
    arrays = [
        np.lib.format.open_memmap(
            Path(folder) / f"close_reliefs_{k}.npy", "w+", np.float16, (count, SIZE >> k, SIZE >> k, 3)
        )
        for k in range(LEVELS)
    ]
    for index in range(count):
        relief = close_relief(np.random.default_rng([seed, 2, index]), heights)
        for level, array in enumerate(arrays):
            side = SIZE >> level
            array[index] = cv2.resize(relief.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
