# SPDX-License-Identifier: GPL-3.0-or-later
"""Dressed people of the second head family from every side, with their position maps: what tells a head's pose when
little of the face is seen, hair, ears, neck and clothes, neither fits of photos nor bare heads show."""

import numpy as np

from hffne.photo.crop import to_gray
from hffne.synthesis.avatar_sampling import lids_and_mouth
from hffne.synthesis.parsing_scenes import Wardrobe, photographed, random_scene
from hffne.synthesis.render import HeadView, project, to_crop
from hffne.synthesis.sampling import euler

_BARE = 0.4  # the share of people without glasses, hats or hands
# Degrees. Beyond a full profile a face is seen by its outline alone; detectors still find it.
_YAW, _PITCH, _ROLL = 115.0, 15.0, 12.0
_NEAR, _FAR = 45.0, 270.0  # cm from the camera to the head's middle
_HEAD = 30.0  # cm: what lies farther from the head's middle keeps its place when lids and lips move


def posed_person(
    wardrobe: Wardrobe, chosen: np.ndarray, background: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """One of the `chosen` people: gray (S, S) uint8, encoded sRGB; position (U, U, 3) float16, the position map in
    pixels of the picture.

    background (S, S, 3) uint8, where S = `photo.crop.CROP`.
    """
    number = int(chosen[rng.integers(len(chosen))])
    person, shape = wardrobe.people[number], wardrobe.heads.shapes[number]
    both = np.concatenate([person.vertices, shape])
    near = np.linalg.norm(both, axis=1) < _HEAD
    both[near] = lids_and_mouth(rng, both[near], person.vertices[person.landmarks])
    scene = random_scene(wardrobe, number, both[: len(person.vertices)], rng, _BARE, _view(rng), both[-len(shape) :])
    _, rgb, _ = photographed(scene, background, rng)
    position = to_crop(project(wardrobe.renderer.layout.sample(scene.shape), scene.view), scene.window)
    gray = to_gray(np.clip(rgb, 0, 1).astype(np.float32))
    return {"gray": np.round(gray * 255).astype(np.uint8), "position": position.astype(np.float16)}


def _view(rng: np.random.Generator) -> HeadView:
    """From all sides alike, so that profiles are as frequent as frontal faces."""
    turn = euler(
        rng.uniform(-_YAW, _YAW),
        float(np.clip(rng.normal(0, _PITCH), -40, 40)),
        float(np.clip(rng.normal(0, _ROLL), -40, 40)),
    )
    return HeadView(turn, float(np.exp(rng.uniform(*np.log((_NEAR, _FAR))))))
