# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals against ground truth, from one photo to the report: the parts that all benchmarks of normals share."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hffne.evaluation.contact_sheet import RowCollector
from hffne.evaluation.metrics import Angles, angles, average, summary
from hffne.evaluation.normal_files import NormalFiles
from hffne.geometry.band_merge import resize_normals
from hffne.geometry.vectors import best_rotation

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine

# More faces than this are not listed one by one.
MANY = 100
FLAT = np.array([0, 0, 1], np.float32)

# Statistics of the errors as they are, and after the best global rotation.
RawAndRotated: TypeAlias = tuple[Angles, Angles]


@dataclass
class FaceResult:
    """The errors of one photo.

    name      of the face
    group     a property that the report also averages by, for example the light
    raw, rotated  statistics of the errors as they are, and after the best global rotation; NaN before they are measured
    pitch     degrees about the x axis of that rotation, positive when the ground truth looks further up
    coverage  percent of the ground truth's mask that our own mask covers. The normals of the other pixels come from
              the coarse network within the crop, and are flat (0, 0, 1) elsewhere; all of them count.
    flat      percent of flat pixels
    found     whether the detector found a face; without one, all pixels are flat
    stages    {"base", "coarse", "fine"}: the errors of the normals that the final one is made of
    specular_strength   the skin's, see specular_bias.measure_specular_strength; None where it was not measured
    with_specular_bias  the errors of our normals with the ground truth's specular bias, or None
    to_plain  the errors against a plain least-squares truth, or None
    """

    name: str
    group: str = ""
    raw: Angles = field(default_factory=lambda: Angles(*[float("nan")] * 5))
    rotated: Angles = field(default_factory=lambda: Angles(*[float("nan")] * 5))
    pitch: float = 0.0
    coverage: float = 0.0
    flat: float = 100.0
    found: bool = False
    stages: dict[str, RawAndRotated] = field(default_factory=dict)
    specular_strength: float | None = None
    with_specular_bias: RawAndRotated | None = None
    to_plain: RawAndRotated | None = None

    @property
    def label(self) -> str:
        """Name and group, for the table."""
        return f"{self.name} {self.group}".strip()


def measure(
    engine: "Engine",
    photo: "Photo",
    faces: "Sequence[Face]",
    ground_truth: np.ndarray,
    mask: np.ndarray,
    result: FaceResult,
    merged: bool = True,
    rows: RowCollector | None = None,
    bias: Callable[[np.ndarray], np.ndarray] | None = None,
    plain: np.ndarray | None = None,
) -> FaceResult:
    """Run the pipeline on one photo and fill its FaceResult, which is returned.

    faces: of `photo.detect.find_faces`, of which the first is measured. ground_truth (H, W, 3) unit normals in camera
    space and mask (H, W) bool, on the photo's pixels. merged: as for `Engine.normals`. rows: collects the contact
    sheet's row. bias: normals (N, 3) -> the same with the ground truth's systematic error, or None. plain (H, W, 3):
    the ground truth by plain least squares, zero where it is not known, or None.
    """
    normal = coarse = fine = np.broadcast_to(FLAT, ground_truth.shape)
    from_file = isinstance(engine, NormalFiles)  # needs no face
    if faces or from_file:
        estimate: Any = engine.normals(photo, faces[0] if faces else None, merged=merged)  # type: ignore[arg-type]
        normal, coarse, ours = estimate.on_photo(photo.rgb.shape)
        fine = estimate.resample_to_photo(estimate.fine, photo.rgb.shape)
        normal, empty = _filled(normal)
        result.found = True
        result.coverage = float(ours[mask].mean() * 100)
        result.flat = float(empty[mask].mean() * 100)
        result.stages = {
            name: _raw_and_rotated(_filled(part)[0][mask], ground_truth[mask])
            for name, part in ({} if from_file else _parts(estimate, photo.rgb.shape)).items()
        }
    error = compare(result, normal, ground_truth, mask)
    if plain is not None and (both := mask & (np.square(plain).sum(2) > 0.5)).any():
        result.to_plain = _raw_and_rotated(normal[both], plain[both])
    if bias:
        result.with_specular_bias = _raw_and_rotated(bias(normal[mask]), ground_truth[mask])
    if rows is not None:
        label = f"{result.label}  raw {result.raw.mean:.1f}  rotated {result.rotated.mean:.1f}"
        row = rows.make_row(label, photo.rgb, coarse, normal, mask, error, ground_truth, fine)
        rows.add(result.raw.mean, row)
    return result


def progress_line(result: FaceResult) -> str:
    """One line about a result, for the progress report."""
    return f"{result.label}: {result.raw.mean:.2f} deg, rotated {result.rotated.mean:.2f}" + (
        "" if result.found else " (no face found: counted as flat)"
    )


