# SPDX-License-Identifier: GPL-3.0-or-later
"""Florence (Table 2): normals against those of the scan that the photo is rendered from.

The face is the ellipse of the detector's box on the rendered photo.
"""

from hffne.errors import BenchmarkError, HffneError
from hffne.evaluation.ground_truth import FaceResult, as_dict, face_region, measure, table, told
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo

__all__ = ["as_dict", "evaluate", "table"]


def evaluate(engine, scans, merged=True, report=print, rows=None, size=512):
    """Run the product on rendered scans (datasets.florence.Scan): FaceResults, and the names of the left out.

    size: of the rendered photos in pixels. A scan without a face that the detector finds is measured whole, as flat.
    One whose files are bad is told and left out. Raises HffneError when none is left.
    """
    results, left_out = [], []
    for scan in scans:
        try:
            rgb, normal, mask = scan.render(size)
        except HffneError as error:
            report(f"{scan.name}: {error.message} Left out.")
            left_out.append(scan.name)
            continue
        faces = find_faces(rgb)
        if faces and (mask & face_region(faces[0], mask.shape)).any():
            mask = mask & face_region(faces[0], mask.shape)
        results.append(measure(engine, Photo(rgb, scan.path), faces, normal, mask, FaceResult(scan.name), merged, rows))
        report(told(results[-1]))
    if not results:
        raise BenchmarkError("No scan of Florence could be measured.", hint="What is wrong with each is told above.")
    return results, left_out
