# SPDX-License-Identifier: GPL-3.0-or-later
"""Weak points of the pipeline: a result for each group of difficult pictures.

On renders the ground truth is known. On photos a degraded photo is compared with the result of the original photo,
which shows how much the degradation alone changes; chosen groups of photos are measured as in `wild`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from hffne.errors import HffneError, NoPhotosError, PhotoListError
from hffne.evaluation import wild
from hffne.evaluation.contact_sheet import BestAndWorst, face_row
from hffne.evaluation.degradations import CASES
from hffne.evaluation.landmark_finder import LandmarkFinder
from hffne.evaluation.metrics import angles
from hffne.evaluation.rendered import PLAIN, SCENES, HeldOutFaces, RenderedFace
from hffne.geometry.vectors import best_rotation, normalize
from hffne.photo.detect import Face, find_faces
from hffne.photo.load import Photo, load_photo
from hffne.synthesis.fit import MEDIAPIPE_68

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate
    from hffne.pipeline import Engine

FLAT = np.array([0, 0, 1], np.float32)


@dataclass
class Group:
    """One row of a table.

    kind      "render" or "photo"
    pictures  how many
    found     on how many of them the detector found a face
    errors    degrees, a mean for each picture
    rotated   the same after the best rotation of each
    under_25  percent of the pixels, for each picture
    """

    name: str
    kind: str
    pictures: int = 0
    found: int = 0
    errors: list[float] = field(default_factory=list)
    rotated: list[float] = field(default_factory=list)
    under_25: list[float] = field(default_factory=list)

    def add(self, found: bool, ours: np.ndarray, aim: np.ndarray) -> None:
        """Add one picture: normals (N, 3) against the aim (N, 3)."""
        error = angles(ours, aim)
        self.pictures += 1
        self.found += bool(found)
        self.errors.append(float(error.mean()))
        self.under_25.append(float((error < 25).mean() * 100))
        self.rotated.append(float(angles(ours @ best_rotation(ours, aim).T, aim).mean()))

    def add_missing(self) -> None:
        """Add one picture without a result."""
        self.pictures += 1

    def as_dict(self) -> dict[str, Any]:
        """The means over the pictures as plain data."""

        def mean(values: list[float]) -> float | None:
            return float(np.mean(values)) if values else None

        return {
            "name": self.name,
            "kind": self.kind,
            "pictures": self.pictures,
            "found": self.found,
            "mean": mean(self.errors),
            "worst": max(self.errors, default=None),
            "rotated": mean(self.rotated),
            "under_25": mean(self.under_25),
        }


def on_renders(
    engine: "Engine",
    held_out: HeldOutFaces,
    faces: int = 10,
    report: Callable[[str], object] = print,
    rows: BestAndWorst | None = None,
) -> list[Group]:
    """Groups of rendered faces with ground truth: rendered.SCENES, then the plain face degraded.

    A face that the detector misses is given to the networks by its known box, and counted as not found.
    """
    groups = []
    for name, scenes in SCENES.items():
        group = Group(name, "render")
        for number in range(faces):
            for scene in scenes:
                _measure_render(engine, group, held_out.face(number, scene), rows, f"{name} {number}")
        groups.append(group)
        report(f"renders, {name}: {np.mean(group.errors):.2f} deg")
    plain = [held_out.face(number, PLAIN) for number in range(faces)]
    for name, degrade in CASES.items():
        group = Group(name, "render")
        for number, face in enumerate(plain):
            degraded = replace(face, rgb=degrade(face.rgb, face.landmarks))
            _measure_render(engine, group, degraded, rows, f"{name} {number}")
        groups.append(group)
        report(f"renders, {name}: {np.mean(group.errors):.2f} deg")
    return groups


def _measure_render(
    engine: "Engine", group: Group, render: RenderedFace, rows: BestAndWorst | None, label: str
) -> None:
    photo = Photo(render.rgb)
    faces = find_faces(photo)
    try:
        estimate = engine.normals(photo, render.choose_face(faces))
    except HffneError:
        group.add_missing()
        return
    shape = render.normal.shape
    normal = on_original(estimate, estimate.normal, render.rgb.shape, shape)
    group.add(bool(faces), normal[render.mask], render.normal[render.mask])
    if rows is not None:
        fine, coarse = (
            on_original(estimate, part, render.rgb.shape, shape) for part in (estimate.fine, estimate.coarse)
        )
        error = angles(normal, render.normal)
        rgb = cv2.resize(render.rgb, shape[1::-1], interpolation=cv2.INTER_NEAREST)
        label = f"{label}: {group.errors[-1]:.1f}"
        rows.add(group.errors[-1], face_row(label, rgb, coarse, normal, render.mask, error, render.normal, fine))


def on_photos(
    engine: "Engine", finder: LandmarkFinder, paths: Sequence[Path], report: Callable[[str], object] = print
) -> list[Group]:
    """Groups of degraded photos against the original photo's own result, over its face."""
    groups = {name: Group(name, "photo") for name in CASES}
    for path in paths:
        photo = load_photo(path)
        faces = find_faces(photo)
        points = finder.find(photo.rgb, faces[0].box) if faces else None
        if points is None:
            report(f"{path}: no face with landmarks; left out")
            continue
        shape = photo.rgb.shape
        aim, _, mask = engine.normals(photo, faces[0]).on_photo(shape)
        marks = points[MEDIAPIPE_68, :2]
        for name, degrade in CASES.items():
            degraded = Photo(degrade(photo.rgb, marks), path)
            estimate = _estimate_same_face(engine, degraded, faces[0], shape)
            if estimate is None:
                groups[name].add_missing()
                continue
            normal = on_original(estimate, estimate.normal, degraded.rgb.shape, shape)
            groups[name].add(True, normal[mask], aim[mask])
    for group in groups.values():
        report(f"photos, {group.name}: {np.mean(group.errors or [np.nan]):.2f} deg")
    return list(groups.values())


