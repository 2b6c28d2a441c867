# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the product is weak: a figure for each group of hard pictures.

On renders the truth is known. On photos a degraded photo is compared with the result of the good photo, which shows
how much the degradation alone changes; chosen groups of photos are measured as `wild` measures.
"""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from hffne.errors import HffneError, NoPhotosError, PhotoListError
from hffne.evaluation import wild
from hffne.evaluation.contact_sheet import face_row
from hffne.evaluation.degradations import CASES
from hffne.evaluation.metrics import angles
from hffne.evaluation.rendered import PLAIN, SCENES
from hffne.geometry.vectors import best_rotation, normalize
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo, load_photo
from hffne.synthesis.fit import MEDIAPIPE_68

FLAT = np.float32([0, 0, 1])


@dataclass
class Group:
    """One row of a table. pictures; found: how many of them the detector found a face on; errors: degrees, a mean for
    each picture; turned: the same after the best rotation of each; under_25: percent of the pixels."""

    name: str
    kind: str
    pictures: int = 0
    found: int = 0
    errors: list = field(default_factory=list)
    turned: list = field(default_factory=list)
    under_25: list = field(default_factory=list)

    def add(self, found, ours, truth):
        """Take in one picture: normals (N, 3) against the aim (N, 3)."""
        error = angles(ours, truth)
        self.pictures += 1
        self.found += bool(found)
        self.errors.append(float(error.mean()))
        self.under_25.append(float((error < 25).mean() * 100))
        self.turned.append(float(angles(ours @ best_rotation(ours, truth).T, truth).mean()))

    def miss(self):
        """Take in one picture that has no result."""
        self.pictures += 1

    def as_dict(self):
        def mean(values):
            return float(np.mean(values)) if values else None

        return {
            "name": self.name,
            "kind": self.kind,
            "pictures": self.pictures,
            "found": self.found,
            "mean": mean(self.errors),
            "worst": max(self.errors, default=None),
            "rotated": mean(self.turned),
            "under_25": mean(self.under_25),
        }


def on_renders(engine, studio, faces=10, report=print, rows=None):
    """Groups of rendered faces with a truth (rendered.SCENES, then the plain face degraded): a list of Group.

    A face that the detector misses is given to the networks where it is, and counted as not found.
    """
    groups = []
    for name, scenes in SCENES.items():
        group = Group(name, "render")
        for number in range(faces):
            for scene in scenes:
                _render(engine, group, studio.face(number, scene), rows, f"{name} {number}")
        groups.append(group)
        report(f"renders, {name}: {np.mean(group.errors):.2f} deg")
    plain = [studio.face(number, PLAIN) for number in range(faces)]
    for name, degrade in CASES.items():
        group = Group(name, "render")
        for number, face in enumerate(plain):
            bad = replace(face, rgb=degrade(face.rgb, face.landmarks))
            _render(engine, group, bad, rows, f"{name} {number}")
        groups.append(group)
        report(f"renders, {name}: {np.mean(group.errors):.2f} deg")
    return groups


def _render(engine, group, truth, rows, label):
    photo = Photo(truth.rgb)
    faces = find_faces(photo)
    try:
        estimate = engine.normals(photo, truth.to_look_at(faces))
    except HffneError:
        group.miss()
        return
    shape = truth.normal.shape
    normal = spread(estimate, estimate.normal, truth.rgb.shape, shape)
    group.add(faces, normal[truth.mask], truth.normal[truth.mask])
    if rows is not None:
        fine, coarse = (spread(estimate, part, truth.rgb.shape, shape) for part in (estimate.fine, estimate.coarse))
        error = angles(normal, truth.normal)
        rgb = cv2.resize(truth.rgb, shape[1::-1], interpolation=cv2.INTER_NEAREST)
        rows.add(
            group.errors[-1],
            face_row(f"{label}: {group.errors[-1]:.1f}", rgb, coarse, normal, truth.mask, error, truth.normal, fine),
        )


def on_photos(engine, finder, paths, report=print):
    """Groups of degraded photos against the good photo's own result, over its face: a list of Group."""
    groups = {name: Group(name, "photo") for name in CASES}
    for path in paths:
        photo = load_photo(path)
        faces = find_faces(photo)
        points = finder.find(photo.rgb, faces[0].box) if faces else None
        if points is None:
            report(f"{path}: no face with landmarks; left out")
            continue
        shape = photo.rgb.shape
        good = engine.normals(photo, faces[0])
        aim, _, mask = good.on_photo(shape)
        marks = points[MEDIAPIPE_68, :2]
        for name, degrade in CASES.items():
            bad = Photo(degrade(photo.rgb, marks), path)
            again = find_faces(bad)
            if not again:
                groups[name].miss()
                continue
            # On a photo of several faces: the one that it was.
            scale = bad.rgb.shape[1] / shape[1]
            face = min(again, key=lambda f: abs(_middle(f) - _middle(faces[0]) * scale).sum())
            try:
                estimate = engine.normals(bad, face)
            except HffneError:
                groups[name].miss()
                continue
            normal = spread(estimate, estimate.normal, bad.rgb.shape, shape)
            groups[name].add(True, normal[mask], aim[mask])
    for group in groups.values():
        report(f"photos, {group.name}: {np.mean(group.errors or [np.nan]):.2f} deg")
    return list(groups.values())


