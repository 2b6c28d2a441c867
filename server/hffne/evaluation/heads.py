# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered people of the second head family that the training held out: lids, lips and skin against exact normals.

Each person is rendered from three sides under several lights, raking light among them, with textures of their own.
For each picture the rotation that fits all of its skin best is removed; lids and mouth are measured after it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hffne.errors import HeadsError
from hffne.evaluation.contact_sheet import error_picture, shaded_picture
from hffne.evaluation.metrics import angles
from hffne.evaluation.rendered import AROUND, DISTANCE, FACE_RADIUS, PLAIN, RenderedFace, Scene, face_box
from hffne.evaluation.robustness import on_original
from hffne.geometry.feature_masks import round_eyes, round_mouth
from hffne.geometry.vectors import best_rotation
from hffne.parts import HAIR
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo
from hffne.synthesis.avatar_heads import HELD_OUT, load_avatar_heads
from hffne.synthesis.avatar_people import load_avatar_people
from hffne.synthesis.avatar_render import AvatarRenderer, dressed
from hffne.synthesis.face_model import load_face_model
from hffne.synthesis.render import BACKGROUND, EYE, SKIN, HeadView, canonical_window, project, to_crop
from hffne.synthesis.sampling import euler
from hffne.synthesis.uv_layout import build_layout

SIZE = 512  # pixels along a side of a rendered photo
SIDES = {"left": -35.0, "front": 0.0, "right": 35.0}  # degrees of yaw
LIGHTS = {
    "soft": replace(PLAIN, sky=0.7, strength=0.3),
    "lamp": PLAIN,
    "raking": Scene(sun=(-0.95, 0.15, 0.35), sky=0.06, strength=1.2),
    "from above": Scene(sun=(0.15, 0.9, 0.4), sky=0.15, strength=1.1),
}
RAKING = (-0.95, 0.15, 0.3)  # of the contact sheet
# Hair that is a part of a head's mesh is in all of them but the last.
REGIONS = ("all", "eyes", "mouth", "skin")
STAGES = ("coarse", "product")


@dataclass
class HeadResult:
    """One rendered photo: degrees after the best rotation {stage: {region: mean}}; found: whether the detector found
    the face; raw: the product's mean over all without a rotation."""

    name: str
    side: str
    light: str
    found: bool
    raw: float = 0.0
    degrees: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass
class HeadPicture:
    """A rendered photo, its truth, and where its regions are: {region: (S, S) bool}."""

    face: RenderedFace
    regions: dict[str, np.ndarray]


class HeldOutHeads:
    """Renders the people of the second family that training never sees. Raises HffneError for what is missing."""

    def __init__(self, folder: str | Path, shapes: str | Path, size: int = SIZE) -> None:
        model = load_face_model(shapes)
        self.heads = load_avatar_heads(folder, model)
        self.people = self.heads.people(held_out=True)
        if not len(self.people):
            raise HeadsError(
                f"None of the heads in '{folder}' was held out.", hint=f"Those held out are {', '.join(HELD_OUT)}."
            )
        self.renderer, self.size = AvatarRenderer(self.heads, model, build_layout(model)), size
        numbers = self.people.tolist()
        people = load_avatar_people(folder, self.heads, model, numbers)
        # Where the skin's texture shows hair: {number: (T, T) uint8, 255 there}.
        self.hair_on_skin = {
            number: np.where(person.parts[0] == HAIR, 255, 0).astype(np.uint8)
            for number, person in zip(numbers, people, strict=True)
        }

    def picture(self, person: int, yaw: float, scene: Scene) -> HeadPicture:
        """The person of this number of all, turned by `yaw` degrees, in a scene."""
        heads, renderer, size = self.heads, self.renderer, self.size
        shape, hair = heads.shapes[person], heads.hairs.get(heads.names[person])
        view = HeadView(euler(yaw, scene.pitch, scene.roll), DISTANCE)
        window = canonical_window(project(renderer.layout.sample(shape), view), renderer.layout.mask)
        window.side *= AROUND
        marks = to_crop(project(shape[heads.landmarks], view), window, size)[:, :2]
        if hair is not None:
            renderer, shape = renderer.with_hair(hair), dressed(shape, hair)
        sun = np.array(scene.sun, np.float32) / np.linalg.norm(scene.sun)
        buffers = renderer.buffers(shape, view, window, [sun], rng=np.random.default_rng(person), size=size)
        colors = renderer.colored(shape, view, window, heads.grays[person], hair, size)
        normal = buffers["normal"].astype(np.float32) / 127
        normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-6)
        layout = buffers["uv"].astype(np.float32)
        mask = np.isin(buffers["kind"], (SKIN, EYE)) & (np.hypot(layout[..., 0], layout[..., 1]) < FACE_RADIUS)
        regions = {
            "all": mask,
            "eyes": mask & (round_eyes(marks, size) > 0),
            "mouth": mask & (round_mouth(marks, size) > 0),
            "skin": mask & (renderer.colored(shape, view, window, self.hair_on_skin[person], size=size) < 128),
        }
        return HeadPicture(
            RenderedFace(photograph(buffers, normal, colors, scene, sun), normal, mask, marks, face_box(marks)), regions
        )


