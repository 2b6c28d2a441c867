# SPDX-License-Identifier: GPL-3.0-or-later
"""Extended Yale B, cropped: normals against photometric stereo. The whole pipeline runs, detector included."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hffne.datasets.yaleb import LIGHTS, SOURCE, YalePhoto
from hffne.evaluation import ground_truth
from hffne.evaluation.contact_sheet import RowCollector
from hffne.evaluation.ground_truth import FaceResult, table
from hffne.evaluation.specular_bias import apply_specular_bias, measure_specular_strength
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo

if TYPE_CHECKING:
    from hffne.pipeline import Engine

__all__ = ["FaceResult", "as_dict", "evaluate", "table"]


def evaluate(
    engine: "Engine",
    items: Sequence[YalePhoto],
    merged: bool = True,
    report: Callable[[str], object] = print,
    rows: RowCollector | None = None,
) -> list[FaceResult]:
    """Run the pipeline on photos: a FaceResult each. rows: collects the contact sheet's rows. Raises HffneError."""
    results: list[FaceResult] = []
    strengths: dict[str, float | None] = {}
    for item in items:
        photo = load_photo(item.photo)
        normal, mask = item.ground_truth()
        if mask.shape != photo.rgb.shape[:2]:
            raise SOURCE.broken(item.photo, "its size differs from that of its normals.")
        if item.person not in strengths:
            strengths[item.person] = _specular_strength(item, normal, mask)
        strength = strengths[item.person]
        bias = None if strength is None else partial(apply_specular_bias, strength=strength, lights=LIGHTS)
        result = FaceResult(item.person, item.light, specular_strength=strength)
        ground_truth.measure(engine, photo, find_faces(photo), normal, mask, result, merged, rows, bias)
        results.append(result)
        report(ground_truth.progress_line(result))
    return results


def _specular_strength(item: YalePhoto, normal: np.ndarray, mask: np.ndarray) -> float | None:
    """The skin's, or None where the person was photographed under too few lights."""
    photos, lights = item.under_all_lights()
    if len(photos) and photos.shape[1:] != mask.shape:
        raise SOURCE.broken(item.source, "the size of other photos of this person differs from that of the normals.")
    return measure_specular_strength(photos, lights, normal, mask)


def as_dict(results: Sequence[FaceResult]) -> dict[str, Any]:
    """The report as plain data."""
    return ground_truth.as_dict(results, "yaleb", "person", "light")
