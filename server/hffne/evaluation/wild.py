# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos without ground truth: is the shape right, and is the relief that of the photo?

Shape: the smoothed normal against MediaPipe's landmark mesh, the mean angle over the mesh. Relief: how much of the
photo's fine luminance on the skin the best light explains by the normal's fine components (R2). Either alone is easy: a
smooth mesh has the right shape, and a copy of the photo has the photo's relief; a good normal has both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from hffne.errors import NoPhotosError
from hffne.evaluation.contact_sheet import BestAndWorst, face_row
from hffne.evaluation.landmark_finder import LandmarkFinder
from hffne.evaluation.marked_photo import mark_photo
from hffne.evaluation.metrics import angles
from hffne.geometry.band_merge import resize_normals
from hffne.geometry.grids import blur
from hffne.geometry.vectors import best_rotation, normalize
from hffne.photo.crop import extract_crop, to_gray
from hffne.synthesis.landmark_mesh import mesh_normals, plain_skin
from hffne.synthesis.training_set import TrainingSet

if TYPE_CHECKING:
    from hffne.pipeline import Engine

SIZE = 256  # all bands are in pixels of a crop of this size
SIGMA = 6.0  # what is smoother than this is shape
STAGES = ("coarse", "fine", "product")


@dataclass
class WildResult:
    """One photo.

    shape    {stage: mean angle in degrees}
    rotated  {stage: the same after the best rotation of each}
    relief   {stage: R2}
    missing  the reason why there is no result, or ""
    """

    path: str
    shape: dict[str, float] = field(default_factory=dict)
    rotated: dict[str, float] = field(default_factory=dict)
    relief: dict[str, float] = field(default_factory=dict)
    missing: str = ""


def held_out(folder: str | Path, photos: Sequence[Path] | None = None) -> list[Path]:
    """The photos that the training on a set (folder with fits.npz) holds out; only those among `photos`, if given.

    Raises HffneError when the folder is not a training set, or when none of `photos` was held out.
    """
    kept = TrainingSet(folder).held_out_photos()
    if photos is None:
        return kept
    # The photos may have been moved since: name and folder identify them.
    names = {path.parts[-2:] for path in kept}
    chosen = [path for path in photos if path.resolve().parts[-2:] in names]
    if not chosen:
        raise NoPhotosError(
            "None of these photos was held out by the training.",
            hint="Give the folder that the set was made from.",
        )
    return chosen


def evaluate(
    engine: "Engine",
    finder: LandmarkFinder,
    paths: Sequence[Path],
    report: Callable[[str], object] = print,
    rows: BestAndWorst | None = None,
) -> list[WildResult]:
    """Run the pipeline on all photos: a WildResult each. rows: collects the contact sheet's rows."""
    results = []
    for number, path in enumerate(paths, 1):
        result = _measure(engine, finder, path, rows)
        results.append(result)
        if result.missing:
            report(f"{path}: {result.missing}")
        if number % 50 == 0:
            report(f"{number} of {len(paths)}")
    return results


