# SPDX-License-Identifier: GPL-3.0-or-later
"""The normals of eyes, mouth and base of the nose, looked at from close up, within those of a face's crop."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from hffne.geometry.feature_squares import CLOSE, Square, eye_squares, mouth_square, round_lids, round_lips, round_nose
from hffne.geometry.grids import blur
from hffne.geometry.vectors import normalize, rotate_between
from hffne.photo.crop import CROP, Crop, extract_crop

# Pictures (K, CLOSE, CLOSE, 3) sRGB in 0..1 and their coarse normals (K, CLOSE, CLOSE, 3) -> truer ones.
Look = Callable[[np.ndarray, np.ndarray], np.ndarray]
# Relief finer than this sigma, in pixels of 256, is the fine network's: of held-out heads the eyes are off by 14.7
# degrees with 1, by 14.8 with 1.6, and by 15.1 where it has all that it has elsewhere (version 17); by 12.4 with 1 and
# 12.3 with 0.6 (version 19).
_FINER = 0.6
# How much of the normals of mouth and base of the nose is the mouth network's; the rest stays the coarse network's,
# which errs otherwise. Tip and wings of held-out heads are off by 12.4 degrees without, by 9.9 with 0.6, a head scan's
# by 13.4 and 12.9; those of ten faces of a photometric stereo, whose photos show little of nostrils, by 14.0 and 14.7.
_MOUTH = 0.6
_MIRROR = np.array([-1, 1, 1], np.float32)


@dataclass(frozen=True)
class FeatureNormals:
    """Both eyes and the mouth of a face on a crop.

    squares     where right eye, left eye and mouth lie on the crop at 256
    normals     (3, CLOSE, CLOSE, 3) float32 unit normals on them, camera space
    lids, mouth (256, 256) float32 0..1: how far the crop's pixels take them; the mouth with the base of the nose
    """

    squares: tuple[Square, Square, Square]
    normals: np.ndarray
    lids: np.ndarray
    mouth: np.ndarray

    def on(self, normal: np.ndarray) -> np.ndarray:
        """Unit normals (S, S, 3) of the crop with those of eyes and mouth in their places."""
        return self._put(normal, lambda close, _: close)

    def beneath(self, normal: np.ndarray) -> np.ndarray:
        """The same, with the finest relief of `normal` on top."""
        width = _FINER * len(normal) / CROP

        def relief(close: np.ndarray, own: np.ndarray) -> np.ndarray:
            low, high = (normalize(blur(each, width)) for each in (own, close))
            return rotate_between(own, low, high)

        return self._put(normal, relief)

    def _put(self, normal: np.ndarray, mixed: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        size = len(normal)
        result = normal.copy()
        lids, mouth = (
            cv2.resize(each, (size, size), interpolation=cv2.INTER_LINEAR) for each in (self.lids, self.mouth)
        )
        for square, close, shares in zip(self.squares, self.normals, (lids, lids, mouth), strict=True):
            square = square.at(size / CROP)
            left, top = (int(np.clip(middle - square.side / 2, 0, size - 1)) for middle in (square.x, square.y))
            right, bottom = (int(np.clip(middle + square.side / 2, 1, size)) for middle in (square.x, square.y))
            if right <= left or bottom <= top:
                continue
            part = slice(top, bottom), slice(left, right)
            matrix = replace(square, x=square.x - left, y=square.y - top).matrix()
            shrink = CLOSE / square.side
            picture = cv2.GaussianBlur(close, (0, 0), 0.4 * shrink) if shrink > 1.2 else close
            extent = right - left, bottom - top
            shown = cv2.warpAffine(picture, matrix, extent, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            own, share = result[part], shares[part][..., None]
            result[part] = normalize(mixed(normalize(shown), own) * share + own * (1 - share))
        return result


def look_at_features(
    rgb: np.ndarray, crop: Crop, coarse: np.ndarray, landmarks: np.ndarray, seen: np.ndarray, eyes: Look, mouth: Look
) -> FeatureNormals:
    """The normals round lids, lips and the base of the nose of the face on a crop, as seen from close up.

    rgb (H, W, 3): the photo; coarse (256, 256, 3): normals on the crop; landmarks (68, 2+): iBUG, in its pixels at 256;
    seen (256, 256) 0..1: where nothing covers the face.
    """
    crop = crop.resized(CROP)
    squares = (*eye_squares(landmarks), mouth_square(landmarks))
    pictures, normals = [], []
    for square in squares:
        x, y = crop.to_photo(np.array([square.x, square.y], np.float32)) + 0.5
        close = extract_crop(rgb, Crop(float(x), float(y), square.side * crop.side / CROP, CLOSE, crop.turns))
        pictures.append(close.astype(np.float32))
        normals.append(normalize(square.cut(coarse)).astype(np.float32))
    # The left eye mirrored, and the mouth both ways, so that a mirrored photo gives mirrored normals.
    right, left = eyes(np.stack([pictures[0], pictures[1][:, ::-1]]), np.stack([normals[0], _mirrored(normals[1])]))
    below, coarse_lower = pictures[2], normals[2]
    plain, mirrored = mouth(np.stack([below, below[:, ::-1]]), np.stack([coarse_lower, _mirrored(coarse_lower)]))
    lower = _MOUTH * normalize(plain + _mirrored(mirrored)) + (1 - _MOUTH) * coarse_lower
    found = [right, _mirrored(left), normalize(lower)]
    lids, lips, nose = (near(landmarks, CROP) * seen for near in (round_lids, round_lips, round_nose))
    return FeatureNormals(
        squares, np.stack(found).astype(np.float32), lids.astype(np.float32), np.maximum(lips, nose).astype(np.float32)
    )


def _mirrored(normal: np.ndarray) -> np.ndarray:
    return normal[:, ::-1] * _MIRROR
