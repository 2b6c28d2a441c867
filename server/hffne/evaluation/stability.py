# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the same face give the same normal? The mirrored photo, and the crop moved by a pixel or turned a little."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from hffne.errors import HffneError, NoFaceError
from hffne.evaluation.metrics import angles
from hffne.geometry.vectors import normalize
from hffne.photo.detect import Face, find_faces
from hffne.photo.load import Photo, load_photo

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate
    from hffne.pipeline import Engine

TURNS = (-3.0, 3.0)  # degrees
SHIFTS = ((1, 0), (-1, 0), (0, 1), (0, -1))  # pixels of the crop at 256
BOUND = 2.0  # degrees: what the mean change over the face should stay under
_MIRROR = np.array([-1, 1, 1], np.float32)


@dataclass
class Stability:
    """One photo: mean changes over the face in degrees.

    mirror   of the mirrored photo, from detection on, mirrored back
    shift    one value for each of SHIFTS
    turn     one value for each of TURNS
    missing  the reason why there is no result, or ""
    """

    path: str
    mirror: float = 0.0
    shift: list[float] = field(default_factory=list)
    turn: list[float] = field(default_factory=list)
    missing: str = ""

    @property
    def worst(self) -> float:
        """The largest of all changes."""
        return max([self.mirror, *self.shift, *self.turn])


def measure(engine: "Engine", photo: Photo, face: Face) -> Stability:
    """Stability of one face of a photo. Raises HffneError."""
    crop = engine.crop(photo, face)
    plain = engine.normals_on(photo, crop)
    result = Stability(str(photo.path), mirrored(engine, photo, face))
    result.shift = [shifted(engine, photo, plain, *step) for step in SHIFTS]
    result.turn = [turned(engine, photo, plain, degrees) for degrees in TURNS]
    return result


def mirrored(engine: "Engine", photo: Photo, face: Face) -> float:
    """The mean angle between the photo's normals and the mirrored photo's, mirrored back; each from its own detection.

    Raises HffneError when the detector finds no face on the mirrored photo.
    """
    normal, _, mask = engine.normals(photo, face).on_photo(photo.rgb.shape)
    mirror = Photo(np.ascontiguousarray(photo.rgb[:, ::-1]), photo.path)
    middle = photo.size[0] - (face.box[0] + face.box[2] / 2)
    twin = min(find_faces(mirror), key=lambda f: abs(f.box[0] + f.box[2] / 2 - middle), default=None)
    if twin is None:
        raise NoFaceError("No face is found on the mirrored photo.")
    other, _, other_mask = engine.normals(mirror, twin).on_photo(photo.rgb.shape)
    both = mask & other_mask[:, ::-1]
    return float(angles(normal, other[:, ::-1] * _MIRROR)[both].mean())


def shifted(engine: "Engine", photo: Photo, plain: "FaceEstimate", right: int, down: int) -> float:
    """The mean change when the crop of an estimate moves by whole pixels of the crop at 256."""
    crop = plain.crop
    step = crop.side / 256
    # The crop's right and up on the photo, which may lie on its side.
    x, y, _ = crop.unturning @ (right, -down, 0)
    moved = engine.normals_on(
        photo, replace(crop, center_x=crop.center_x + x * step, center_y=crop.center_y - y * step)
    )
    size = len(plain.normal)
    # The same points of the photo, on both crops.
    right, down = right * size // 256, down * size // 256
    here = tuple(slice(max(k, 0), size + min(k, 0)) for k in (down, right))
    there = tuple(slice(max(-k, 0), size + min(-k, 0)) for k in (down, right))
    both = plain.mask[here] & moved.mask[there]
    return float(angles(plain.normal[here], moved.normal[there])[both].mean())


def turned(engine: "Engine", photo: Photo, plain: "FaceEstimate", degrees: float) -> float:
    """The mean change when the photo is turned counter-clockwise about the crop's middle, and the normals back."""
    crop, size = plain.crop, len(plain.normal)
    matrix = cv2.getRotationMatrix2D((crop.center_x - 0.5, crop.center_y - 0.5), degrees, 1.0)
    rgb = cv2.warpAffine(photo.rgb, matrix, photo.size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    other = engine.normals_on(Photo(rgb, photo.path), crop)
    back = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), -degrees, 1.0)
    normal = cv2.warpAffine(other.normal, back, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    other_mask = cv2.warpAffine(other.mask.astype(np.float32), back, (size, size)) > 0.99
    c, s = np.cos(np.radians(-degrees)), np.sin(np.radians(-degrees))
    rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32)
    both = plain.mask & other_mask
    return float(angles(plain.normal[both], normalize(normal[both]) @ rotation.T).mean())


def evaluate(engine: "Engine", paths: Sequence[Path], report: Callable[[str], object] = print) -> list[Stability]:
    """Stability of the largest face of each photo."""
    results = []
    for path in paths:
        try:
            photo = load_photo(path)
            faces = find_faces(photo)
            result = measure(engine, photo, faces[0]) if faces else Stability(str(path), missing="no face found")
        except HffneError as error:
            result = Stability(str(path), missing=error.message)
        results.append(result)
        changes = (
            result.missing
            or f"mirror {result.mirror:.2f}, shift {max(result.shift):.2f}, turn {max(result.turn):.2f} deg"
        )
        report(f"{path}: {changes}")
    return results


@dataclass(frozen=True)
class Change:
    """A change over all photos: mean and worst in degrees, percent of the photos within BOUND."""

    mean: float
    worst: float
    percent_within: float


def _changes(results: Sequence[Stability]) -> dict[str, Change]:
    good = [r for r in results if not r.missing]
    if not good:
        return {}
    values = {
        "mirrored photo": [r.mirror for r in good],
        "crop moved by one pixel": [max(r.shift) for r in good],
        f"turned by {max(TURNS):.0f}°": [max(r.turn) for r in good],
    }
    return {
        name: Change(float(np.mean(v)), float(max(v)), float(np.mean(np.array(v) < BOUND) * 100))
        for name, v in values.items()
    }


def table(results: Sequence[Stability]) -> str:
    """The report as Markdown."""
    lines = [
        f"{sum(not r.missing for r in results)} of {len(results)} photos with a result",
        "",
        f"| change | mean change | worst photo | photos under {BOUND:.0f}° |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {change.mean:.2f}° | {change.worst:.2f}° | {change.percent_within:.0f} % |"
        for name, change in _changes(results).items()
    ]
    return "\n".join(lines)


def as_dict(results: Sequence[Stability]) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "benchmark": "stability",
        "changes": {name: vars(change) for name, change in _changes(results).items()},
        "photos": [
            {"photo": r.path, "missing": r.missing, "mirror": r.mirror, "shift": r.shift, "turn": r.turn}
            for r in results
        ],
    }
