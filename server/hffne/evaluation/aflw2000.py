# SPDX-License-Identifier: GPL-3.0-or-later
"""AFLW2000-3D: the 68 landmarks of the position map.

The figure is the NME of x and y over the root of the area of the truth's bounding box, in percent, by absolute yaw.
"""

from dataclasses import dataclass

import numpy as np

from hffne.errors import HffneError
from hffne.evaluation.metrics import landmark_error
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo

BINS = ((0, 30), (30, 60), (60, 90))


@dataclass
class PhotoResult:
    """One photo: yaw in degrees, error in percent or None when no face was found."""

    name: str
    yaw: float
    error: float | None = None


def evaluate(engine, items, report=print, draw=None):
    """Run the product on photos (datasets.aflw2000.Item): a list of PhotoResult.

    draw(photo, landmarks, truth, result) is told of each.
    """
    results = []
    for number, item in enumerate(items, 1):
        truth, yaw = item.read_truth()
        photo = load_photo(item.photo)
        result = PhotoResult(item.name, yaw)
        face = middle_face(find_faces(photo), photo.size)
        landmarks = None
        if face is not None:
            try:
                landmarks = engine.normals(photo, face).landmarks
                result.error = landmark_error(landmarks, truth)
            except HffneError as error:
                report(f"{item.photo.name}: {error.message}")
        else:
            report(f"{item.photo.name}: no face found (yaw {yaw:.0f})")
        results.append(result)
        if draw is not None:
            draw(photo, landmarks, truth, result)
        if number % 50 == 0:
            report(f"{number} of {len(items)}")
    return results


def middle_face(faces, size):
    """The face at the photo's middle: the benchmark's photos are cut around the one that it is about."""
    middle = np.array(size, np.float64) / 2

    def distance(face):
        x, y, width, height = face.box
        return np.hypot(*(np.array([x + width / 2, y + height / 2]) - middle))

    return min(faces, key=distance, default=None)


def by_yaw(results):
    """{"0-30": (count, NME, without a result), ...} and the mean of the bins as "mean"."""
    groups = {}
    for low, high in BINS:
        inside = [r for r in results if low <= abs(r.yaw) < high or (high == 90 and abs(r.yaw) >= 90)]
        errors = [r.error for r in inside if r.error is not None]
        groups[f"{low}-{high}"] = (len(inside), float(np.mean(errors)) if errors else None, len(inside) - len(errors))
    means = [nme for _, nme, _ in groups.values() if nme is not None]
    groups["mean"] = (len(results), float(np.mean(means)) if means else None, sum(r.error is None for r in results))
    return groups


def table(results):
    """The report as Markdown."""
    lines = ["| yaw | photos | NME of 68 points | without a result |", "|---|---|---|---|"]
    for name, (count, nme, missing) in by_yaw(results).items():
        title = "**mean of the bins**" if name == "mean" else f"{name}°"
        value = "-" if nme is None else f"{nme:.2f} %"
        lines.append(f"| {title} | {count} | {value} | {missing} ({missing / max(count, 1) * 100:.1f} %) |")
    return "\n".join(lines)


def as_dict(results):
    """The report as plain data."""
    return {
        "benchmark": "aflw2000",
        "bins": {
            name: {"photos": count, "nme_percent": nme, "without_result": missing}
            for name, (count, nme, missing) in by_yaw(results).items()
        },
        "photos": [{"name": r.name, "yaw": r.yaw, "nme_percent": r.error} for r in results],
    }
