# SPDX-License-Identifier: GPL-3.0-or-later
"""Extended Yale B, cropped: normals against photometric stereo.

A folder of <person>_<light>.png photos and <person>_normal.npz truths (`normal` (H, W, 3), `mask` (H, W)).
The whole product runs on each photo, detector included.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import HffneError
from ..geometry.merge import enlarge
from ..geometry.resample import best_rotation
from ..photo.detect import find_faces
from ..photo.load import load_photo
from .metrics import angles, average, summary
from .sheet import face_row

FRONTAL = "A+000E+00"


@dataclass
class FaceResult:
    """One photo: statistics (metrics.Angles) raw and after the best global rotation.

    coverage: percent of the truth's mask that our own mask covers. The normals of the pixels beyond it come from
    the coarse network while they lie on the crop, and are flat (0, 0, 1) elsewhere (`flat`, percent); all count.
    pitch: degrees about the x axis of that rotation. stages: {"base", "coarse", "fine": (raw, rotated)}, the parts
    that the product's normal is made of.
    """

    person: str
    light: str
    raw: object = None
    aligned: object = None
    pitch: float = 0.0
    coverage: float = 0.0
    flat: float = 100.0
    found: bool = False
    stages: dict = field(default_factory=dict)


def pairs(folder, light=FRONTAL):
    """(person, light, photo path, truth path) of the benchmark, sorted. light: a name, or "all".

    Raises HffneError when the folder is no such benchmark.
    """
    folder = Path(folder)
    truths = sorted(folder.glob("*_normal.npz")) if folder.is_dir() else []
    found = []
    for truth in truths:
        person = truth.name[: -len("_normal.npz")]
        for photo in sorted(folder.glob(f"{person}_*.png")):
            name = photo.stem[len(person) + 1:]
            if light in ("all", name):
                found.append((person, name, photo, truth))
    if not found:
        raise HffneError(
            f"'{folder}' holds no photos of Extended Yale B under the light '{light}'.",
            hint="It must hold <person>_<light>.png and <person>_normal.npz files.",
            code="no_benchmark",
        )
    return found


def evaluate(engine, folder, light=FRONTAL, merged=True, report=print, rows=None):
    """Run the product on all photos: a list of FaceResult. rows: a sheet.BestAndWorst that takes the sheet's rows."""
    results = []
    for person, name, photo_path, truth_path in pairs(folder, light):
        with np.load(truth_path) as data:
            truth, mask = data["normal"].astype(np.float32), data["mask"].astype(bool)
        photo = load_photo(photo_path)
        faces = find_faces(photo)
        result = FaceResult(person, name)
        normal = np.broadcast_to(np.float32([0, 0, 1]), truth.shape)
        coarse = fine = normal
        if faces:
            estimate = engine.normals(photo, faces[0], merged=merged)
            normal, coarse, ours = estimate.on_photo(photo.rgb.shape)
            fine = estimate.spread(estimate.fine, photo.rgb.shape)
            normal, empty = _filled(normal)
            result.found = True
            result.coverage = float(ours[mask].mean() * 100)
            result.flat = float(empty[mask].mean() * 100)
            result.stages = {name: _both(_filled(part)[0][mask], truth[mask])
                             for name, part in _parts(estimate, photo.rgb.shape).items()}
        error = compare(result, normal, truth, mask)
        results.append(result)
        report(f"{person} {name}: {result.raw.mean:.2f} deg, rotated {result.aligned.mean:.2f}"
               + ("" if faces else " (no face found: counted as flat)"))
        if rows is not None:
            label = f"{person} {name}  raw {result.raw.mean:.1f}  rotated {result.aligned.mean:.1f}"
            rows.add(result.raw.mean, face_row(label, photo.rgb, coarse, normal, mask, error, truth, fine))
    return results


