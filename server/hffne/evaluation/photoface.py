# SPDX-License-Identifier: GPL-3.0-or-later
"""Photoface (Table 1): normals against photometric stereo of the same session, on the held-out share.

Each of a session's four photos is paired with the session's normals. The face is the ellipse of the detector's
box on the mean of the four photos, so it does not depend on the method that is measured.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hffne.datasets.photoface import PhotofaceSession
from hffne.errors import BenchmarkError, HffneError
from hffne.evaluation import ground_truth
from hffne.evaluation.contact_sheet import RowCollector
from hffne.evaluation.ground_truth import FaceResult, face_region, measure, progress_line, table
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo

if TYPE_CHECKING:
    from hffne.pipeline import Engine

__all__ = ["as_dict", "evaluate", "table"]


def evaluate(
    engine: "Engine",
    sessions: Sequence[PhotofaceSession],
    merged: bool = True,
    report: Callable[[str], object] = print,
    rows: RowCollector | None = None,
) -> tuple[list[FaceResult], list[str]]:
    """Run the pipeline on the photos of sessions: a FaceResult per photo, and the names of the sessions left out.

    A session with damaged files, or without a face, is reported and left out. Raises HffneError when none is left.
    """
    results, left_out = [], []
    for session in sessions:
        try:
            pictures = session.read()
            normal, mask = session.ground_truth(pictures)
            plain = session.plain_truth(pictures)
        except HffneError as error:
            report(f"{session.name}: {error.message} Left out.")
            left_out.append(session.name)
            continue
        mean = np.mean(pictures, axis=0).round().astype(np.uint8)
        faces = find_faces(mean)
        mask = mask & face_region(faces[0], mask.shape) if faces else np.zeros_like(mask)
        if not mask.any():
            report(f"{session.name}: no face on the mean of its photos. Left out.")
            left_out.append(session.name)
            continue
        for path, picture in zip(session.photos, pictures, strict=True):
            photo = Photo(picture, path)
            result = FaceResult(session.name, path.stem)
            results.append(measure(engine, photo, find_faces(photo), normal, mask, result, merged, rows, plain=plain))
            report(progress_line(result))
    if not results:
        raise BenchmarkError(
            "No session of Photoface could be measured.",
            hint="The reason for each is reported above.",
        )
    return results, left_out


def as_dict(results: Sequence[FaceResult]) -> dict[str, Any]:
    """The report as plain data."""
    return ground_truth.as_dict(results, "photoface", group="photo")
