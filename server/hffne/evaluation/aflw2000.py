# SPDX-License-Identifier: GPL-3.0-or-later
"""AFLW2000-3D: the 68 landmarks of the position map.

A folder of <name>.jpg photos with <name>.mat files (`pt3d_68` (3, 68), `Pose_Para`). The figure is the NME of x
and y over the root of the area of the truth's bounding box, in percent, by absolute yaw.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import HffneError
from ..photo.detect import find_faces
from ..photo.load import load_photo
from .metrics import landmark_error

BINS = ((0, 30), (30, 60), (60, 90))


@dataclass
class PhotoResult:
    """One photo: yaw in degrees, error in percent or None when no face was found."""

    name: str
    yaw: float
    error: float | None = None


def read_truth(path):
    """(68, 2) landmarks in pixel indices of the photo, and the yaw in degrees, of a .mat file."""
    try:
        from scipy.io import loadmat
    except ImportError:
        raise HffneError(
            "Reading .mat files needs SciPy.", hint='Run: python -m pip install ".[evaluate]"', code="no_scipy"
        ) from None
    data = loadmat(path)
    # Matlab counts pixels from 1.
    return data["pt3d_68"][:2].T.astype(np.float64) - 1, float(np.degrees(data["Pose_Para"][0, 1]))


def photos(folder):
    """(photo path, truth path), sorted. Raises HffneError when the folder is no such benchmark."""
    folder = Path(folder)
    found = [(path, path.with_suffix(".mat")) for path in sorted(folder.glob("*.jpg"))] if folder.is_dir() else []
    found = [pair for pair in found if pair[1].is_file()]
    if not found:
        raise HffneError(f"'{folder}' holds no photos of AFLW2000-3D.",
                         hint="It must hold <name>.jpg with <name>.mat files.", code="no_benchmark")
    return found


def evaluate(engine, folder, report=print, draw=None):
    """Run the product on all photos: a list of PhotoResult. draw(photo, landmarks, truth, result) is told of each."""
    results = []
    chosen = photos(folder)
    for number, (path, truth_path) in enumerate(chosen, 1):
        truth, yaw = read_truth(truth_path)
        photo = load_photo(path)
        result = PhotoResult(path.stem, yaw)
        face = middle_face(find_faces(photo), photo.size)
        landmarks = None
        if face is not None:
            try:
                landmarks = engine.normals(photo, face).landmarks
                result.error = landmark_error(landmarks, truth)
            except HffneError as error:
                report(f"{path.name}: {error.message}")
        else:
            report(f"{path.name}: no face found (yaw {yaw:.0f})")
        results.append(result)
        if draw is not None:
            draw(photo, landmarks, truth, result)
        if number % 50 == 0:
            report(f"{number} of {len(chosen)}")
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
    groups["mean"] = (len(results), float(np.mean(means)) if means else None,
                      sum(r.error is None for r in results))
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
        "bins": {name: {"photos": count, "nme_percent": nme, "without_result": missing}
                 for name, (count, nme, missing) in by_yaw(results).items()},
        "photos": [{"name": r.name, "yaw": r.yaw, "nme_percent": r.error} for r in results],
    }