def compare(result, normal, truth, mask):
    """Fill a FaceResult's statistics from normals (H, W, 3); returns the raw errors (H, W) in degrees."""
    error = angles(normal, truth)
    ours, aim = normal[mask], truth[mask]
    rotation = best_rotation(ours, aim)
    result.raw, result.aligned = _both(ours, aim)
    # About the x axis, positive when the truth looks further up than ours.
    result.pitch = float(np.degrees(np.arctan2(rotation[1, 2] - rotation[2, 1], rotation[1, 1] + rotation[2, 2])))
    return error


def table(results):
    """The report as Markdown: a row a person, the mean, and what a flat normal would get is left to the reader."""
    lines = ["| face | mean ± std | <20° | <25° | <30° | rotated: mean ± std | <20° | <25° | <30° | pitch | in our mask | flat |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for r in results:
        lines.append(_line(f"{r.person} {r.light}" + ("" if r.found else " (no face)"), r.raw, r.aligned,
                           r.pitch, r.coverage, r.flat))
    lights = sorted({r.light for r in results})
    groups = [(light, [r for r in results if r.light == light]) for light in lights] if len(lights) > 1 else []
    for name, group in [*groups, ("all", results)]:
        lines.append(_line(f"**mean, {name}** ({len(group)})", average([r.raw for r in group]),
                           average([r.aligned for r in group]), *(float(np.mean([getattr(r, k) for r in group]))
                                                                for k in ("pitch", "coverage", "flat"))))
    staged = [r.stages for r in results if r.stages]
    if staged:
        lines += ["", "| made of | mean ± std | <20° | <25° | <30° | rotated: mean ± std | <20° | <25° | <30° |",
                  "|---|---|---|---|---|---|---|---|---|"]
        for name in staged[0]:
            raw, aligned = (average([s[name][k] for s in staged]) for k in (0, 1))
            lines.append(f"| {name} | {_cells(raw)} | {_cells(aligned)} |")
    return "\n".join(lines)


def as_dict(results):
    """The report as plain data."""
    def group(chosen):
        return {"photos": len(chosen), "without_face": sum(not r.found for r in chosen),
                "raw": average([r.raw for r in chosen]).as_dict(),
                "rotated": average([r.aligned for r in chosen]).as_dict(),
                "pitch": float(np.mean([r.pitch for r in chosen])),
                "coverage": float(np.mean([r.coverage for r in chosen])),
                "flat": float(np.mean([r.flat for r in chosen]))}
    lights = sorted({r.light for r in results})
    return {
        "benchmark": "yaleb",
        "mean": group(results),
        "lights": {light: group([r for r in results if r.light == light]) for light in lights},
        "faces": [{"person": r.person, "light": r.light, "found": r.found, "raw": r.raw.as_dict(),
                   "rotated": r.aligned.as_dict(),
                   "stages": {name: {"raw": raw.as_dict(), "rotated": aligned.as_dict()}
                              for name, (raw, aligned) in r.stages.items()}, "pitch": r.pitch, "coverage": r.coverage, "flat": r.flat}
                  for r in results],
    }


def _filled(normal):
    """Flat normals where there are none, and where that is."""
    empty = np.square(normal).sum(2) < 0.25
    return np.where(empty[..., None], np.float32([0, 0, 1]), normal), empty


def _parts(estimate, shape):
    """The normals that the product's are made of, on the photo."""
    base = np.where(estimate.projection.mask[..., None], estimate.projection.normal,
                    enlarge(estimate.coarse, len(estimate.projection.mask)))
    return {"base": estimate.spread(base, shape), "coarse": estimate.spread(estimate.coarse, shape),
            "fine": estimate.spread(estimate.fine, shape)}


def _both(ours, truth):
    """Statistics of normals (N, 3) as they are and after the best rotation."""
    rotation = best_rotation(ours, truth)
    return summary(angles(ours, truth)), summary(angles(ours @ rotation.T, truth))


def _cells(a):
    return f"{a.mean:.2f} ± {a.std:.2f} | {a.under_20:.1f} | {a.under_25:.1f} | {a.under_30:.1f}"


def _line(name, raw, aligned, pitch, coverage, flat):
    return f"| {name} | {_cells(raw)} | {_cells(aligned)} | {pitch:+.1f}° | {coverage:.1f} % | {flat:.1f} % |"
