# SPDX-License-Identifier: GPL-3.0-or-later
"""How detail and shape change with the size of the fine network's crop.

Detail should grow with the crop as long as the photo has more to show, and the shape should stay. All bands are in
pixels of a crop of 256, so that the results for different sizes can be compared: 2 to 4 px is the same width on the
skin at any size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np

from hffne.errors import HffneError
from hffne.evaluation.contact_sheet import LIGHTS, Row, normal_picture, shaded_picture
from hffne.evaluation.metrics import angles
from hffne.geometry.band_merge import resize_normals
from hffne.geometry.grids import blur
from hffne.geometry.vectors import normalize
from hffne.photo.crop import extract_crop, to_gray
from hffne.photo.detect import Face, find_faces
from hffne.photo.load import Photo, load_photo

if TYPE_CHECKING:
    from hffne.pipeline import Engine

# (finer, coarser) sigma of a band in pixels of 256; finer 0: the band has no finer end.
Band: TypeAlias = tuple[float, float]

SIZES = (256, 512, 1024)
BANDS: tuple[Band, ...] = ((0.0, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0))
SHAPE = 6.0  # the sigma beyond which it is shape
TILE = 384  # pixels: the width of the contact sheet's tiles

# (size, gray (S, S), normal (S, S, 3), mask (S, S)), called with the result at each size.
DrawCallback = Callable[[int, np.ndarray, np.ndarray, np.ndarray], object]


@dataclass
class Scale:
    """One photo at one size.

    energy     for each of BANDS the root mean square tilt in degrees
    explained  for each of BANDS the R2 of the photo's luminance by the normal's
    drift      mean angle in degrees between the smoothed normal and that of the smallest size
    """

    size: int
    energy: list[float] = field(default_factory=list)
    explained: list[float] = field(default_factory=list)
    drift: float = 0.0


@dataclass
class PhotoScales:
    """One photo.

    face     the crop's width in the photo's pixels
    scales   a Scale for each size
    missing  the reason why there is no result, or ""
    """

    path: str
    face: float = 0.0
    scales: list[Scale] = field(default_factory=list)
    missing: str = ""


def measure(
    engine: "Engine", photo: Photo, face: Face, sizes: Sequence[int] = SIZES, draw: DrawCallback | None = None
) -> PhotoScales:
    """PhotoScales of one face. draw: called with the result at each size."""
    crop = engine.crop(photo, face)
    result = PhotoScales(str(photo.path), float(crop.side))
    first = None
    for size in sizes:
        estimate = engine.normals_on(photo, crop, size=size)
        gray = to_gray(extract_crop(photo.rgb, crop.resized(size)))
        inner = _inner(estimate.mask)
        smooth = normalize(resize_normals(blur(estimate.normal, SHAPE * size / 256), sizes[0]))
        first = smooth if first is None else first
        area = _inner(
            cv2.resize(estimate.mask.astype(np.uint8), smooth.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
        )
        scale = Scale(size, drift=float(angles(smooth, first)[area].mean()))
        for band in BANDS:
            light, relief = (_band(a, band, size / 256) for a in (gray, estimate.normal))
            scale.energy.append(float(np.degrees(np.sqrt(np.square(relief[inner]).sum(1).mean()))))
            scale.explained.append(_explained(light[inner], relief[inner]))
        result.scales.append(scale)
        if draw is not None:
            draw(size, gray, estimate.normal, estimate.mask)
    return result


def evaluate(
    engine: "Engine",
    paths: Sequence[Path],
    sizes: Sequence[int] = SIZES,
    report: Callable[[str], object] = print,
    rows: list[Row] | None = None,
) -> list[PhotoScales]:
    """PhotoScales of the largest face of each photo. rows: receives the contact sheet's rows."""
    results = []
    for path in paths:
        tiles: list[tuple[str, np.ndarray]] = []
        draw = _tile_drawer(tiles) if rows is not None else None
        try:
            photo = load_photo(path)
            faces = find_faces(photo)
            result = (
                measure(engine, photo, faces[0], sizes, draw)
                if faces
                else PhotoScales(str(path), missing="no face found")
            )
        except HffneError as error:
            result = PhotoScales(str(path), missing=error.message)
        results.append(result)
        report(f"{path}: {result.missing or 'done'}")
        if tiles and rows is not None:
            rows.append((f"{path.parent.name}/{path.stem}  {result.face:.0f} px", tiles))
    return results


