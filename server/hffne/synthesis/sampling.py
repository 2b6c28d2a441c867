# SPDX-License-Identifier: GPL-3.0-or-later
"""Random faces, poses, cameras and lights for the renders."""

import numpy as np

from hffne.synthesis.face_model import FaceModel
from hffne.synthesis.fit import Fits
from hffne.synthesis.render import HeadView, Renderer, Window, canonical_window, project


def euler(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation (3, 3) from head to camera. Degrees: yaw turns to the viewer's right, pitch up, roll in plane."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (tilt @ nod @ turn).astype(np.float32)


def random_shape(rng: np.random.Generator, model: FaceModel, fits: Fits) -> tuple[np.ndarray, np.ndarray]:
    """Identity and expression coefficients: partly from photos' fits, with noise, else from the model's prior."""
    identity = rng.normal(0, 0.9, len(model.identity_deltas))
    identity[40:] *= 0.8
    expression = np.zeros(len(model.expression_deltas))
    if rng.random() < 0.7:
        pick = rng.integers(len(fits.identity))
        blend = rng.uniform(0.3, 1.0)
        identity = fits.identity[pick] * blend * 1.3 + identity * np.sqrt(1 - blend**2)
    kind = rng.random()
    if kind < 0.5:
        expression = fits.expression[rng.integers(len(fits.expression))] * rng.uniform(0.5, 1.2)
    elif kind < 0.85:
        active = rng.choice(len(expression), rng.integers(1, 9), replace=False)
        expression[active] = rng.uniform(0, 0.9, len(active))
        # Left and right mostly move together.
        for i, name in enumerate(model.expression_names):
            if name.endswith("_L") and rng.random() < 0.8:
                expression[i + 1] = expression[i]
    return identity.astype(np.float32), np.clip(expression, 0, 1).astype(np.float32)


def stretched(rng: np.random.Generator, shape: np.ndarray) -> np.ndarray:
    """Vertices (V, 3) in cm around the head's center, their depth stretched and bent smoothly over the face.

    Real faces vary more in depth than the fits that most faces are drawn around. The distance in depth from the eyes'
    outer corners to the root of the nose, over the distance of the corners, has a standard deviation of 0.014 in the
    fits, 0.030 in `random_shape`, 0.042 in the shape model, and 0.048 with this function.
    """
    u, v = shape[:, 0] / 7, shape[:, 1] / 9
    bends = np.clip(rng.normal(size=4), -2, 2) * [0.7, 0.4, 0.3, 0.2]
    scales = np.exp(np.clip(rng.normal(size=3), -2, 2) * [0.03, 0.03, 0.10])
    moved = shape * scales.astype(np.float32)
    moved[:, 2] += np.stack([u * u, v * v, u * u * v, v**3], 1).clip(-3, 3) @ bends.astype(np.float32)
    return moved


def random_view(rng: np.random.Generator) -> HeadView:
    """Mostly near frontal, a third spread to profile; cameras from arm's length to far."""
    if rng.random() < 0.6:
        yaw, pitch, roll = rng.normal(0, 18), rng.normal(0, 10), rng.normal(0, 7)
    else:
        yaw, pitch, roll = rng.uniform(-92, 92), rng.normal(0, 18), rng.normal(0, 20)
    distance = 45 * np.exp(rng.uniform(0, 1.8))
    return HeadView(euler(yaw, np.clip(pitch, -45, 45), np.clip(roll, -55, 55)), float(distance))


def jittered(rng: np.random.Generator, window: Window) -> Window:
    """The window shifted and scaled at random, with the errors of a detector."""
    shift = rng.normal(0, 0.045, 2) * window.side
    return Window(window.x + shift[0], window.y + shift[1], window.side * float(np.exp(rng.normal(0, 0.10))))


def random_direction(rng: np.random.Generator) -> np.ndarray:
    """A light direction (3,) in camera space, in front of the face more often than beside or above it."""
    direction = np.array([rng.normal(0, 0.9), rng.normal(0.35, 0.7), rng.uniform(0.0, 1.2)])
    return (direction / np.linalg.norm(direction)).astype(np.float32)


def rendered_sample(renderer: Renderer, fits: Fits, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The buffers of one random face, its lights' directions ``suns`` (K, 3) and the head's up axis ``up`` (3,)."""
    view = random_view(rng)
    shape = stretched(rng, renderer.shape(*random_shape(rng, renderer.model, fits)))
    position = project(renderer.layout.sample(shape), view)
    window = jittered(rng, canonical_window(position, renderer.layout.mask))
    suns = np.stack([random_direction(rng) for _ in range(2)])
    buffers = renderer.buffers(shape, view, window, suns, rng=rng)
    return buffers | {"suns": suns, "up": view.rotation[:, 1].astype(np.float32)}
