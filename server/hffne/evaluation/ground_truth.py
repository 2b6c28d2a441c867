# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's normals against true ones: what every benchmark of normals shares, from one photo to the report."""

from dataclasses import dataclass, field

import numpy as np

from hffne.evaluation.contact_sheet import face_row
from hffne.evaluation.metrics import angles, average, summary
from hffne.geometry.band_merge import enlarge
from hffne.geometry.vectors import best_rotation

# More faces than this are not listed one by one.
MANY = 100


@dataclass
class FaceResult:
    """One photo: statistics (metrics.Angles) raw and after the best global rotation.

    name: of the face; group: what the report also averages over, like the light.
    coverage: percent of the truth's mask that our own mask covers. The normals of the pixels beyond it come from
    the coarse network while they lie on the crop, and are flat (0, 0, 1) elsewhere (`flat`, percent); all count.
    pitch: degrees about the x axis of that rotation. stages: {"base", "coarse", "fine": (raw, rotated)}, the parts
    that the product's normal is made of.
    gloss: the skin's, where it was measured (gloss.measured_gloss); through_gloss: (raw, rotated) of what the truth's
    maker, who takes skin for matte, would find on our normals.
    """

    name: str
    group: str = ""
    raw: object = None
    aligned: object = None
    pitch: float = 0.0
    coverage: float = 0.0
    flat: float = 100.0
    found: bool = False
    stages: dict = field(default_factory=dict)
    gloss: float | None = None
    through_gloss: tuple | None = None

    @property
    def label(self):
        return f"{self.name} {self.group}".strip()


def measure(engine, photo, faces, truth, mask, result, merged=True, rows=None, seen=None):
    """Run the product on one photo and fill its FaceResult, which is returned.

    photo: photo.load.Photo; faces: what the detector found on it, the one to measure first; truth (H, W, 3) and
    mask (H, W) on the photo's pixels. rows: what takes the face's row of a sheet, like
    sheet.BestAndWorst; its own `row` makes the row, or else sheet.face_row. seen: what the truth's maker would find on
    normals (N, 3), or None.
    """
    normal = coarse = fine = np.broadcast_to(np.float32([0, 0, 1]), truth.shape)
    if faces:
        estimate = engine.normals(photo, faces[0], merged=merged)
        normal, coarse, ours = estimate.on_photo(photo.rgb.shape)
        fine = estimate.resample_to_photo(estimate.fine, photo.rgb.shape)
        normal, empty = _filled(normal)
        result.found = True
        result.coverage = float(ours[mask].mean() * 100)
        result.flat = float(empty[mask].mean() * 100)
        result.stages = {
            name: _both(_filled(part)[0][mask], truth[mask]) for name, part in _parts(estimate, photo.rgb.shape).items()
        }
    error = compare(result, normal, truth, mask)
    if seen:
        result.through_gloss = _both(seen(normal[mask]), truth[mask])
    if rows is not None:
        label = f"{result.label}  raw {result.raw.mean:.1f}  rotated {result.aligned.mean:.1f}"
        row = getattr(rows, "row", face_row)
        rows.add(result.raw.mean, row(label, photo.rgb, coarse, normal, mask, error, truth, fine))
    return result


