# SPDX-License-Identifier: GPL-3.0-or-later
"""AFLW2000-3D: the 68 landmarks of the position map.

The metric is the NME of x and y over the square root of the area of the ground truth's bounding box, in percent, by
absolute yaw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hffne.datasets.aflw2000 import AflwPhoto
from hffne.engine_interface import NormalsEngine
from hffne.errors import HffneError
from hffne.evaluation.metrics import landmark_error
from hffne.photo.detect import Face, find_faces
from hffne.photo.load import Photo, load_photo

BINS = ((0, 30), (30, 60), (60, 90))


@dataclass
class PhotoResult:
    """One photo: yaw in degrees, error in percent or None when there is no result."""

    name: str
    yaw: float
    error: float | None = None


# (photo, landmarks (68, 3) or None, ground truth (68, 2), result), called for each photo.
DrawCallback = Callable[[Photo, np.ndarray | None, np.ndarray, PhotoResult], object]


def evaluate(
    engine: NormalsEngine,
    items: Sequence[AflwPhoto],
    report: Callable[[str], object] = print,
    draw: DrawCallback | None = None,
) -> list[PhotoResult]:
    """Run the pipeline on photos: a PhotoResult each. draw: called for each photo."""
    results = []
    for number, item in enumerate(items, 1):
        ground_truth, yaw = item.read_ground_truth()
        photo = load_photo(item.photo)
        result = PhotoResult(item.name, yaw)
        face = middle_face(find_faces(photo), photo.size)
        landmarks = None
        if face is not None:
            try:
                landmarks = engine.normals(photo, face).landmarks
                result.error = landmark_error(landmarks, ground_truth)
            except HffneError as error:
                report(f"{item.photo.name}: {error.message}")
        else:
            report(f"{item.photo.name}: no face found (yaw {yaw:.0f})")
        results.append(result)
        if draw is not None:
            draw(photo, landmarks, ground_truth, result)
        if number % 50 == 0:
            report(f"{number} of {len(items)}")
    return results


def middle_face(faces: Sequence[Face], size: tuple[int, int]) -> Face | None:
    """The face nearest to the photo's middle: each photo of the benchmark is cropped around its subject.

    size: (width, height) of the photo.
    """
    middle = np.array(size, np.float64) / 2

    def distance(face: Face) -> float:
        x, y, width, height = face.box
        return float(np.hypot(*(np.array([x + width / 2, y + height / 2]) - middle)))

    return min(faces, key=distance, default=None)


@dataclass(frozen=True)
class YawBin:
    """The photos in a range of yaw.

    nme_percent is their mean NME, or None without results.
    """

    photos: int
    nme_percent: float | None
    without_result: int


def by_yaw(results: Sequence[PhotoResult]) -> dict[str, YawBin]:
    """The bins by absolute yaw, "0-30" and so on, and as "mean" the mean of the bins' errors."""
    groups = {}
    for low, high in BINS:
        inside = [r for r in results if low <= abs(r.yaw) < high or (high == 90 and abs(r.yaw) >= 90)]
        errors = [r.error for r in inside if r.error is not None]
        mean = float(np.mean(errors)) if errors else None
        groups[f"{low}-{high}"] = YawBin(len(inside), mean, len(inside) - len(errors))
    means = [group.nme_percent for group in groups.values() if group.nme_percent is not None]
    without_result = sum(r.error is None for r in results)
    groups["mean"] = YawBin(len(results), float(np.mean(means)) if means else None, without_result)
    return groups


def table(results: Sequence[PhotoResult]) -> str:
    """The report as Markdown."""
    lines = ["| yaw | photos | NME of 68 points | without a result |", "|---|---|---|---|"]
    for name, group in by_yaw(results).items():
        title = "**mean of the bins**" if name == "mean" else f"{name}°"
        value = "-" if group.nme_percent is None else f"{group.nme_percent:.2f} %"
        missing = group.without_result
        lines.append(
            f"| {title} | {group.photos} | {value} | {missing} ({missing / max(group.photos, 1) * 100:.1f} %) |"
        )
    return "\n".join(lines)


def as_dict(results: Sequence[PhotoResult]) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "benchmark": "aflw2000",
        "bins": {name: vars(group) for name, group in by_yaw(results).items()},
        "photos": [{"name": r.name, "yaw": r.yaw, "nme_percent": r.error} for r in results],
    }
