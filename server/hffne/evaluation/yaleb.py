# SPDX-License-Identifier: GPL-3.0-or-later
"""Extended Yale B, cropped: normals against photometric stereo. The whole product runs, detector included."""

from functools import partial

from hffne.datasets.yaleb import LIGHTS, SOURCE
from hffne.evaluation import ground_truth
from hffne.evaluation.ground_truth import FaceResult, table
from hffne.evaluation.specular_bias import measured_gloss, taken_for_matte
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo

__all__ = ["FaceResult", "as_dict", "evaluate", "table"]


def evaluate(engine, items, merged=True, report=print, rows=None):
    """Run the product on photos (datasets.yaleb.Item): a list of FaceResult. rows: a sheet.BestAndWorst, or None."""
    results, glosses = [], {}
    for item in items:
        photo = load_photo(item.photo)
        normal, mask = item.truth()
        if mask.shape != photo.rgb.shape[:2]:
            raise SOURCE.broken(item.photo, "it has another size than its normals.")
        if item.person not in glosses:
            glosses[item.person] = _gloss(item, normal, mask)
        gloss = glosses[item.person]
        seen = None if gloss is None else partial(taken_for_matte, gloss=gloss, lights=LIGHTS)
        result = FaceResult(item.person, item.light, gloss=gloss)
        results.append(ground_truth.measure(engine, photo, find_faces(photo), normal, mask, result, merged, rows, seen))
        report(ground_truth.told(results[-1]))
    return results


def _gloss(item, normal, mask):
    """The skin's, or None where the person was photographed under too few lights."""
    photos, lights = item.under_all_lights()
    if len(photos) and photos.shape[1:] != mask.shape:
        raise SOURCE.broken(item.source, "other photos of this person have another size than its normals.")
    return measured_gloss(photos, lights, normal, mask)


def as_dict(results):
    """The report as plain data."""
    return ground_truth.as_dict(results, "yaleb", "person", "light")
