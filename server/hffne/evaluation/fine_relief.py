# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the finest relief the photo's? On bare skin of sharp photos, at scales that are shares of the face's width.

R2: the share of the photo's fine luminance that one light makes of the normal's fine parts. Phantom relief: how strong
the relief is where the photo has the least fine structure, over how strong it is where it has the most. A normal that
leaves smooth skin alone has little of it, one that invents has much, whatever it explains elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hffne.evaluation.contact_sheet import shaded_picture
from hffne.evaluation.marked_photo import mark_photo
from hffne.geometry.band_merge import resize_normals
from hffne.geometry.face_parts import FaceParts
from hffne.geometry.grids import blur
from hffne.parts import COVERS
from hffne.photo.crop import extract_crop, to_gray
from hffne.synthesis.landmark_mesh import mesh_normals, plain_skin

BAND = (0.004, 0.015)  # sigmas of the two blurs between which the relief lies, in face widths
LOCAL = 0.03  # sigma of the mean that tells how much fine structure there is at a place, in face widths
QUANTILE = 0.2  # of the skin is where a photo has the least, and the most, fine structure
WIDEST = 1024  # pixels of the crop on which is measured
RAKING = (-0.95, 0.15, 0.3)  # of the contact sheet
_RIM = 11  # pixels of 256: the side of the square by which covers grow
_CHEEKS = 234, 454  # MediaPipe's points at both ends of the face's width


@dataclass
class FineResult:
    """One photo: width of the face in pixels of the photo, R2 and phantom relief; missing: why there is none ("")."""

    path: str
    width: float = 0.0
    explained: float = 0.0
    phantom: float = 0.0
    missing: str = ""


def evaluate(
    engine: Any, finder: Any, paths: list[Path], report: Callable[[str], None] = print, rows: list | None = None
) -> list[FineResult]:
    """The fine relief of the largest face of each photo. finder: landmark_finder.LandmarkFinder; rows: takes the rows
    of a contact sheet, (label, tiles)."""
    results = []
    for number, path in enumerate(paths, 1):
        results.append(_one(engine, finder, path, rows))
        if results[-1].missing:
            report(f"{path}: {results[-1].missing}")
        if number % 10 == 0:
            report(f"{number} of {len(paths)}")
    return results


def _one(engine: Any, finder: Any, path: Path, rows: list | None) -> FineResult:
    result = FineResult(str(path))
    marked = mark_photo(engine, finder, path)
    if isinstance(marked, str):
        result.missing = marked
        return result
    estimate = marked.estimate
    # The crop at the photo's own pixels, so that no figure gains by enlarging.
    size = int(min(max(estimate.crop.side, 64), WIDEST))
    crop = estimate.crop.resized(size)
    rgb, points = extract_crop(marked.photo.rgb, crop), crop.to_crop(marked.points)
    width = float(np.linalg.norm(points[_CHEEKS[0], :2] - points[_CHEEKS[1], :2]))
    result.width = width * estimate.crop.side / size
    skin = plain_skin(points, mesh_normals(points, size)[1]) & ~_beside_covers(estimate.parts, size)
    if skin.sum() < 100:
        result.missing = "no bare skin"
        return result
    normal = resize_normals(estimate.normal, size)
    result.explained, result.phantom = fine_relief(to_gray(rgb), normal, skin, width)
    if rows is not None:
        label = f"{path.stem}: {result.width:.0f} px wide, R2 {result.explained:.2f}, phantom {result.phantom:.2f}"
        rows.append(
            (
                label,
                [
                    ("photo", np.round(rgb * 255).astype(np.uint8)),
                    ("raking light", shaded_picture(normal, RAKING)),
                    ("from the other side", shaded_picture(normal, (-RAKING[0], *RAKING[1:]))),
                ],
            )
        )
    return result


def _beside_covers(parts: FaceParts, size: int) -> np.ndarray:
    """(S, S) bool: hair, glasses and other things before the face with their edges, which are no relief of it."""
    covers = np.isin(parts.part_on_crop(), COVERS).astype(np.uint8)
    grown = cv2.dilate(covers, np.ones((_RIM, _RIM), np.uint8))
    return cv2.resize(grown, (size, size), interpolation=cv2.INTER_NEAREST) > 0


def fine_relief(gray: np.ndarray, normal: np.ndarray, skin: np.ndarray, width: float) -> tuple[float, float]:
    """R2 and phantom relief of normals (S, S, 3) on a gray picture (S, S) in 0..1, over the skin (S, S) bool, of a face
    `width` pixels wide."""
    low, high = (max(share * width, 0.3) for share in BAND)
    light = _band(gray.astype(np.float32), low, high, skin)
    parts = _band(normal.astype(np.float32), low, high, skin)
    y, a = light[skin], parts[skin]
    lamp = np.linalg.lstsq(a, y, rcond=None)[0]
    explained = 1 - float(np.square(y - a @ lamp).sum() / max(np.square(y).sum(), 1e-12))
    structure, relief = (
        np.sqrt(blur(energy, LOCAL * width, skin))[skin] for energy in (np.square(light), np.square(parts).sum(2))
    )
    least, most = np.quantile(structure, [QUANTILE, 1 - QUANTILE])
    return explained, float(relief[structure <= least].mean() / max(relief[structure >= most].mean(), 1e-9))


def _band(values: np.ndarray, low: float, high: float, skin: np.ndarray) -> np.ndarray:
    """What of values (S, S[, C]) lies between two blurs over the skin only, so that paint beside it counts nothing."""
    return blur(values, low, skin) - blur(values, high, skin)


def means(results: list[FineResult]) -> dict[str, float]:
    """The figures' means over the photos with a result."""
    good = [r for r in results if not r.missing]
    return (
        {name: float(np.mean([getattr(r, name) for r in good])) for name in ("width", "explained", "phantom")}
        if good
        else {}
    )


def table(results: list[FineResult]) -> str:
    """The report as Markdown: by the photos' folders, then all."""
    good = [r for r in results if not r.missing]
    lines = [
        f"{len(good)} of {len(results)} photos with a face and its landmarks",
        "",
        "| photos | face width | R2 | phantom relief |",
        "|---|---|---|---|",
    ]
    folders = sorted({Path(r.path).parent.name for r in good})
    groups = (
        [(name, [r for r in good if Path(r.path).parent.name == name]) for name in folders] if len(folders) > 1 else []
    )
    for name, group in [*groups, ("all", good)]:
        if group:
            mean = means(group)
            lines.append(
                f"| {name} ({len(group)}) | {mean['width']:.0f} px | {mean['explained']:.3f} | {mean['phantom']:.3f} |"
            )
    return "\n".join(lines)


def as_dict(results: list[FineResult]) -> dict[str, Any]:
    """The report as plain data."""
    return {"benchmark": "fine", "photos": len(results), "mean": means(results), "each": [vars(r) for r in results]}
