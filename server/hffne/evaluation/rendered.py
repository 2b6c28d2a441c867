# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered faces with exact normals: one property is varied, everything else stays plain.

Shapes, textures and relief come from the training set's own generator, but of the faces that the training holds out.
Needs a training set (`hffne train data`) and ICT-FaceKit; none of it is used by the engine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from hffne.photo.detect import Face
from hffne.synthesis.face_model import LANDMARKS, load_face_model
from hffne.synthesis.render import (
    BACKGROUND,
    EYE,
    MOUTH,
    SKIN,
    TEETH,
    HeadView,
    Renderer,
    canonical_window,
    project,
    to_crop,
)
from hffne.synthesis.sampling import euler
from hffne.synthesis.shading import on_crop, reflectance, tilt
from hffne.synthesis.training_set import TrainingSet, held_out_mask
from hffne.synthesis.uv_layout import build_layout

SIZE = 512
AROUND = 1.6  # the picture's side over the face crop's: a detector needs some surroundings
DISTANCE = 80.0  # centimeters to the camera
FACE_RADIUS = 0.9  # of the position map's area; its rim is hair on photos

Vector: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True)
class Scene:
    """Pose, light and skin of a rendered face.

    yaw, pitch, roll  degrees
    sun               toward the sun, camera space, of any length
    sky, strength     strengths of the sky and of the sun
    skin              the skin's mean reflectance, linear
    relief            strength of the relief
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    sun: Vector = (-0.35, 0.5, 0.8)
    sky: float = 0.45
    strength: float = 0.75
    skin: float = 0.33
    relief: float = 0.5


PLAIN = Scene()
SIDE = replace(PLAIN, sky=0.03, strength=1.3)
SCENES = {
    "plain": [PLAIN],
    "yaw 30°": [replace(PLAIN, yaw=a) for a in (-30, 30)],
    "yaw 60°": [replace(PLAIN, yaw=a) for a in (-60, 60)],
    "yaw 90°": [replace(PLAIN, yaw=a) for a in (-90, 90)],
    "pitch 30°": [replace(PLAIN, pitch=a) for a in (-30, 30)],
    "roll 30°": [replace(PLAIN, roll=a) for a in (-30, 30)],
    "hard side light": [replace(SIDE, sun=(x, 0.15, 0.2)) for x in (-1, 1)],
    "hard light from above": [replace(SIDE, sun=(0.1, 1.0, 0.35))],
    "hard light from below": [replace(SIDE, sun=(0.1, -1.0, 0.5))],
    "dark skin": [replace(PLAIN, skin=0.055)],
    "light skin": [replace(PLAIN, skin=0.62)],
}


@dataclass
class RenderedFace:
    """A rendered photo and its ground truth.

    rgb (S, S, 3) uint8; normal (S, S, 3) and mask (S, S): the face's ground truth; landmarks (68, 2); box (x, y, w, h).
    """

    rgb: np.ndarray
    normal: np.ndarray
    mask: np.ndarray
    landmarks: np.ndarray
    box: tuple[float, float, float, float]

    def choose_face(self, found: Sequence[Face]) -> Face:
        """The face for the networks: the first that the detector found on `rgb`, or the known box if it found none."""
        if found:
            return found[0]
        scale = self.rgb.shape[1] / self.normal.shape[1]  # a degraded picture may be smaller
        x, y, width, height = (v * scale for v in self.box)
        return Face((x, y, width, height), 0.0, np.zeros((5, 2), np.float32))


class HeldOutFaces:
    """Renders the faces of a training set that its training holds out.

    folder: the training set; shapes: the folder of ict_facekit.npz. Raises HffneError when files are missing.
    """

    def __init__(self, folder: str | Path, shapes: str | Path) -> None:
        files = TrainingSet(folder)
        self.fits, self.textures, self.reliefs = files.fits(), files.array("textures/gray"), files.array("reliefs")
        model = load_face_model(shapes)
        self.renderer = Renderer(model, build_layout(model))
        self.faces = np.flatnonzero(held_out_mask(len(self.fits.identity)))

    def face(
        self, number: int, scene: Scene, reshape: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> RenderedFace:
        """The held-out face `number` in a scene. The same number is always the same face.

        reshape: changes the face's vertices (V, 3), cm around the head's center; the picture's frame stays the same.
        """
        index = self.faces[number % len(self.faces)]
        rng = np.random.default_rng([7, int(index)])
        renderer = self.renderer
        shape = renderer.shape(self.fits.identity[index] * 1.2, self.fits.expression[index])
        view = HeadView(euler(scene.yaw, scene.pitch, scene.roll), DISTANCE)
        position = project(renderer.layout.sample(shape), view)
        window = canonical_window(position, renderer.layout.mask)
        window.side *= AROUND
        shape = reshape(shape) if reshape else shape
        sun = np.array(scene.sun, np.float32) / np.linalg.norm(scene.sun)
        buffers = renderer.buffers(shape, view, window, [sun], rng=rng, size=SIZE)
        normal = buffers["normal"].astype(np.float32) / 127
        relief = self.reliefs[rng.integers(len(self.reliefs))]
        slopes = on_crop(relief, buffers["uv"].astype(np.float32)) * np.float32(scene.relief)
        normal = tilt(normal, buffers["kind"], slopes, view.rotation[:, 1])
        rgb = picture(buffers, normal, self.textures[index], scene, sun)
        mask = np.isin(buffers["kind"], (SKIN, EYE)) & (
            np.hypot(*np.moveaxis(buffers["uv"].astype(np.float32), -1, 0)) < FACE_RADIUS
        )
        marks = to_crop(project(shape[LANDMARKS], view), window, SIZE)[:, :2]
        return RenderedFace(rgb, normal, mask, marks, face_box(marks))


def picture(
    buffers: dict[str, np.ndarray], normal: np.ndarray, texture: np.ndarray, scene: Scene, sun: np.ndarray
) -> np.ndarray:
    """The plain photo (S, S, 3) uint8 sRGB of a buffer: Lambert under a sun with shadows and a sky, a weak highlight.

    buffers: of `Renderer.buffers`; normal (S, S, 3) the final normals; texture (T, T) uint8; sun (3,) unit.
    """
    kind = buffers["kind"]
    albedo = reflectance(np.asarray(texture), buffers["uv"].astype(np.float32))
    albedo *= scene.skin / max(float(np.median(albedo[kind == SKIN])), 1e-3)
    albedo = np.clip(albedo, 0, 0.95)
    albedo[kind == TEETH], albedo[kind == MOUTH] = 0.55, 0.05
    # Dark skin is redder, and its specular reflection is as strong as on any other skin.
    tint = np.array([1.25, 0.95, 0.8] if scene.skin < 0.1 else [1.15, 0.97, 0.88], np.float32)
    free = cv2.GaussianBlur(1 - (buffers["sun"] & 1).astype(np.float32), (0, 0), 1.5)
    sky = buffers["sky"].astype(np.float32) / 255
    light = scene.sky * (1 + 0.3 * normal[..., 1]) * (0.25 + 0.75 * sky)
    light = light + scene.strength * free * np.clip(normal @ sun, 0, None)
    half = sun + np.array([0, 0, 1], np.float32)
    half = half / np.linalg.norm(half)
    specular = 0.06 * scene.strength * free * np.clip(normal @ half, 0, None) ** 12
    radiance = (albedo * light)[..., None] * tint + specular[..., None]
    wall = np.linspace(0.22, 0.12, len(kind), dtype=np.float32)[:, None, None] * (scene.sky + 0.15)
    edge = cv2.GaussianBlur((kind != BACKGROUND).astype(np.float32), (0, 0), 0.8)[..., None]
    shown = radiance * edge + wall * (1 - edge)
    return np.round(np.clip(shown, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)


def face_box(marks: np.ndarray) -> tuple[float, float, float, float]:
    """Roughly the box (x, y, width, height) that a detector would find: from above the brows to the chin.

    marks: landmarks (68, 2).
    """
    low, high = marks.min(0), marks.max(0)
    top = low[1] - 0.25 * (high[1] - low[1])
    return (float(low[0]), float(top), float(high[0] - low[0]), float(high[1] - top))
