# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos without any truth: is the shape right, and is the relief the photo's?

Low-frequency truth: the smoothed normal against MediaPipe's landmark mesh, the mean angle over the mesh. Fine relief:
how much of the photo's fine luminance on the skin some light makes of the normal's fine components (R2). Either
alone is easy, a smooth mesh or the photo itself; a good normal has both.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from hffne.errors import HffneError, NoPhotosError
from hffne.evaluation.contact_sheet import face_row
from hffne.evaluation.metrics import angles
from hffne.geometry.band_merge import enlarge
from hffne.geometry.grids import blur
from hffne.geometry.vectors import best_rotation, normalize
from hffne.photo.crop import extract_crop, to_gray
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo
from hffne.synthesis.landmark_mesh import mesh_normals, plain_skin
from hffne.synthesis.training_set import TrainingSet

SIZE = 256  # all bands are in pixels of a crop of this size
SIGMA = 6.0  # what is smoother than this is shape
STAGES = ("coarse", "fine", "product")


@dataclass
class WildResult:
    """One photo. shape: {stage: mean angle in degrees}; turned: the same after the best rotation of each;
    relief: {stage: R2}; missing: why there is none of it ("" when there is)."""

    path: str
    shape: dict = field(default_factory=dict)
    turned: dict = field(default_factory=dict)
    relief: dict = field(default_factory=dict)
    missing: str = ""


def held_out(folder, photos=None):
    """The photos that the training on a set (folder with fits.npz) held out, as paths; of `photos` only if given.

    Raises HffneError when the folder is not a training set, or when none of `photos` was held out.
    """
    kept = TrainingSet(folder).held_out_photos()
    if photos is None:
        return kept
    # Moved since, perhaps: the name and its folder tell.
    names = {path.parts[-2:] for path in kept}
    chosen = [path for path in photos if path.resolve().parts[-2:] in names]
    if not chosen:
        raise NoPhotosError(
            "None of these photos was held out by the training.",
            hint="Give the folder that the set was made from.",
        )
    return chosen


def evaluate(engine, finder, paths, report=print, rows=None):
    """Run the product on all photos: a list of WildResult. finder: landmark_finder.LandmarkFinder; rows: a
    sheet.BestAndWorst that takes the contact sheet's rows."""
    results = []
    for number, path in enumerate(paths, 1):
        results.append(_one(engine, finder, path, rows))
        if results[-1].missing:
            report(f"{path}: {results[-1].missing}")
        if number % 50 == 0:
            report(f"{number} of {len(paths)}")
    return results


def _one(engine, finder, path, rows):
    result = WildResult(str(path))
    try:
        photo = load_photo(path)
        faces = find_faces(photo)
        estimate = engine.normals(photo, faces[0]) if faces else None
    except HffneError as error:
        result.missing = error.message
        return result
    points = finder.find(photo.rgb, faces[0].box) if faces else None
    if points is None:
        result.missing = "no landmarks" if faces else "no face found"
        return result
    crop = estimate.crop.resized(SIZE)
    rgb = extract_crop(photo.rgb, crop)
    points = crop.to_crop(points)
    truth, area = mesh_normals(points, SIZE)
    skin = plain_skin(points, area)
    if not skin.any():
        result.missing = "the landmarks lie beside the face found"
        return result
    for stage, normal in zip(STAGES, (estimate.coarse, estimate.fine, estimate.normal)):
        normal = enlarge(normal, SIZE)
        result.shape[stage], result.turned[stage], error = shape_error(normal, truth, area)
        result.relief[stage] = relief_share(to_gray(rgb), normal, skin)
    if rows is not None:
        label = (
            f"{path.parent.name}/{path.stem}  shape {result.shape['product']:.1f} deg  relief R2 "
            f"{result.relief['product']:.2f}"
        )
        picture = np.round(rgb * 255).astype(np.uint8)
        mask = cv2.resize(estimate.mask.astype(np.uint8), (SIZE, SIZE), interpolation=cv2.INTER_NEAREST) > 0
        rows.add(
            result.shape["product"],
            face_row(
                label,
                picture,
                enlarge(estimate.coarse, SIZE),
                enlarge(estimate.normal, SIZE),
                mask | area,
                np.where(area, error, 0),
                truth,
                enlarge(estimate.fine, SIZE),
            ),
        )
    return result


def shape_error(normal, truth, area):
    """The smoothed normal (S, S, 3) against the mesh: mean angle over `area` in degrees, the same after the best
    rotation, and the angles (S, S)."""
    smooth = normalize(blur(normal, SIGMA * len(normal) / SIZE))
    error = angles(smooth, truth)
    rotation = best_rotation(smooth[area], truth[area])
    return (float(error[area].mean()), float(angles(smooth[area] @ rotation.T, truth[area]).mean()), error)


def relief_share(gray, normal, skin):
    """R2 of a gray picture's fine luminance (1 to 5 px) by the fine components of the normal, over the skin (S, S)."""
    import torch

    from hffne.geometry.explained_luminance import unexplained_luminance

    gray, normal, skin = (torch.from_numpy(np.ascontiguousarray(a, np.float32)) for a in (gray, normal, skin))
    return 1 - float(unexplained_luminance(gray[None, None], normal.permute(2, 0, 1)[None], skin[None]))


def means(results):
    """{stage: {"shape", "shape_std", "turned", "relief", "relief_std"}} over the photos with a result."""
    good = [r for r in results if not r.missing]
    return (
        {
            stage: {
                "shape": float(np.mean([r.shape[stage] for r in good])),
                "shape_std": float(np.std([r.shape[stage] for r in good])),
                "turned": float(np.mean([r.turned[stage] for r in good])),
                "relief": float(np.mean([r.relief[stage] for r in good])),
                "relief_std": float(np.std([r.relief[stage] for r in good])),
            }
            for stage in STAGES
        }
        if good
        else {}
    )


def table(results):
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
            f"| {stage} | {m['shape']:.2f}° ± {m['shape_std']:.2f} | {m['turned']:.2f}° | "
            f"{m['relief']:.3f} ± {m['relief_std']:.3f} |"
        )
    return "\n".join(lines)


def as_dict(results):
    """The report as plain data."""
    return {
        "benchmark": "wild",
        "photos": len(results),
        "without_result": sum(bool(r.missing) for r in results),
        "mean": means(results),
        "each": [
            {"photo": r.path, "missing": r.missing, "shape": r.shape, "turned": r.turned, "relief": r.relief}
            for r in results
        ],
    }
