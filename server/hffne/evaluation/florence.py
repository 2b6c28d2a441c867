# SPDX-License-Identifier: GPL-3.0-or-later
"""Florence (Table 2): normals against those of the scan from which the photo is rendered.

The face is the ellipse of the detector's box on the rendered photo.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hffne.datasets.florence import FlorenceScan
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
    scans: Sequence[FlorenceScan],
    merged: bool = True,
    report: Callable[[str], object] = print,
    rows: RowCollector | None = None,
    size: int = 512,
) -> tuple[list[FaceResult], list[str]]:
    """Run the pipeline on rendered scans: a FaceResult each, and the names of the scans left out.

    size: of the rendered photos in pixels. A scan without a detected face is measured whole, as flat. A scan with
    damaged files is reported and left out. Raises HffneError when none is left.
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
        results.append(
            measure(
                engine, Photo(rgb, Path(f"{scan.name}.png")), faces, normal, mask, FaceResult(scan.name), merged, rows
            )
        )
        report(progress_line(results[-1]))
    if not results:
        raise BenchmarkError("No scan of Florence could be measured.", hint="The reason for each is reported above.")
    return results, left_out


def as_dict(results: Sequence[FaceResult]) -> dict[str, Any]:
    """The report as plain data."""
    return ground_truth.as_dict(results, "florence")
