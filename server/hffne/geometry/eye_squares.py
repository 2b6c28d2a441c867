# SPDX-License-Identifier: GPL-3.0-or-later
"""The squares of a face's crop on which its eyes are looked at from close up."""

from dataclasses import dataclass

import cv2
import numpy as np

from hffne.geometry.feature_masks import EYES, eye_distance, round_eyes

CLOSE = 128  # pixels along a side of a square, as the network sees it
_SIDE = 0.9  # of a square, in distances of the eyes
# How far round the lids eyes are looked at, in distances of the eyes, and how softly it ends, of the picture's side.
_REACH, _SOFT = 0.14, 0.008


@dataclass(frozen=True)
class Square:
    """x, y: the middle, in pixels of the crop; side in pixels; turn in radians, clockwise on the screen."""

    x: float
    y: float
    side: float
    turn: float = 0.0

    def matrix(self, size: int = CLOSE) -> np.ndarray:
        """(2, 3): pixels of the square, `size` along a side, to the crop's pixels."""
        step = self.side / size
        cosine, sine = np.cos(self.turn) * step, np.sin(self.turn) * step
        rotation = np.array([[cosine, -sine], [sine, cosine]])
        offset = np.array([self.x, self.y]) - rotation @ np.full(2, (size - 1) / 2)
        return np.concatenate([rotation, offset[:, None]], 1)

    def cut(self, picture: np.ndarray, size: int = CLOSE) -> np.ndarray:
        """A picture's (S, S, ...) square, `size` pixels along a side, averaged where it becomes smaller."""
        shrink = self.side / size
        if shrink > 1.2:
            picture = cv2.GaussianBlur(picture, (0, 0), 0.4 * shrink)
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        return cv2.warpAffine(picture, self.matrix(size), (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)

    def at(self, ratio: float) -> "Square":
        """The same on a picture that is `ratio` times as large."""
        return Square((self.x + 0.5) * ratio - 0.5, (self.y + 0.5) * ratio - 0.5, self.side * ratio, self.turn)


def eye_squares(points: np.ndarray) -> tuple[Square, Square]:
    """Those of both eyes by the iBUG points (68, 2+), in pixels of the crop."""
    side = _SIDE * eye_distance(points)
    right, left = (Square(float(points[eye, 0].mean()), float(points[eye, 1].mean()), side) for eye in EYES)
    return right, left


def round_lids(points: np.ndarray, size: int) -> np.ndarray:
    """(S, S) float32 0..1: where a picture shows eyes and what is round them. points (68, 2+): iBUG, in pixels."""
    return cv2.GaussianBlur(round_eyes(points, size, _REACH), (0, 0), _SOFT * size)
