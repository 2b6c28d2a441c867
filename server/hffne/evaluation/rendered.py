# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered faces with exact normals: one thing is varied, everything else stays plain.

Shapes, textures and relief come from the training set's own generator, but of the faces that the training held out.
Needs a training set (`hffne train data`) and ICT-FaceKit; none of it is used by the engine.
"""

from dataclasses import dataclass, replace

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
    Renderer,
    View,
    canonical_window,
    project,
    to_crop,
)
from hffne.synthesis.sampling import euler
from hffne.synthesis.shading import on_crop, reflectance, tilt
from hffne.synthesis.training_set import TrainingSet, held_out_mask
from hffne.synthesis.uv_layout import build_layout

SIZE = 512
AROUND = 1.6  # the picture's side over the face crop's: what a detector wants to see
DISTANCE = 80.0  # centimeters to the camera
FACE_RADIUS = 0.9  # of the position map's area; its rim is hair on photos


@dataclass(frozen=True)
class Scene:
    """Yaw, pitch, roll in degrees; sun (3,) toward the light, camera space; sky and sun strengths; the skin's mean
    reflectance (linear), and the strength of the relief."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    sun: tuple = (-0.35, 0.5, 0.8)
    sky: float = 0.45
    strength: float = 0.75
    skin: float = 0.33
    relief: float = 0.5


PLAIN = Scene()
SIDE = dict(sky=0.03, strength=1.3)
SCENES = {
    "plain": [PLAIN],
    "yaw 30°": [replace(PLAIN, yaw=a) for a in (-30, 30)],
    "yaw 60°": [replace(PLAIN, yaw=a) for a in (-60, 60)],
    "yaw 90°": [replace(PLAIN, yaw=a) for a in (-90, 90)],
    "pitch 30°": [replace(PLAIN, pitch=a) for a in (-30, 30)],
    "roll 30°": [replace(PLAIN, roll=a) for a in (-30, 30)],
    "hard side light": [replace(PLAIN, sun=(x, 0.15, 0.2), **SIDE) for x in (-1, 1)],
    "hard light from above": [replace(PLAIN, sun=(0.1, 1.0, 0.35), **SIDE)],
    "hard light from below": [replace(PLAIN, sun=(0.1, -1.0, 0.5), **SIDE)],
    "dark skin": [replace(PLAIN, skin=0.055)],
    "light skin": [replace(PLAIN, skin=0.62)],
}


@dataclass
class RenderedFace:
    """rgb (S, S, 3) uint8; normal (S, S, 3) and mask (S, S): the face's truth; landmarks (68, 2); box (x, y, w, h)."""

    rgb: np.ndarray
    normal: np.ndarray
    mask: np.ndarray
    landmarks: np.ndarray
    box: tuple

    def to_look_at(self, found):
        """The photo.detect.Face for the networks: the first that the detector found on `rgb`, else where the face is."""
        if found:
            return found[0]
        scale = self.rgb.shape[1] / self.normal.shape[1]  # a degraded picture may be smaller
        return Face(tuple(v * scale for v in self.box), 0.0, np.zeros((5, 2), np.float32))


class Studio:
    """Renders the faces of a training set that its training held out. Raises HffneError for what is missing."""

    def __init__(self, folder, shapes):
        files = TrainingSet(folder)
        self.fits, self.textures, self.reliefs = files.fits(), files.array("textures/gray"), files.array("reliefs")
        model = load_face_model(shapes)
        self.renderer = Renderer(model, build_layout(model))
        self.faces = np.flatnonzero(held_out_mask(len(self.fits.identity)))

    def face(self, number, scene, reshape=None):
        """The held-out face `number` in a scene: RenderedFace. The same number is always the same face.

        reshape: what makes other vertices (V, 3), cm around the head's center, of the face's own; the picture's frame
        stays where it is.
        """
        who = self.faces[number % len(self.faces)]
        rng = np.random.default_rng([7, int(who)])
        renderer = self.renderer
        shape = renderer.shape(self.fits.identity[who] * 1.2, self.fits.expression[who])
        view = View(euler(scene.yaw, scene.pitch, scene.roll), DISTANCE)
        position = project(renderer.layout.sample(shape), view)
        window = canonical_window(position, renderer.layout.mask)
        window.side *= AROUND
        shape = reshape(shape) if reshape else shape
        sun = np.float32(scene.sun) / np.linalg.norm(scene.sun)
        buffers = renderer.buffers(shape, view, window, [sun], rng=rng, size=SIZE)
        normal = buffers["normal"].astype(np.float32) / 127
        relief = self.reliefs[rng.integers(len(self.reliefs))]
        slopes = on_crop(relief, buffers["uv"].astype(np.float32)) * np.float32(scene.relief)
        normal = tilt(normal, buffers["kind"], slopes, view.rotation[:, 1])
        rgb = picture(buffers, normal, self.textures[who], scene, sun)
        mask = np.isin(buffers["kind"], (SKIN, EYE)) & (
            np.hypot(*np.moveaxis(buffers["uv"].astype(np.float32), -1, 0)) < FACE_RADIUS
        )
        marks = to_crop(project(shape[LANDMARKS], view), window, SIZE)[:, :2]
        return RenderedFace(rgb, normal, mask, marks, _box(marks))


def picture(buffers, normal, texture, scene, sun):
    """The plain photo (S, S, 3) uint8 of a buffer: Lambert under one shadowing sun and a sky, a little gloss."""
    kind = buffers["kind"]
    albedo = reflectance(np.asarray(texture), buffers["uv"].astype(np.float32))
    albedo *= scene.skin / max(float(np.median(albedo[kind == SKIN])), 1e-3)
    albedo = np.clip(albedo, 0, 0.95)
    albedo[kind == TEETH], albedo[kind == MOUTH] = 0.55, 0.05
    # Dark skin is redder, and the gloss on it is as strong as on any other.
    tint = np.float32([1.25, 0.95, 0.8]) if scene.skin < 0.1 else np.float32([1.15, 0.97, 0.88])
    free = cv2.GaussianBlur(1 - (buffers["sun"] & 1).astype(np.float32), (0, 0), 1.5)
    sky = buffers["sky"].astype(np.float32) / 255
    light = scene.sky * (1 + 0.3 * normal[..., 1]) * (0.25 + 0.75 * sky)
    light = light + scene.strength * free * np.clip(normal @ sun, 0, None)
    half = sun + np.float32([0, 0, 1])
    half /= np.linalg.norm(half)
    gloss = 0.06 * scene.strength * free * np.clip(normal @ half, 0, None) ** 12
    radiance = (albedo * light)[..., None] * tint + gloss[..., None]
    wall = np.linspace(0.22, 0.12, len(kind), dtype=np.float32)[:, None, None] * (scene.sky + 0.15)
    edge = cv2.GaussianBlur((kind != BACKGROUND).astype(np.float32), (0, 0), 0.8)[..., None]
    shown = radiance * edge + wall * (1 - edge)
    return np.round(np.clip(shown, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)


def _box(marks):
    """What a detector would give, roughly, for a face that it misses: from above the brows to the chin."""
    low, high = marks.min(0), marks.max(0)
    top = low[1] - 0.25 * (high[1] - low[1])
    return (float(low[0]), float(top), float(high[0] - low[0]), float(high[1] - top))
