# SPDX-License-Identifier: GPL-3.0-or-later
"""Extended Yale B, cropped: normals against photometric stereo. The whole product runs, detector included."""

from functools import partial

from ..datasets.yaleb import LIGHTS, SOURCE
from ..photo.detect import find_faces
from ..photo.load import load_photo
from . import truth
from .gloss import measured_gloss, taken_for_matte
from .truth import FaceResult, table

__all__ = ["FaceResult", "as_dict", "evaluate", "table"]


def evaluate(engine, items, merged=True, report=print, rows=None):
    """Run the product on photos (datasets.yaleb.Item): a list of FaceResult. rows: a sheet.BestAndWorst, or None."""
    results = []
    for item in items:
        photo = load_photo(item.photo)
        normal, mask = item.truth()
        photos, lights = item.under_all_lights()
        if any(mask.shape != shape for shape in (photo.rgb.shape[:2], *(p.shape for p in photos))):
            raise SOURCE.broken(item.photo, "it, or another photo of this person, has another size than the normals.")
        gloss = measured_gloss(photos, lights, normal, mask)
        result = FaceResult(item.person, item.light, gloss=gloss)
        seen = gloss is not None and partial(taken_for_matte, gloss=gloss, lights=LIGHTS)
        results.append(truth.measure(engine, photo, find_faces(photo), normal, mask, result, merged, rows, seen))
        report(truth.told(results[-1]))
    return results


def as_dict(results):
    """The report as plain data."""
    return truth.as_dict(results, "yaleb", "person", "light")
