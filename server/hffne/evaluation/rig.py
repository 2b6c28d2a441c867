# SPDX-License-Identifier: GPL-3.0-or-later
"""The fitted head on photos: its distance to the position map, and whether its surfaces pass through each other."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hffne.errors import HffneError, NoFaceError
from hffne.evaluation.head_contact import Depths, depths, lid_slit
from hffne.geometry.base_shape import HEAD_TO_OBJECT
from hffne.head.fit import fitted_texels
from hffne.head.fitted import FittedHead, fit_head
from hffne.head.model import head_model
from hffne.head.sound import is_sound
from hffne.photo.crop import CROP
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo

if TYPE_CHECKING:
    from hffne.pipeline import Engine

# ARKit's mouthClose is made to be added to jawOpen; alone it presses the lips into each other.
NOT_ALONE = ("mouthClose",)


@dataclass
class RigResult:
    """One photo.

    distances  (mean, 95th percentile) in millimeters from the position map to the head
    rest       Depths of the neutral head and of the head as on the photo, the deeper of each
    keys       Depths of each key at 1, by name
    blink      the slit that blinking leaves, millimeters
    sound      no face is degenerate or turned inside out
    missing    the reason why there is no result, or ""
    """

    path: str
    distances: tuple[float, float] = (0.0, 0.0)
    rest: Depths = field(default_factory=lambda: Depths(0, 0, 0))
    keys: dict[str, Depths] = field(default_factory=dict)
    blink: float = 0.0
    sound: bool = False
    missing: str = ""


def measure(head: FittedHead, points: np.ndarray, path: str = "") -> RigResult:
    """The RigResult of a head that was fitted to the points (U, U, 3) of a base shape."""
    model = head_model()
    known = fitted_texels()
    distance = np.linalg.norm(model.at_texels(head.posed) - points, axis=2)[known] * 1000
    both = [depths(shape @ HEAD_TO_OBJECT) for shape in (head.neutral, head.posed)]
    keys = {
        name: depths(head.keys.add(head.neutral, {name: 1.0}) @ HEAD_TO_OBJECT)
        for name in head.keys.names
        if name not in NOT_ALONE
    }
    shut = head.keys.add(head.neutral, {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0})
    return RigResult(
        path,
        (float(distance.mean()), float(np.percentile(distance, 95))),
        Depths(*np.max([list(asdict(one).values()) for one in both], axis=0).tolist()),
        keys,
        lid_slit(shut),
        is_sound(head),
    )


def evaluate(engine: "Engine", paths: Sequence[Path], report: Callable[[str], object] = print) -> list[RigResult]:
    """Fit the head to the largest face of each photo."""
    results = []
    for number, path in enumerate(paths, 1):
        try:
            photo = load_photo(path)
            faces = find_faces(photo)
            if not faces:
                raise NoFaceError("No face is found.")
            estimate = engine.normals(photo, faces[0])
            head = fit_head(
                estimate.shape, photo.rgb, estimate.crop.resized(CROP), mouth_closed=estimate.parts.mouth_closed
            )
            results.append(measure(head, estimate.shape.points, str(path)))
        except HffneError as error:
            results.append(RigResult(str(path), missing=error.message))
        if number % 10 == 0:
            report(f"{number} of {len(paths)}")
    return results


def summary(results: Sequence[RigResult]) -> dict[str, Any]:
    """Means over the photos, and the worst cases: of the depths at rest, and of each key."""
    done = [result for result in results if not result.missing]
    names = sorted({name for result in done for name in result.keys})
    parts = ("lids", "lips", "teeth")
    return {
        "photos": len(results),
        "without_result": len(results) - len(done),
        "not_sound": sum(not result.sound for result in done),
        "distance_mm": [float(np.mean([result.distances[k] for result in done])) for k in (0, 1)] if done else None,
        "deepest_at_rest_mm": {part: max((getattr(r.rest, part) for r in done), default=0.0) for part in parts},
        "deepest_at_a_key_mm": {
            part: {name: max(getattr(r.keys[name], part) for r in done) for name in names} for part in parts
        },
        "widest_slit_of_blinking_mm": max((result.blink for result in done), default=0.0),
    }


def table(results: Sequence[RigResult]) -> str:
    """The report as Markdown."""
    facts = summary(results)
    mean, high = facts["distance_mm"] or (float("nan"), float("nan"))
    lines = [
        f"{facts['photos']} photos, {facts['without_result']} without a result, {facts['not_sound']} heads not sound; "
        f"position map to head {mean:.2f} mm, 95 % within {high:.2f} mm; blinking leaves at most "
        f"{facts['widest_slit_of_blinking_mm']:.2f} mm",
        "",
        "| deepest, mm | at rest | at a key | keys over 1 mm |",
        "|---|---|---|---|",
    ]
    for part in ("lids", "lips", "teeth"):
        keys = facts["deepest_at_a_key_mm"][part]
        over = [f"{name} {depth:.1f}" for name, depth in sorted(keys.items(), key=lambda item: -item[1]) if depth > 1]
        worst = max(keys.values(), default=0.0)
        lines.append(f"| {part} | {facts['deepest_at_rest_mm'][part]:.2f} | {worst:.2f} | {', '.join(over) or '-'} |")
    return "\n".join(lines)


def as_dict(results: Sequence[RigResult]) -> dict[str, Any]:
    """The report as plain data."""
    return {"benchmark": "rig", **summary(results), "results": [asdict(result) for result in results]}