def told(result):
    """One line of progress."""
    return f"{result.label}: {result.raw.mean:.2f} deg, rotated {result.aligned.mean:.2f}" + (
        "" if result.found else " (no face found: counted as flat)"
    )


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
    """The report as Markdown: a row a face (unless there are very many), the means, and those of the parts."""
    lines = [
        "| face | mean ± std | <20° | <25° | <30° | rotated: mean ± std | <20° | <25° | <30° | pitch | in our mask | flat |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in results if len(results) <= MANY else ():
        lines.append(_line(r.label + ("" if r.found else " (no face)"), r.raw, r.aligned, r.pitch, r.coverage, r.flat))
    names = sorted({r.group for r in results})
    groups = [(name, [r for r in results if r.group == name]) for name in names] if len(names) > 1 else []
    for name, group in [*groups, ("all", results)]:
        lines.append(
            _line(
                f"**mean, {name}** ({len(group)})",
                average([r.raw for r in group]),
                average([r.aligned for r in group]),
                *(float(np.mean([getattr(r, k) for r in group])) for k in ("pitch", "coverage", "flat")),
            )
        )
    glossy = [r for r in results if r.through_gloss]
    if glossy:
        gloss = float(np.mean([r.gloss for r in glossy]))
        lines.append(
            f"| mean, seen as the truth was: gloss ({gloss:.2f}) taken for shape ({len(glossy)}) | "
            f"{_mean_cells(r.through_gloss for r in glossy)} | | | |"
        )
    staged = [r.stages for r in results if r.stages]
    if staged:
        lines += [
            "",
            "| made of | mean ± std | <20° | <25° | <30° | rotated: mean ± std | <20° | <25° | <30° |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [f"| {name} | {_mean_cells(s[name] for s in staged)} |" for name in staged[0]]
    return "\n".join(lines)


def as_dict(results, benchmark, face="name", group="group"):
    """The report as plain data. face, group: what this benchmark calls the two parts of a result's name."""

    def both(pair):
        return dict(zip(("raw", "rotated"), (part.as_dict() for part in pair)))

    def means(chosen):
        return {
            "photos": len(chosen),
            "without_face": sum(not r.found for r in chosen),
            "raw": average([r.raw for r in chosen]).as_dict(),
            "rotated": average([r.aligned for r in chosen]).as_dict(),
            "pitch": float(np.mean([r.pitch for r in chosen])),
            "coverage": float(np.mean([r.coverage for r in chosen])),
            "flat": float(np.mean([r.flat for r in chosen])),
        }

    return {
        "benchmark": benchmark,
        "mean": means(results),
        f"{group}s": {
            name: means([r for r in results if r.group == name]) for name in sorted({r.group for r in results})
        },
        "faces": [
            {
                face: r.name,
                group: r.group,
                "found": r.found,
                "raw": r.raw.as_dict(),
                "rotated": r.aligned.as_dict(),
                "stages": {name: both(pair) for name, pair in r.stages.items()},
                "pitch": r.pitch,
                "coverage": r.coverage,
                "flat": r.flat,
                **({"gloss": r.gloss, "through_gloss": both(r.through_gloss)} if r.through_gloss else {}),
            }
            for r in results
        ],
    }


def face_region(face, shape):
    """The ellipse (H, W) bool within a detector's box: the face, without hair, ears and neck, whatever the method."""
    row, column = np.indices(shape[:2])
    x, y, width, height = face.box
    return np.hypot((column + 0.5 - x - width / 2) / (width / 2), (row + 0.5 - y - height / 2) / (height / 2)) < 1


def _filled(normal):
    """Flat normals where there are none, and where that is."""
    empty = np.square(normal).sum(2) < 0.25
    return np.where(empty[..., None], np.float32([0, 0, 1]), normal), empty


def _parts(estimate, shape):
    """The normals that the product's are made of, on the photo."""
    base = np.where(
        estimate.projection.mask[..., None],
        estimate.projection.normal,
        enlarge(estimate.coarse, len(estimate.projection.mask)),
    )
    return {
        "base": estimate.resample_to_photo(base, shape),
        "coarse": estimate.resample_to_photo(estimate.coarse, shape),
        "fine": estimate.resample_to_photo(estimate.fine, shape),
    }


def _both(ours, truth):
    """Statistics of normals (N, 3) as they are and after the best rotation."""
    rotation = best_rotation(ours, truth)
    return summary(angles(ours, truth)), summary(angles(ours @ rotation.T, truth))


def _cells(a):
    return f"{a.mean:.2f} ± {a.std:.2f} | {a.under_20:.1f} | {a.under_25:.1f} | {a.under_30:.1f}"


def _mean_cells(pairs):
    """The mean of several (raw, rotated)."""
    return " | ".join(_cells(average(part)) for part in zip(*pairs))


def _line(name, raw, aligned, pitch, coverage, flat):
    return f"| {name} | {_cells(raw)} | {_cells(aligned)} | {pitch:+.1f}° | {coverage:.1f} % | {flat:.1f} % |"