def _tile_drawer(tiles: list[tuple[str, np.ndarray]]) -> DrawCallback:
    """Adds tiles of the face's middle at each size, large enough to see the detail."""

    def draw(size: int, gray: np.ndarray, normal: np.ndarray, mask: np.ndarray) -> None:
        part = slice(size // 4, size // 4 + size // 2)
        gray, normal, mask = gray[part, part], normal[part, part], mask[part, part]
        pictures = {
            "normal": normal_picture(normal, mask),
            "light 1": shaded_picture(normal, LIGHTS[0], mask),
            "photo": np.repeat((gray[..., None] * 255).astype(np.uint8), 3, 2),
        }
        for name in ("photo", "normal", "light 1"):
            if name != "photo" or not tiles:
                tiles.append(
                    (f"{name} {size}", cv2.resize(pictures[name], (TILE, TILE), interpolation=cv2.INTER_LINEAR))
                )

    return draw


def _inner(mask: np.ndarray) -> np.ndarray:
    """The mask without its rim, where bands would mix with the surroundings."""
    width = max(3, len(mask) // 32)
    return cv2.erode(mask.astype(np.uint8), np.ones((width, width), np.uint8), borderValue=(0,)) > 0


def _band(values: np.ndarray, band: Band, scale: float) -> np.ndarray:
    """Values (S, S[, 3]) between two sigmas in pixels of 256, on a crop that is `scale` times as large."""
    fine = blur(values, band[0] * scale) if band[0] else values
    return fine - blur(values, band[1] * scale)


def _explained(light: np.ndarray, relief: np.ndarray) -> float:
    """R2 of luminance (N,) by the best light on relief (N, 3)."""
    total = float(np.square(light).sum())
    if total < 1e-9 * len(light):
        return 0.0
    solution = np.linalg.lstsq(relief.astype(np.float64), light.astype(np.float64), rcond=None)[0]
    return 1 - float(np.square(light - relief @ solution).sum()) / total


def _name(band: Band) -> str:
    return f"{band[0]:g}-{band[1]:g} px"


def means(results: Sequence[PhotoScales]) -> dict[int, dict[str, Any]]:
    """{size: {"drift", "energy": {band: degrees}, "explained": {band: R2}}} over the photos with a result."""
    good = [r for r in results if not r.missing]
    table = {}
    for k, scale in enumerate(good[0].scales if good else []):
        every = [r.scales[k] for r in good]
        table[scale.size] = {
            "drift": float(np.mean([s.drift for s in every])),
            **{
                what: {
                    _name(band): float(np.mean([getattr(s, what)[n] for s in every])) for n, band in enumerate(BANDS)
                }
                for what in ("energy", "explained")
            },
        }
    return table


def table(results: Sequence[PhotoScales]) -> str:
    """The report as Markdown."""
    names = [_name(band) for band in BANDS]
    lines = [
        f"{sum(not r.missing for r in results)} of {len(results)} photos with a result; the crop is "
        f"{np.mean([r.face for r in results if not r.missing] or [0]):.0f} of their pixels wide",
        "",
        "| crop | drift of the shape | "
        + " | ".join(f"relief {n}" for n in names)
        + " | "
        + " | ".join(f"R2 {n}" for n in names)
        + " |",
        "|---|---|" + "---|" * (2 * len(names)),
    ]
    for size, m in means(results).items():
        lines.append(
            f"| {size} | {m['drift']:.2f}° | "
            + " | ".join(f"{v:.2f}°" for v in m["energy"].values())
            + " | "
            + " | ".join(f"{v:.2f}" for v in m["explained"].values())
            + " |"
        )
    return "\n".join(lines)


def as_dict(results: Sequence[PhotoScales]) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "benchmark": "scales",
        "bands": [_name(b) for b in BANDS],
        "mean": means(results),
        "photos": [
            {"photo": r.path, "missing": r.missing, "face": r.face, "scales": [vars(s) for s in r.scales]}
            for r in results
        ],
    }
