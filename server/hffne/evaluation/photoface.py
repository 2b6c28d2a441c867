# SPDX-License-Identifier: GPL-3.0-or-later
"""Photoface (Table 1): normals against photometric stereo of the same session, on the held-out share.

Each of a session's four photos is one pair with the session's normals. The face is the ellipse of the detector's
box on the mean of the four photos, so it does not depend on what is measured.
"""

import numpy as np

from hffne.errors import BenchmarkError, HffneError
from hffne.evaluation.ground_truth import FaceResult, as_dict, face_region, measure, table, told
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo

__all__ = ["as_dict", "evaluate", "table"]


def evaluate(engine, sessions, merged=True, report=print, rows=None):
    """Run the product on the photos of sessions (datasets.photoface.Session): FaceResults, one a photo, and the left out.

    A session whose files are bad, or that shows no face, is told and left out. Raises HffneError when none is left.
    """
    results, left_out = [], []
    for session in sessions:
        try:
            pictures = session.read()
            normal, mask = session.truth(pictures)
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
        for path, picture in zip(session.photos, pictures):
            photo = Photo(picture, path)
            results.append(
                measure(
                    engine, photo, find_faces(photo), normal, mask, FaceResult(session.name, path.stem), merged, rows
                )
            )
            report(told(results[-1]))
    if not results:
        raise BenchmarkError(
            "No session of Photoface could be measured.",
            hint="What is wrong with each is told above.",
        )
    return results, left_out
