# SPDX-License-Identifier: GPL-3.0-or-later
"""A photo with its face's estimate and MediaPipe's landmarks, for benchmarks on photos without ground truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hffne.errors import HffneError
from hffne.evaluation.landmark_finder import LandmarkFinder
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo, load_photo

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate
    from hffne.pipeline import Engine


@dataclass(frozen=True)
class MarkedPhoto:
    """The largest face of a photo: its estimate, and its 478 landmarks (478, 3) in pixels of the photo."""

    photo: Photo
    estimate: "FaceEstimate"
    points: np.ndarray


def mark_photo(engine: "Engine", finder: LandmarkFinder, path: Path) -> "MarkedPhoto | str":
    """Read a photo, estimate its largest face and find its landmarks; where that fails, the reason why."""
    try:
        photo = load_photo(path)
        faces = find_faces(photo)
        if not faces:
            return "no face found"
        estimate = engine.normals(photo, faces[0])
    except HffneError as error:
        return error.message
    points = finder.find(photo.rgb, faces[0].box)
    return "no landmarks" if points is None else MarkedPhoto(photo, estimate, points)
