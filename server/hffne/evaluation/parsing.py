# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parsing network sees on rendered people whom training never saw: parts, and the face's bare skin."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hffne.estimate import FaceEstimate
from hffne.evaluation.contact_sheet import Row
from hffne.evaluation.held_out_people import measure
from hffne.geometry.face_parts import wide_crop
from hffne.normal_file import arrays_on_photo
from hffne.parts import PARTS, SKIN
from hffne.photo.crop import CROP
from hffne.photo.load import Photo
from hffne.synthesis.parsing_set import HELD_OUT_PEOPLE
from hffne.synthesis.training_set import TrainingSet

if TYPE_CHECKING:
    from hffne.pipeline import Engine

_RARE = 5e-4  # share of the pixels below which a part is left out
# Colors of the parts on the sheet.
_COLORS = np.array(
    [
        [60, 60, 60],
        [255, 200, 160],
        [120, 60, 0],
        [255, 255, 255],
        [220, 0, 60],
        [0, 120, 255],
        [90, 0, 140],
        [0, 255, 0],
        [255, 255, 0],
        [0, 160, 160],
    ],
    np.uint8,
)


@dataclass
class ParsingResult:
    """Of one picture: confusion (P, P) pixels, true parts by found ones, on the crop and its margin; skin
    [right, found, true] pixels within the base shape's outline."""

    confusion: np.ndarray
    skin: np.ndarray


def evaluate(
    engine: "Engine", folder: str | Path, report: Callable[[str], None] = lambda _: None, rows: list[Row] | None = None
) -> list[ParsingResult | None]:
    """Measure the held-out pictures of a set that `synthesis.parsing_set` made; None where no face is found.

    rows: filled with the contact sheet's. Raises TrainingSetError.
    """
    truths = TrainingSet(folder).arrays(HELD_OUT_PEOPLE)["part"]

    def one(number: int, photo: Photo, estimate: FaceEstimate, face: np.ndarray) -> ParsingResult:
        shape, truth = photo.rgb.shape[:2], np.asarray(truths[number])
        found = arrays_on_photo(estimate, shape)
        window = wide_crop(estimate.crop.resized(CROP))
        at = np.stack(np.meshgrid(np.arange(shape[1]), np.arange(shape[0])), -1).astype(np.float32)
        inside = (np.abs(window.to_crop(at) - (window.size - 1) / 2) < window.size / 2).all(2)
        if rows is not None:
            tiles = [("photo", photo.rgb), ("found", _COLORS[found["parts"]]), ("truth", _COLORS[truth])]
            rows.append((f"{number}", tiles))
        return compared(found["parts"], found["skin"], truth, inside, face)

    return measure(engine, folder, one, report)


def compared(
    found: np.ndarray, skin: np.ndarray, truth: np.ndarray, inside: np.ndarray, face: np.ndarray
) -> ParsingResult:
    """The ParsingResult of parts (H, W) and bare skin (H, W) bool; inside, face (H, W) bool: where parts are looked
    for, and the base shape's outline."""
    count = len(PARTS)
    known = inside & (truth < count)
    confusion = np.bincount(truth[known].astype(int) * count + found[known], minlength=count * count)
    ours, real = skin[face], truth[face] == SKIN
    return ParsingResult(confusion.reshape(count, count), np.array([(ours & real).sum(), ours.sum(), real.sum()]))


def figures(results: list[ParsingResult | None]) -> dict[str, Any]:
    """Intersection over union by part and their mean, precision and recall of the face's bare skin."""
    good = [r for r in results if r is not None]
    total = np.sum([r.confusion for r in good], axis=0) if good else np.zeros((len(PARTS), len(PARTS)))
    both = np.diag(total)
    union = total.sum(0) + total.sum(1) - both
    # Of a part that is hardly there, like the inside of closed mouths, the figure says nothing.
    shown = total.sum(1) > _RARE * total.sum()
    iou = {name: float(both[k] / union[k]) for k, name in enumerate(PARTS) if shown[k]}
    right, found, real = np.sum([r.skin for r in good], axis=0) if good else (0, 0, 0)
    return {
        "pictures": len(results),
        "without_face": len(results) - len(good),
        "iou": iou,
        "mean_iou": float(np.mean(list(iou.values()))) if iou else 0.0,
        "skin_precision": float(right / max(found, 1)),
        "skin_recall": float(right / max(real, 1)),
    }


def table(results: list[ParsingResult | None]) -> str:
    """The report as Markdown."""
    all_ = figures(results)
    lines = [f"{all_['pictures'] - all_['without_face']} of {all_['pictures']} pictures with a face", ""]
    lines += ["| part | intersection over union |", "|---|---|"]
    lines += [f"| {name} | {value:.3f} |" for name, value in all_["iou"].items()]
    lines += [f"| mean | {all_['mean_iou']:.3f} |", ""]
    lines.append(f"bare skin within the face: precision {all_['skin_precision']:.3f}, recall {all_['skin_recall']:.3f}")
    return "\n".join(lines)


def as_dict(results: list[ParsingResult | None]) -> dict[str, Any]:
    """The report as plain data."""
    return {"benchmark": "parsing", **figures(results)}
