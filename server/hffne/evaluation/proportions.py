# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the landmarks follow the person's own proportions? Against points placed by hand, on faces from the front.

A network that gives everybody the mean face has small errors of its points and no correlation of its proportions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hffne.datasets.london import IBUG, LondonPhoto
from hffne.errors import HffneError
from hffne.evaluation.metrics import landmark_error
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo

if TYPE_CHECKING:
    from hffne.pipeline import Engine

_INDEX = {point: row for row, point in enumerate(IBUG)}
_WIDTHS = {"eye width": (36, 39), "other eye's width": (42, 45), "mouth width": (48, 54), "nose width": (31, 35)}
_WIDTHS |= {"lips' height": (51, 57)}
_HEIGHTS = {"nose length": (33,), "face length": (8,), "mouth below the eyes": (48, 54)}


@dataclass(frozen=True)
class PersonResult:
    """The points (12, 2) of `datasets.london.IBUG` in pixels: placed by hand, and ours, None without a result.

    all_68  the root of the area of the box of all our 68 landmarks, in pixels
    """

    name: str
    truth: np.ndarray
    ours: np.ndarray | None
    all_68: float = np.nan


@dataclass(frozen=True)
class Proportion:
    """A length over the distance of the eyes, over all people.

    ours, truth               the mean
    ours_spread, truth_spread the standard deviation
    correlation               of ours with the truth; 0 where ours or the truth does not vary
    slope                     of ours on the truth: 1 where all of a difference is shown
    """

    ours: float
    truth: float
    ours_spread: float
    truth_spread: float
    correlation: float
    slope: float


@dataclass(frozen=True)
class Summary:
    """The people with a result.

    points_percent   mean distance of the points over the root of their box's area (`metrics.landmark_error`)
    box_68_percent   the same over that of the box of all 68 landmarks, by which the benchmarks of 68 points divide
    shape_percent    the same after the best similarity of each face
    mean_percent     the same of these people's own mean face, placed by hand: what knowing nobody gives
    own_mean_percent the same of the mean of our points
    bias_percent     for each point how far ours lie to the right and below on average
    proportions      by name
    """

    people: int
    without_result: int
    points_percent: float
    box_68_percent: float
    shape_percent: float
    mean_percent: float
    own_mean_percent: float
    bias_percent: dict[int, tuple[float, float]]
    proportions: dict[str, Proportion]


def evaluate(
    engine: "Engine", items: Sequence[LondonPhoto], report: Callable[[str], object] = print
) -> list[PersonResult]:
    """Run the pipeline on photos: a PersonResult each. Raises HffneError for damaged annotations."""
    results = []
    for number, item in enumerate(items, 1):
        truth, ours, box = item.points(), None, np.nan
        try:
            photo = load_photo(item.photo)
            faces = find_faces(photo)
            if faces:
                landmarks = engine.normals(photo, faces[0]).landmarks[:, :2].astype(np.float64)
                ours, box = landmarks[list(IBUG)], float(np.sqrt(np.prod(np.ptp(landmarks, axis=0))))
            else:
                report(f"{item.photo.name}: no face found")
        except HffneError as error:
            report(f"{item.photo.name}: {error.message}")
        results.append(PersonResult(item.name, truth, ours, box))
        if number % 20 == 0:
            report(f"{number} of {len(items)}")
    return results


def proportions(points: np.ndarray) -> dict[str, np.ndarray]:
    """Lengths (N,) by name, over the distance of the eyes, of the points (N, 12, 2) of people."""
    at = {point: points[:, row] for point, row in _INDEX.items()}
    eyes = (at[36] + at[39]) / 2, (at[42] + at[45]) / 2
    distance, middle = np.linalg.norm(eyes[1] - eyes[0], axis=1), (eyes[0] + eyes[1]) / 2
    lengths = {name: np.linalg.norm(at[a] - at[b], axis=1) for name, (a, b) in _WIDTHS.items()}
    for name, chosen in _HEIGHTS.items():
        lengths[name] = np.linalg.norm(np.mean([at[point] for point in chosen], axis=0) - middle, axis=1)
    return {name: length / distance for name, length in lengths.items()}