def photograph(
    buffers: dict[str, np.ndarray], normal: np.ndarray, colors: np.ndarray, scene: Scene, sun: np.ndarray
) -> np.ndarray:
    """The photo (S, S, 3) uint8 sRGB of a buffer with colors (S, S) uint8: one shadowing sun, a sky, a little gloss."""
    albedo = (colors / np.float32(255)) ** 2.2
    free = cv2.GaussianBlur(1 - (buffers["sun"] & 1).astype(np.float32), (0, 0), len(normal) / 400)
    sky = buffers["sky"].astype(np.float32) / 255
    light = scene.sky * (1 + 0.3 * normal[..., 1]) * (0.25 + 0.75 * sky) + scene.strength * free * np.clip(
        normal @ sun, 0, None
    )
    half: np.ndarray = sun + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    gloss = 0.04 * scene.strength * free * np.clip(normal @ half, 0, None) ** 14
    gloss[buffers["kind"] == EYE] *= 3
    radiance = (albedo * light)[..., None] * np.array([1.12, 0.97, 0.9], np.float32) + gloss[..., None]
    face = buffers["kind"] != BACKGROUND
    radiance *= 0.75 / max(float(np.percentile(radiance[face], 95)), 1e-3)
    edge = cv2.GaussianBlur(face.astype(np.float32), (0, 0), 0.8)[..., None]
    shown = radiance * edge + 0.12 * (1 - edge)
    return np.round(np.clip(shown, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)


def evaluate(
    engine: Any, heads: HeldOutHeads, report: Callable[[str], None] = print, rows: list | None = None
) -> list[HeadResult]:
    """Every held-out person from every side in every light. rows: takes the contact sheet's rows, (label, tiles)."""
    results = []
    for person in heads.people:
        name = heads.heads.names[person]
        for side, yaw in SIDES.items():
            for light, scene in LIGHTS.items():
                picture = heads.picture(person, yaw, scene)
                results.append(_measure(engine, picture, HeadResult(name, side, light, False), rows))
        report(f"{name}: {_means([r for r in results if r.name == name], 'product')}")
    return results


def _measure(engine: Any, picture: HeadPicture, result: HeadResult, rows: list | None) -> HeadResult:
    face, photo = picture.face, Photo(picture.face.rgb)
    faces = find_faces(photo)
    result.found = bool(faces)
    estimate = engine.normals(photo, face.choose_face(faces))
    every = picture.regions["all"]
    errors: dict[str, np.ndarray] = {}
    for stage, part in zip(STAGES, (estimate.coarse, estimate.normal), strict=True):
        normal = on_original(estimate, part, face.rgb.shape, face.rgb.shape)
        # Skin has the rotation that is best without the hair.
        rotated_by = {"skin": picture.regions["skin"], "all": every}
        after = {
            name: angles(normal @ best_rotation(normal[mask], face.normal[mask]).T, face.normal)
            for name, mask in rotated_by.items()
        }
        errors[stage] = after["all"]
        result.degrees[stage] = {
            region: float(after.get(region, errors[stage])[mask].mean())
            for region, mask in picture.regions.items()
            if mask.any()
        }
    result.raw = float(angles(normal, face.normal)[every].mean())
    if rows is not None and result.light in ("soft", "raking"):
        rows.append(_row(result, face, normal, errors["product"]))
    return result


def _row(result: HeadResult, face: RenderedFace, normal: np.ndarray, error: np.ndarray) -> tuple[str, list]:
    """A sheet's row at the photo's own size: photo, product and truth in raking light, error."""
    x, y, width, height = face.box
    side = int(1.25 * max(width, height))
    left, top = (
        int(np.clip(v, 0, len(face.rgb) - side)) for v in (x + width / 2 - side / 2, y + height / 2 - side / 2)
    )

    def part(picture: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(picture[top : top + side, left : left + side])

    numbers = "  ".join(f"{region} {value:.1f}" for region, value in result.degrees["product"].items())
    return (
        f"{result.name} {result.side} {result.light}: {numbers}",
        [
            ("photo", part(face.rgb)),
            ("product, raking light", part(shaded_picture(normal, RAKING, face.mask))),
            ("truth, raking light", part(shaded_picture(face.normal, RAKING, face.mask))),
            ("error", part(error_picture(error, face.mask))),
        ],
    )


def _means(results: list[HeadResult], stage: str) -> dict[str, float]:
    """The mean of each region over the photos that show it, rounded to 0.01 degrees."""
    return {
        region: round(float(np.mean([r.degrees[stage][region] for r in results if region in r.degrees[stage]])), 2)
        for region in REGIONS
        if any(region in r.degrees[stage] for r in results)
    }


def table(results: list[HeadResult]) -> str:
    """The report as Markdown: all photos, then by side, by light and by person."""
    lines = [
        f"{len(results)} rendered photos; the face was found on {sum(r.found for r in results)}",
        "",
        "| photos | all | eyes | mouth | skin | coarse: all | eyes | mouth | skin | raw |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    groups = [("all", results)]
    for key in ("side", "light", "name"):
        for value in dict.fromkeys(getattr(r, key) for r in results):
            groups.append((value, [r for r in results if getattr(r, key) == value]))
    for name, group in groups:
        cells = [
            f"{_means(group, stage).get(region, float('nan')):.2f}"
            for stage in ("product", "coarse")
            for region in REGIONS
        ]
        lines.append(f"| {name} | {' | '.join(cells)} | {np.mean([r.raw for r in group]):.2f} |")
    return "\n".join(lines)


def as_dict(results: list[HeadResult]) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "benchmark": "heads",
        "photos": len(results),
        "mean": {stage: _means(results, stage) for stage in STAGES},
        "each": [vars(r) for r in results],
    }