def _measure(engine: "Engine", finder: LandmarkFinder, path: Path, rows: BestAndWorst | None) -> WildResult:
    result = WildResult(str(path))
    marked = mark_photo(engine, finder, path)
    if isinstance(marked, str):
        result.missing = marked
        return result
    estimate = marked.estimate
    crop = estimate.crop.resized(SIZE)
    rgb = extract_crop(marked.photo.rgb, crop)
    points = crop.to_crop(marked.points)
    ground_truth, area = mesh_normals(points, SIZE)
    skin = plain_skin(points, area)
    if not skin.any():
        result.missing = "the landmarks lie beside the face found"
        return result
    normals = {"coarse": estimate.coarse, "fine": estimate.fine, "product": estimate.normal}
    normals = {stage: resize_normals(normal, SIZE) for stage, normal in normals.items()}
    errors = {}
    for stage, normal in normals.items():
        result.shape[stage], result.rotated[stage], errors[stage] = shape_error(normal, ground_truth, area)
        result.relief[stage] = relief_share(to_gray(rgb), normal, skin)
    if rows is not None:
        label = (
            f"{path.parent.name}/{path.stem}  shape {result.shape['product']:.1f} deg  relief R2 "
            f"{result.relief['product']:.2f}"
        )
        picture = np.round(rgb * 255).astype(np.uint8)
        mask = cv2.resize(estimate.mask.astype(np.uint8), (SIZE, SIZE), interpolation=cv2.INTER_NEAREST) > 0
        row = face_row(
            label,
            picture,
            normals["coarse"],
            normals["product"],
            mask | area,
            np.where(area, errors["product"], 0),
            ground_truth,
            normals["fine"],
        )
        rows.add(result.shape["product"], row)
    return result


def shape_error(normal: np.ndarray, ground_truth: np.ndarray, area: np.ndarray) -> tuple[float, float, np.ndarray]:
    """The smoothed normal (S, S, 3) against the landmark mesh (S, S, 3).

    Returns the mean angle over `area` (S, S) in degrees, the same after the best rotation, and the angles (S, S).
    """
    smooth = normalize(blur(normal, SIGMA * len(normal) / SIZE))
    error = angles(smooth, ground_truth)
    rotation = best_rotation(smooth[area], ground_truth[area])
    return (float(error[area].mean()), float(angles(smooth[area] @ rotation.T, ground_truth[area]).mean()), error)


def relief_share(gray: np.ndarray, normal: np.ndarray, skin: np.ndarray) -> float:
    """R2 of a gray picture's fine luminance (1 to 5 px) by the fine components of the normal, over the skin.

    gray (S, S) in 0..1; normal (S, S, 3) unit; skin (S, S) bool.
    """
    import torch

    from hffne.geometry.explained_luminance import unexplained_luminance

    tensors = (torch.from_numpy(np.ascontiguousarray(a, np.float32)) for a in (gray, normal, skin))
    light, components, mask = tensors
    return 1 - float(unexplained_luminance(light[None, None], components.permute(2, 0, 1)[None], mask[None]))


def means(results: Sequence[WildResult]) -> dict[str, dict[str, float]]:
    """{stage: {"shape", "shape_std", "rotated", "relief", "relief_std"}} over the photos with a result."""
    good = [r for r in results if not r.missing]
    if not good:
        return {}
    return {
        stage: {
            "shape": float(np.mean([r.shape[stage] for r in good])),
            "shape_std": float(np.std([r.shape[stage] for r in good])),
            "rotated": float(np.mean([r.rotated[stage] for r in good])),
            "relief": float(np.mean([r.relief[stage] for r in good])),
            "relief_std": float(np.std([r.relief[stage] for r in good])),
        }
        for stage in STAGES
    }


def table(results: Sequence[WildResult]) -> str:
    """The report as Markdown."""
    good = sum(not r.missing for r in results)
    lines = [
        f"{good} of {len(results)} photos with a face and its landmarks",
        "",
        "| normal | smoothed, against the landmark mesh | rotated | fine relief, R2 |",
        "|---|---|---|---|",
    ]
    for stage, m in means(results).items():
        lines.append(
            f"| {stage} | {m['shape']:.2f}° ± {m['shape_std']:.2f} | {m['rotated']:.2f}° | "
            f"{m['relief']:.3f} ± {m['relief_std']:.3f} |"
        )
    return "\n".join(lines)


def as_dict(results: Sequence[WildResult]) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "benchmark": "wild",
        "photos": len(results),
        "without_result": sum(bool(r.missing) for r in results),
        "mean": means(results),
        "each": [
            {"photo": r.path, "missing": r.missing, "shape": r.shape, "rotated": r.rotated, "relief": r.relief}
            for r in results
        ],
    }