def _estimate_same_face(engine: "Engine", photo: Photo, face: Face, shape: tuple[int, ...]) -> "FaceEstimate | None":
    """The estimate of the face nearest to `face`, which was found on the original photo of `shape`; or None."""
    faces = find_faces(photo)
    if not faces:
        return None
    scale = photo.rgb.shape[1] / shape[1]
    nearest = min(faces, key=lambda f: float(abs(_middle(f) - _middle(face) * scale).sum()))
    try:
        return engine.normals(photo, nearest)
    except HffneError:
        return None


def on_original(
    estimate: "FaceEstimate", part: np.ndarray, from_shape: tuple[int, ...], shape: tuple[int, ...]
) -> np.ndarray:
    """Normals `part` of an estimate on a photo of `from_shape`, (H, W, 3) at `shape`; flat where there are none."""
    normal = estimate.resample_to_photo(part, from_shape)
    if from_shape[:2] != shape[:2]:
        normal = cv2.resize(normal, shape[1::-1], interpolation=cv2.INTER_LINEAR)
    empty = np.square(normal).sum(2) < 0.25
    return normalize(np.where(empty[..., None], FLAT, normal))


def read_group(path: Path, photos: Sequence[Path]) -> list[Path]:
    """The photos that a text file lists, one per line: paths, or the ends of paths among `photos`.

    Raises HffneError for a file that cannot be read and for a line that matches no photo.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise PhotoListError(f"The list '{path}' cannot be read: {error}") from None
    chosen: list[Path] = []
    for line in filter(None, lines):
        parts = tuple(line.replace("\\", "/").split("/"))
        matches = [
            p for p in photos if p.parts[-len(parts) :] == parts or p.with_suffix("").parts[-len(parts) :] == parts
        ]
        if not matches:
            raise NoPhotosError(f"'{path}' names '{line}', which is none of the photos.")
        chosen += matches
    return chosen


def on_chosen(
    engine: "Engine",
    finder: LandmarkFinder,
    lists: Mapping[str, Sequence[Path]],
    report: Callable[[str], object] = print,
) -> dict[str, list[wild.WildResult]]:
    """The results of `wild` for chosen groups {name: paths}."""
    results = {}
    for name, paths in lists.items():
        results[name] = wild.evaluate(engine, finder, paths, report)
        report(f"chosen photos, {name}: {len(paths)}")
    return results


def table(renders: Sequence[Group], photos: Sequence[Group], chosen: Mapping[str, Sequence[wild.WildResult]]) -> str:
    """The report as Markdown."""
    lines = []
    by_name: dict[str, dict[str, dict[str, Any]]] = {}
    for group in [*renders, *photos]:
        by_name.setdefault(group.name, {})[group.kind] = group.as_dict()
    if by_name:
        lines += [
            "| group | renders | face found | error | rotated | <25° | photos | face found | "
            "change from the original photo's result | worst |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for name, kinds in by_name.items():
            cells = [*_render_cells(kinds.get("render")), *_photo_cells(kinds.get("photo"))]
            lines.append(f"| {name} | {' | '.join(cells)} |")
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
                + (f"{mean['shape']:.2f}° | {mean['rotated']:.2f}° | {mean['relief']:.3f} |" if mean else "- | - | - |")
            )
    return "\n".join(lines)


def _render_cells(group: dict[str, Any] | None) -> list[str]:
    if group is None:
        return [""] * 5
    return [
        str(group["pictures"]),
        _found(group),
        _degrees(group["mean"]),
        _degrees(group["rotated"]),
        _percent(group["under_25"]),
    ]


def _photo_cells(group: dict[str, Any] | None) -> list[str]:
    if group is None:
        return [""] * 4
    return [str(group["pictures"]), _found(group), _degrees(group["mean"]), _degrees(group["worst"])]


def as_dict(
    renders: Sequence[Group], photos: Sequence[Group], chosen: Mapping[str, Sequence[wild.WildResult]]
) -> dict[str, Any]:
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


def _middle(face: Face) -> np.ndarray:
    x, y, width, height = face.box
    return np.array([x + width / 2, y + height / 2])


def _found(group: dict[str, Any]) -> str:
    return f"{group['found']} of {group['pictures']}"


def _degrees(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}°"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"
