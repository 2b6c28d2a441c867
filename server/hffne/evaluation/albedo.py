# SPDX-License-Identifier: GPL-3.0-or-later
"""How far colors are without light, on rendered people whom training never saw and whose albedo is known."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hffne.estimate import FaceEstimate
from hffne.evaluation.contact_sheet import Row
from hffne.evaluation.held_out_people import measure
from hffne.geometry.face_parts import WIDE, wide_crop
from hffne.geometry.unlit import without_light
from hffne.parts import BROWS, LIPS, SKIN
from hffne.photo.colors import LUMINANCE, to_linear
from hffne.photo.crop import CROP, extract_crop
from hffne.photo.load import Photo
from hffne.synthesis.parsing_set import HELD_OUT_PEOPLE
from hffne.synthesis.training_set import TrainingSet

if TYPE_CHECKING:
    from hffne.pipeline import Engine

_MEASURED = (SKIN, BROWS, LIPS)
_FEWEST = 500  # pixels
_CLIPPED = 254  # holds no color
# Names of the groups by the skin's own brightness, and the linear luminances between them.
_TONES, _BETWEEN = ("dark", "medium", "fair"), (0.12, 0.3)


@dataclass
class AlbedoResult:
    """Of one picture: root mean squared errors of linear light over the albedo's mean, after one gain, with the light
    taken out and as photographed; how far the skin's mean color is from the truth (CIEDE2000), likewise; the tone."""

    error: float
    photo_error: float
    color: float
    photo_color: float
    tone: str


def evaluate(
    engine: "Engine", folder: str | Path, report: Callable[[str], None] = lambda _: None, rows: list[Row] | None = None
) -> list[AlbedoResult | None]:
    """Measure the held-out pictures of a set that `synthesis.parsing_set` made; None where no face is found, or too
    little of it is bare.

    rows: filled with the contact sheet's. Raises TrainingSetError.
    """
    data = TrainingSet(folder).arrays(HELD_OUT_PEOPLE)

    def one(number: int, photo: Photo, estimate: FaceEstimate, face: np.ndarray) -> AlbedoResult | None:
        rgb, albedo, part = (np.asarray(data[name][number]) for name in ("rgb", "albedo", "part"))
        gain = engine.delit(photo, estimate).gain
        assert gain is not None
        crop = wide_crop(estimate.crop.resized(CROP)).resized(WIDE)
        shown = np.clip(extract_crop(photo.rgb, crop), 0, 1)
        ours = estimate.colors_on_photo(without_light(shown, gain), photo.rgb.shape[:2])
        result = compared(ours, rgb, albedo, face & np.isin(part, _MEASURED) & (rgb.min(2) < _CLIPPED))
        if rows is not None and result:
            tiles = [("photo", rgb), (f"found, {result.error:.2f}", np.round(ours * 255).astype(np.uint8))]
            rows.append((f"{number}", [*tiles, ("truth", albedo)]))
        return result

    return measure(engine, folder, one, report)


def compared(found: np.ndarray, photo: np.ndarray, albedo: np.ndarray, measured: np.ndarray) -> AlbedoResult | None:
    """The AlbedoResult of colors (H, W, 3) sRGB, 0..1 or uint8, over `measured` (H, W) bool."""
    if measured.sum() < _FEWEST:
        return None
    truth = to_linear(albedo)[measured].astype(np.float64)
    figures = []
    for each in (found, photo):
        ours = to_linear(each)[measured].astype(np.float64)
        ours = ours * (ours * truth).sum() / max(float(np.square(ours).sum()), 1e-9)
        figures.append((float(np.sqrt(np.square(ours - truth).mean()) / truth.mean()), _difference(ours, truth)))
    tone = _TONES[int(np.searchsorted(_BETWEEN, float((truth @ LUMINANCE).mean())))]
    (error, color), (photo_error, photo_color) = figures
    return AlbedoResult(error, photo_error, color, photo_color, tone)


def _difference(ours: np.ndarray, truth: np.ndarray) -> float:
    """CIEDE2000 of the mean colors of linear ones (N, 3), the brighter one as bright as the other."""
    from skimage.color import deltaE_ciede2000, xyz2lab
    from skimage.color.colorconv import xyz_from_rgb

    first, second = ours.mean(0), truth.mean(0)
    first = first * (second @ LUMINANCE) / max(float(first @ LUMINANCE), 1e-9)
    labs = [xyz2lab((each @ xyz_from_rgb.T)[None]) for each in (first, second)]
    return float(deltaE_ciede2000(*labs)[0])


def figures(results: list[AlbedoResult | None]) -> dict[str, Any]:
    """Means over all pictures and by tone."""
    good = [r for r in results if r is not None]
    groups = {"all": good, **{tone: [r for r in good if r.tone == tone] for tone in _TONES}}
    names = ("error", "photo_error", "color", "photo_color")
    return {
        "pictures": len(results),
        "without_face": len(results) - len(good),
        "groups": {
            group: {"pictures": len(of)} | {name: float(np.mean([getattr(r, name) for r in of])) for name in names}
            for group, of in groups.items()
            if of
        },
    }


def table(results: list[AlbedoResult | None]) -> str:
    """The report as Markdown."""
    all_ = figures(results)
    lines = [f"{all_['pictures'] - all_['without_face']} of {all_['pictures']} pictures with a bare face", ""]
    lines += ["| skin | pictures | RMSE over the mean | of the photo | color, CIEDE2000 | of the photo |"]
    lines += ["|---|---|---|---|---|---|"]
    for group, each in all_["groups"].items():
        lines.append(
            f"| {group} | {each['pictures']} | {each['error']:.3f} | {each['photo_error']:.3f} "
            f"| {each['color']:.1f} | {each['photo_color']:.1f} |"
        )
    return "\n".join(lines)


def as_dict(results: list[AlbedoResult | None]) -> dict[str, Any]:
    """The report as plain data."""
    return {"benchmark": "albedo", **figures(results)}
