# SPDX-License-Identifier: GPL-3.0-or-later
"""Which landmarks of a face correspond to which points of the target."""

import bpy
import numpy as np

from ..numeric import similarity
from ..numeric.detail_source import DetailSource
from ..numeric.world_surface import WorldSurface
from . import fit, landmarks
from .errors import TransferError
from .find_landmarks import find_landmarks
from .read_face import whole_surface
from .steps import StepGenerator

# A landmark that the engine detected on something else (a shoulder behind the chin) is this many times farther off
# than the median.
OUTLIER = 4.0
# Removing outliers moves the fit, so it is repeated.
ROUNDS = 3

# The pairs (None: the face already lies on the target), and whether they are exact, see `fit.fit`.
Alignment = tuple[fit.LandmarkPairs | None, bool]


def align(
    face: bpy.types.Object, target: bpy.types.Object, source: DetailSource, surface: WorldSurface, method: str
) -> StepGenerator[Alignment]:
    """The landmark pairs for `fit.fit`: a generator, see `operators.bases.background`.

    source, surface  the face and the target as arrays
    method           "PLACED", "LANDMARKS" (those on the target) or "AUTO": those on the target if there are any, else
                     the engine detects them

    Raises TransferError.
    """
    placed, points = landmarks.positions(target)
    if method == "PLACED":
        return None, True
    if method == "LANDMARKS" or (method == "AUTO" and len(placed)):
        if len(placed) < fit.FEWEST_LANDMARKS:
            raise TransferError(
                "few_landmarks", f"'{target.name}' has {len(placed)} landmarks.", "Add them first, then move them."
            )
        if source.landmarks is None:
            raise no_landmarks(face.name)
        return (source.landmarks[placed], points), True
    target_matrix, face_matrix = (np.array(obj.matrix_world) for obj in (target, face))
    on_target = yield from find_landmarks(surface, target_matrix, landmarks.DETECTED)
    try:
        # Detected in the same way on both, systematic errors cancel.
        on_face = yield from find_landmarks(whole_surface(face), face_matrix, landmarks.DETECTED, source)
    except TransferError:
        if source.landmarks is None:
            raise
        on_face = source.landmarks[list(landmarks.DETECTED)]
    return _without_outliers(on_face, on_target), False


def no_landmarks(name: str) -> TransferError:
    """The error of a face without landmarks."""
    return TransferError("no_landmarks", f"The face '{name}' has no landmarks.", "Generate it again.")


def _without_outliers(source: np.ndarray, target: np.ndarray) -> fit.LandmarkPairs:
    """The pairs (K, 3) except those far from where a similarity of the others takes them."""
    keep = np.ones(len(source), bool)
    for _ in range(ROUNDS):
        off = np.linalg.norm(similarity.from_pairs(source[keep], target[keep])(source) - target, axis=1)
        keep = off <= OUTLIER * np.median(off)
    return source[keep], target[keep]
