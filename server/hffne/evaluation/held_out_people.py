# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendered people of a training set whom training never saw, one estimate each."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from hffne.errors import HffneError, NoFaceError
from hffne.estimate import FaceEstimate
from hffne.parts import BACKGROUND
from hffne.photo.crop import CROP
from hffne.photo.detect import find_faces
from hffne.photo.image_input import as_photo
from hffne.photo.load import Photo
from hffne.synthesis.parsing_set import HELD_OUT_PEOPLE
from hffne.synthesis.training_set import TrainingSet

if TYPE_CHECKING:
    from hffne.pipeline import Engine

Result = TypeVar("Result")


def measure(
    engine: "Engine",
    folder: str | Path,
    one: Callable[[int, Photo, FaceEstimate, np.ndarray], Result],
    report: Callable[[str], None] = lambda _: None,
) -> list[Result | None]:
    """The results of `one` for the held-out pictures of a set that `synthesis.parsing_set` made; None where no face is
    found, or that of somebody in the background.

    one: of the picture's number, the photo, the estimate and the face on it (H, W) bool. Raises TrainingSetError.
    """
    data = TrainingSet(folder).arrays(HELD_OUT_PEOPLE)
    results: list[Result | None] = []
    for number, (rgb, part) in enumerate(zip(data["rgb"], data["part"], strict=True)):
        result = None
        try:
            photo = as_photo(np.asarray(rgb))
            faces = find_faces(photo)
            if not faces:
                raise NoFaceError("no face")
            estimate = engine.normals(photo, faces[0])
            shape = photo.rgb.shape[:2]
            seen = estimate.resample_to_photo(np.ones((CROP, CROP), np.float32), shape) > 0.5
            face = seen & (estimate.resample_to_photo(estimate.mask.astype(np.float32), shape) > 0.5)
            if is_another(face, np.asarray(part)):
                raise NoFaceError("another face, on the photo in the background")
            result = one(number, photo, estimate, face)
        except HffneError as error:
            report(f"{number}: {error.message}")
        results.append(result)
        report(f"{number + 1}/{len(data['part'])}")
    return results


def is_another(face: np.ndarray, truth: np.ndarray) -> bool:
    """Whether a found face (H, W) bool lies on the background of the true parts (H, W), a photo that shows people."""
    return bool(face.any()) and float((truth[face] == BACKGROUND).mean()) > 0.5
