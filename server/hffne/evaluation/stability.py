# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the same face give the same normal? The mirrored photo, and the crop moved by a pixel or turned a little."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from hffne.errors import HffneError, NoFaceError
from hffne.evaluation.metrics import angles
from hffne.geometry.vectors import normalize
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo, load_photo

TURNS = (-3.0, 3.0)  # degrees
SHIFTS = ((1, 0), (-1, 0), (0, 1), (0, -1))  # pixels of the crop at 256
BOUND = 2.0  # degrees: what the mean change over the face should stay under
_MIRROR = np.float32([-1, 1, 1])


@dataclass
class Stability:
    """One photo: mean changes over the face in degrees. mirror: of the mirrored photo, from detection on, mirrored
    back; shift, turn: one for each of SHIFTS and TURNS. missing: why there is none of it ("" when there is)."""

    path: str
    mirror: float = 0.0
    shift: list = field(default_factory=list)
    turn: list = field(default_factory=list)
    missing: str = ""

    @property
    def worst(self):
        """The largest of all changes."""
        return max([self.mirror, *self.shift, *self.turn])


def measure(engine, photo, face):
    """Stability of one face of a photo.load.Photo."""
    crop = engine.crop(photo, face)
    plain = engine.normals_on(photo, crop)
    result = Stability(str(photo.path), mirrored(engine, photo, face))
    result.shift = [shifted(engine, photo, plain, *step) for step in SHIFTS]
    result.turn = [turned(engine, photo, plain, degrees) for degrees in TURNS]
    return result


def mirrored(engine, photo, face):
    """The mean angle between the photo's normals and the mirrored photo's, mirrored back; each found by itself.

    Raises HffneError when the mirrored photo shows no face to the detector.
    """
    normal, _, mask = engine.normals(photo, face).on_photo(photo.rgb.shape)
    mirror = Photo(np.ascontiguousarray(photo.rgb[:, ::-1]), photo.path)
    middle = photo.size[0] - (face.box[0] + face.box[2] / 2)
    twin = min(find_faces(mirror), key=lambda f: abs(f.box[0] + f.box[2] / 2 - middle), default=None)
    if twin is None:
        raise NoFaceError("No face is found on the mirrored photo.")
    other, _, seen = engine.normals(mirror, twin).on_photo(photo.rgb.shape)
    both = mask & seen[:, ::-1]
    return float(angles(normal, other[:, ::-1] * _MIRROR)[both].mean())


def shifted(engine, photo, plain, right, down):
    """The mean change when the crop of an estimate moves by whole pixels of it at 256."""
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


def turned(engine, photo, plain, degrees):
    """The mean change when the photo is turned counter-clockwise about the crop's middle, turned back."""
    crop, size = plain.crop, len(plain.normal)
    matrix = cv2.getRotationMatrix2D((crop.center_x - 0.5, crop.center_y - 0.5), degrees, 1.0)
    rgb = cv2.warpAffine(photo.rgb, matrix, photo.size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    other = engine.normals_on(Photo(rgb, photo.path), crop)
    back = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), -degrees, 1.0)
    normal = cv2.warpAffine(other.normal, back, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.warpAffine(other.mask.astype(np.float32), back, (size, size)) > 0.99
    c, s = np.cos(np.radians(-degrees)), np.sin(np.radians(-degrees))
    spin = np.float32([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    both = plain.mask & seen
    return float(angles(plain.normal[both], normalize(normal[both]) @ spin.T).mean())


def evaluate(engine, paths, report=print):
    """Stability of the largest face of each photo: a list of Stability."""
    results = []
    for path in paths:
        try:
            photo = load_photo(path)
            faces = find_faces(photo)
            result = measure(engine, photo, faces[0]) if faces else Stability(str(path), missing="no face found")
        except HffneError as error:
            result = Stability(str(path), missing=error.message)
        results.append(result)
        report(
            f"{path}: "
            + (
                result.missing
                or f"mirror {result.mirror:.2f}, shift {max(result.shift):.2f}, turn {max(result.turn):.2f} deg"
            )
        )
    return results


def _changes(results):
    """{what: (mean, worst, percent of the photos within the bound)}"""
    good = [r for r in results if not r.missing]
    values = {
        "mirrored photo": [r.mirror for r in good],
        "crop moved by one pixel": [max(r.shift) for r in good],
        f"turned by {max(TURNS):.0f}°": [max(r.turn) for r in good],
    }
    return (
        {
            name: (float(np.mean(v)), float(max(v)), float(np.mean(np.array(v) < BOUND) * 100))
            for name, v in values.items()
        }
        if good
        else {}
    )


def table(results):
    """The report as Markdown."""
    lines = [
        f"{sum(not r.missing for r in results)} of {len(results)} photos with a result",
        "",
        f"| what | mean change | worst photo | photos under {BOUND:.0f}° |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {mean:.2f}° | {worst:.2f}° | {share:.0f} % |"
        for name, (mean, worst, share) in _changes(results).items()
    ]
    return "\n".join(lines)


def as_dict(results):
    """The report as plain data."""
    return {
        "benchmark": "stability",
        "changes": {
            name: {"mean": mean, "worst": worst, "percent_within": share}
            for name, (mean, worst, share) in _changes(results).items()
        },
        "photos": [
            {"photo": r.path, "missing": r.missing, "mirror": r.mirror, "shift": r.shift, "turn": r.turn}
            for r in results
        ],
    }