def compare(result: FaceResult, normal: np.ndarray, ground_truth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Fill a FaceResult's statistics from normals (H, W, 3); returns the raw errors (H, W) in degrees."""
    ours, aim = normal[mask], ground_truth[mask]
    rotation = best_rotation(ours, aim)
    result.raw, result.rotated = _raw_and_rotated(ours, aim)
    result.pitch = float(np.degrees(np.arctan2(rotation[1, 2] - rotation[2, 1], rotation[1, 1] + rotation[2, 2])))
    return angles(normal, ground_truth)


def table(results: Sequence[FaceResult]) -> str:
    """The report as Markdown: a row per face (up to MANY faces), the means, and the means of the stages."""
    lines = [
        "| face | mean ± std | <20° | <25° | <30° | rotated: mean ± std | <20° | <25° | <30° | pitch | in our mask "
        "| flat |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in results if len(results) <= MANY else ():
        lines.append(_line(r.label + ("" if r.found else " (no face)"), r.raw, r.rotated, r.pitch, r.coverage, r.flat))
    names = sorted({r.group for r in results})
    groups = [(name, [r for r in results if r.group == name]) for name in names] if len(names) > 1 else []
    for name, group in [*groups, ("all", list(results))]:
        lines.append(
            _line(
                f"**mean, {name}** ({len(group)})",
                average(r.raw for r in group),
                average(r.rotated for r in group),
                *(float(np.mean([getattr(r, k) for r in group])) for k in ("pitch", "coverage", "flat")),
            )
        )
    biased = [r.with_specular_bias for r in results if r.with_specular_bias]
    if biased:
        strength = float(np.mean([r.specular_strength for r in results if r.specular_strength is not None]))
        lines.append(
            f"| mean, with the ground truth's specular bias (strength {strength:.2f}) ({len(biased)}) | "
            f"{_mean_cells(biased)} | | | |"
        )
    plain = [r.to_plain for r in results if r.to_plain]
    if plain:
        lines.append(f"| mean, to plain least squares ({len(plain)}) | {_mean_cells(plain)} | | | |")
    staged = [r.stages for r in results if r.stages]
    if staged:
        lines += [
            "",
            "| made of | mean ± std | <20° | <25° | <30° | rotated: mean ± std | <20° | <25° | <30° |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [f"| {name} | {_mean_cells(s[name] for s in staged)} |" for name in staged[0]]
    return "\n".join(lines)


def as_dict(results: Sequence[FaceResult], benchmark: str, face: str = "name", group: str = "group") -> dict[str, Any]:
    """The report as plain data. face, group: this benchmark's words for a result's name and group, as keys."""

    def means(chosen: Sequence[FaceResult]) -> dict[str, Any]:
        return {
            "photos": len(chosen),
            "without_face": sum(not r.found for r in chosen),
            "raw": average(r.raw for r in chosen).as_dict(),
            "rotated": average(r.rotated for r in chosen).as_dict(),
            "pitch": float(np.mean([r.pitch for r in chosen])),
            "coverage": float(np.mean([r.coverage for r in chosen])),
            "flat": float(np.mean([r.flat for r in chosen])),
        }

    return {
        "benchmark": benchmark,
        "mean": means(results),
        **_plain_mean(results),
        f"{group}s": {
            name: means([r for r in results if r.group == name]) for name in sorted({r.group for r in results})
        },
        "faces": [
            {
                face: r.name,
                group: r.group,
                "found": r.found,
                **_pair_as_dict((r.raw, r.rotated)),
                "stages": {name: _pair_as_dict(pair) for name, pair in r.stages.items()},
                "pitch": r.pitch,
                "coverage": r.coverage,
                "flat": r.flat,
                **_specular_as_dict(r),
                **({"to_plain": _pair_as_dict(r.to_plain)} if r.to_plain else {}),
            }
            for r in results
        ],
    }


def _plain_mean(results: Sequence[FaceResult]) -> dict[str, Any]:
    pairs = [r.to_plain for r in results if r.to_plain]
    if not pairs:
        return {}
    raw, rotated = zip(*pairs, strict=True)
    return {"mean_to_plain": _pair_as_dict((average(raw), average(rotated)))}


def _pair_as_dict(pair: RawAndRotated) -> dict[str, dict[str, float]]:
    raw, rotated = pair
    return {"raw": raw.as_dict(), "rotated": rotated.as_dict()}


def _specular_as_dict(result: FaceResult) -> dict[str, Any]:
    if result.with_specular_bias is None:
        return {}
    return {
        "specular_strength": result.specular_strength,
        "with_specular_bias": _pair_as_dict(result.with_specular_bias),
    }


def face_region(face: "Face", shape: Sequence[int]) -> np.ndarray:
    """The ellipse (H, W) bool within a detector's box: the face without hair, ears and neck, for any method."""
    row, column = np.indices(tuple(shape[:2]))
    x, y, width, height = face.box
    return np.hypot((column + 0.5 - x - width / 2) / (width / 2), (row + 0.5 - y - height / 2) / (height / 2)) < 1


def _filled(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normals (H, W, 3) with flat ones where they are zero, and where that is (H, W)."""
    empty = np.square(normal).sum(2) < 0.25
    return np.where(empty[..., None], FLAT, normal), empty


def _parts(estimate: "FaceEstimate", shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The normals that the final one is made of, (H, W, 3) on the photo."""
    base = np.where(
        estimate.projection.mask[..., None],
        estimate.projection.normal,
        resize_normals(estimate.coarse, len(estimate.projection.mask)),
    )
    return {
        "base": estimate.resample_to_photo(base, shape),
        "coarse": estimate.resample_to_photo(estimate.coarse, shape),
        "fine": estimate.resample_to_photo(estimate.fine, shape),
    }


def _raw_and_rotated(ours: np.ndarray, ground_truth: np.ndarray) -> RawAndRotated:
    rotation = best_rotation(ours, ground_truth)
    return summary(angles(ours, ground_truth)), summary(angles(ours @ rotation.T, ground_truth))


def _cells(a: Angles) -> str:
    return f"{a.mean:.2f} ± {a.std:.2f} | {a.under_20:.1f} | {a.under_25:.1f} | {a.under_30:.1f}"


def _mean_cells(pairs: Iterable[RawAndRotated]) -> str:
    raw, rotated = zip(*pairs, strict=True)
    return f"{_cells(average(raw))} | {_cells(average(rotated))}"


def _line(name: str, raw: Angles, rotated: Angles, pitch: float, coverage: float, flat: float) -> str:
    return f"| {name} | {_cells(raw)} | {_cells(rotated)} | {pitch:+.1f}° | {coverage:.1f} % | {flat:.1f} % |"
