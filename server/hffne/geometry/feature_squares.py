# SPDX-License-Identifier: GPL-3.0-or-later
"""The squares of a face's crop on which its eyes and its mouth are looked at from close up."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from hffne.geometry.feature_masks import EYES, LIPS, eye_distance, round_base_of_nose, round_eyes, round_mouth

CLOSE = 128  # pixels along a side of a square, as the network sees it
_EYE_SIDE, _MOUTH_SIDE = 0.9, 1.25  # of squares, in distances of the eyes
_BASE_OF_NOSE, _UP = 33, 0.45  # the mouth's square lies by this share of the way higher, toward that point
# How far round lids and lips it counts, and round the nose's base, in distances of the eyes; and how softly it ends, of
# the picture's side.
_REACH, _NOSE_REACH, _SOFT = 0.14, 0.17, 0.008


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

    def within(self, size: int) -> "tuple[tuple[slice, slice], Square]":
        """The rows and columns of a picture of `size` pixels that hold the square and what is around it, and the square
        on that part. One that lies beside the picture has the part at its edge."""
        first, last = (
            [int(np.clip(middle + sign * self.side, 0, size - 1)) for middle in (self.x, self.y)] for sign in (-1, 1)
        )
        part = slice(first[1], last[1] + 1), slice(first[0], last[0] + 1)
        return part, replace(self, x=self.x - first[0], y=self.y - first[1])

    def at(self, ratio: float) -> "Square":
        """The same on a picture that is `ratio` times as large."""
        return Square((self.x + 0.5) * ratio - 0.5, (self.y + 0.5) * ratio - 0.5, self.side * ratio, self.turn)


def eye_squares(points: np.ndarray) -> tuple[Square, Square]:
    """Those of both eyes by the iBUG points (68, 2+), in pixels of the crop."""
    side = _EYE_SIDE * eye_distance(points)
    right, left = (Square(float(points[eye, 0].mean()), float(points[eye, 1].mean()), side) for eye in EYES)
    return right, left


def mouth_square(points: np.ndarray) -> Square:
    """That of the mouth and the base of the nose, likewise."""
    mouth = points[LIPS, :2].mean(0)
    x, y = mouth + _UP * (points[_BASE_OF_NOSE, :2] - mouth)
    return Square(float(x), float(y), _MOUTH_SIDE * eye_distance(points))


def round_lids(points: np.ndarray, size: int) -> np.ndarray:
    """(S, S) float32 0..1: where a picture shows eyes and what is round them. points (68, 2+): iBUG, in pixels."""
    return cv2.GaussianBlur(round_eyes(points, size, _REACH), (0, 0), _SOFT * size)


def round_lips(points: np.ndarray, size: int) -> np.ndarray:
    """The same of the mouth."""
    return cv2.GaussianBlur(round_mouth(points, size, _REACH), (0, 0), _SOFT * size)


def round_nose(points: np.ndarray, size: int) -> np.ndarray:
    """The same of the base of the nose: tip, wings and nostrils."""
    return cv2.GaussianBlur(round_base_of_nose(points, size, _NOSE_REACH), (0, 0), _SOFT * size)