def aligned(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Points (P, 2) after the rotation, scale and shift that bring them closest to others (P, 2)."""
    x, y = (p[:, 0] + 1j * p[:, 1] for p in (points, target))
    centered = x - x.mean()
    moved = centered * (np.vdot(centered, y - y.mean()) / np.vdot(centered, centered)) + y.mean()
    return np.stack([moved.real, moved.imag], 1)


def _mean_face(faces: np.ndarray) -> np.ndarray:
    """The mean (P, 2) of faces (N, P, 2) without their poses (generalized Procrustes)."""
    mean: np.ndarray = faces[0]
    for _ in range(5):
        mean = np.mean([aligned(face, mean) for face in faces], axis=0)
    return mean


def _compared(ours: np.ndarray, truth: np.ndarray) -> Proportion:
    vary = ours.std() > 1e-9 and truth.std() > 1e-9
    correlation = float(np.corrcoef(ours, truth)[0, 1]) if vary else 0.0
    spreads = float(ours.std()), float(truth.std())
    slope = correlation * spreads[0] / spreads[1] if vary else 0.0
    return Proportion(float(ours.mean()), float(truth.mean()), *spreads, correlation, slope)


def summarize(results: Sequence[PersonResult]) -> Summary:
    """The figures of all people with a result. Raises HffneError when there are fewer than two."""
    found = [r for r in results if r.ours is not None]
    if len(found) < 2:
        raise HffneError("Proportions need the results of at least two people.")
    truth, ours = np.array([r.truth for r in found]), np.array([r.ours for r in found])
    mean, own_mean = _mean_face(truth), _mean_face(ours)
    size = np.sqrt(np.prod(np.ptp(truth, axis=1), axis=1))
    distances = np.linalg.norm(ours - truth, axis=2).mean(1)
    bias = ((ours - truth) / size[:, None, None]).mean(0) * 100
    lengths, true_lengths = proportions(ours), proportions(truth)
    return Summary(
        people=len(found),
        without_result=len(results) - len(found),
        points_percent=float(np.mean([landmark_error(o, t) for o, t in zip(ours, truth, strict=True)])),
        box_68_percent=float((distances / [r.all_68 for r in found]).mean() * 100),
        shape_percent=float(np.mean([landmark_error(aligned(o, t), t) for o, t in zip(ours, truth, strict=True)])),
        mean_percent=float(np.mean([landmark_error(aligned(mean, t), t) for t in truth])),
        own_mean_percent=float(np.mean([landmark_error(aligned(own_mean, t), t) for t in truth])),
        bias_percent={point: (float(bias[row, 0]), float(bias[row, 1])) for point, row in _INDEX.items()},
        proportions={name: _compared(lengths[name], true_lengths[name]) for name in lengths},
    )


def table(summary: Summary) -> str:
    """The report as Markdown."""
    lines = [
        f"{summary.people} people, {summary.without_result} without a result",
        "",
        "| 12 points, distance over the root of their box | |",
        "|---|---|",
        f"| ours | {summary.points_percent:.2f} % |",
        f"| ours, over the root of the box of our 68 landmarks | {summary.box_68_percent:.2f} % |",
        f"| ours, after the best similarity | {summary.shape_percent:.2f} % |",
        f"| the mean of ours, the same | {summary.own_mean_percent:.2f} % |",
        f"| the people's own mean face, the same | {summary.mean_percent:.2f} % |",
        "",
        "| over the distance of the eyes | ours | truth | correlation | slope |",
        "|---|---|---|---|---|",
    ]
    for name, p in summary.proportions.items():
        lines.append(
            f"| {name} | {p.ours:.3f} ± {p.ours_spread:.3f} | {p.truth:.3f} ± {p.truth_spread:.3f} "
            f"| {p.correlation:.2f} | {p.slope:.2f} |"
        )
    lines += ["", "| iBUG point | ours lie to the right | below |", "|---|---|---|"]
    lines += [f"| {point} | {x:.1f} % | {y:.1f} % |" for point, (x, y) in summary.bias_percent.items()]
    return "\n".join(lines)


def as_dict(results: Sequence[PersonResult], summary: Summary) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "benchmark": "proportions",
        **vars(summary),
        "proportions": {name: vars(p) for name, p in summary.proportions.items()},
        "people_points": [
            {"name": r.name, "truth": r.truth.tolist(), "ours": None if r.ours is None else r.ours.tolist()}
            for r in results
        ],
    }