def spread(estimate, part, from_shape, shape):
    """Normals of an estimate on a photo of `from_shape`, at the size of `shape`; flat where there are none."""
    normal = estimate.resample_to_photo(part, from_shape)
    if from_shape[:2] != shape[:2]:
        normal = cv2.resize(normal, shape[1::-1], interpolation=cv2.INTER_LINEAR)
    empty = np.square(normal).sum(2) < 0.25
    return normalize(np.where(empty[..., None], FLAT, normal))


def read_group(path, photos):
    """The photos that a text file lists, one a line: paths, or the ends of paths among `photos`.

    Raises HffneError for a file that cannot be read and for a line that names no photo.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise PhotoListError(f"The list '{path}' cannot be read: {error}") from None
    chosen = []
    for line in filter(None, lines):
        parts = tuple(line.replace("\\", "/").split("/"))
        found = [
            p for p in photos if p.parts[-len(parts) :] == parts or p.with_suffix("").parts[-len(parts) :] == parts
        ]
        if not found:
            raise NoPhotosError(f"'{path}' names '{line}', which is none of the photos.")
        chosen += found
    return chosen


def on_chosen(engine, finder, lists, report=print):
    """{name: wild.WildResult list} of chosen groups {name: paths}."""
    results = {}
    for name, paths in lists.items():
        results[name] = wild.evaluate(engine, finder, paths, report)
        report(f"chosen photos, {name}: {len(paths)}")
    return results


def table(renders, photos, chosen):
    """The report as Markdown."""
    lines = []
    both = {}
    for group in [*renders, *photos]:
        both.setdefault(group.name, {})[group.kind] = group.as_dict()
    if both:
        lines += [
            "| group | renders | face found | error | rotated | <25° | photos | face found | "
            "change of the good photo's result | worst |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for name, kinds in both.items():
            r, p = kinds.get("render"), kinds.get("photo")
            lines.append(
                f"| {name} | "
                + " | ".join(
                    [
                        str(r["pictures"]),
                        _share(r),
                        _degrees(r["mean"]),
                        _degrees(r["rotated"]),
                        _percent(r["under_25"]),
                    ]
                    if r
                    else [""] * 5
                )
                + " | "
                + " | ".join(
                    [str(p["pictures"]), _share(p), _degrees(p["mean"]), _degrees(p["worst"])] if p else [""] * 4
                )
                + " |"
            )
    if chosen:
        lines += [
            "",
            "| chosen photos | photos | with a result | shape against the landmark mesh | rotated | fine relief, R2 |",
            "|---|---|---|---|---|---|",
        ]
        for name, results in chosen.items():
            mean = wild.means(results).get("product")
            good = sum(not r.missing for r in results)
            lines.append(
                f"| {name} | {len(results)} | {good} | "
                + (f"{mean['shape']:.2f}° | {mean['turned']:.2f}° | {mean['relief']:.3f} |" if mean else "- | - | - |")
            )
    return "\n".join(lines)


def as_dict(renders, photos, chosen):
    """The report as plain data."""
    return {
        "benchmark": "robustness",
        "renders": [g.as_dict() for g in renders],
        "photos": [g.as_dict() for g in photos],
        "chosen": {
            name: {
                "photos": len(results),
                "without_result": sum(bool(r.missing) for r in results),
                "mean": wild.means(results),
            }
            for name, results in chosen.items()
        },
    }


def _middle(face):
    x, y, width, height = face.box
    return np.array([x + width / 2, y + height / 2])


def _share(group):
    return f"{group['found']} of {group['pictures']}"


def _degrees(value):
    return "-" if value is None else f"{value:.1f}°"


def _percent(value):
    return "-" if value is None else f"{value:.1f} %"
