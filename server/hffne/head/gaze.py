# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the eyeballs to where the eyes look on the photo."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hffne.geometry.base_shape import HEAD_TO_OBJECT
from hffne.geometry.vectors import normalize
from hffne.head.eyes import SIDES, eyes, gaze_rotation, turn
from hffne.head.iris import PLAIN_COLOR, SLITS, Iris
from hffne.head.model import PARTS, head_model

# The model's iris: its vertices within this distance of the middle of its UVs, and of them those at the outer edge.
_DISC, _EDGE = 0.376, 0.34
# Degrees: the eye's range, and how far each eye may differ from the mean of both.
_RANGE, _APART = (32.0, 22.0), 4.0
# Degrees from straight ahead at which a gaze counts half.
_FAR = 15.0


@dataclass(frozen=True)
class EyeFacts:
    """An eye of a fitted head, on the axes of its points.

    center (3,) and radius of the ball, and the iris's radius, in meters; gaze (3,) unit; color (3,) of the iris, sRGB
    0..1.
    """

    center: np.ndarray
    radius: float
    iris_radius: float
    gaze: np.ndarray
    color: np.ndarray


def turn_eyes(points: np.ndarray, irises: Mapping[str, Iris | None], rotation: np.ndarray) -> None:
    """Turn the eyeballs of a head (V, 3), in place, to the irises.

    irises: those found, by side; rotation (3, 3): the points' axes to camera axes around the same origin. Without any
    iris the eyes look straight ahead.
    """
    landmarks = head_model().at_landmarks(points)
    angles = {}
    for side, eye in zip(SIDES, eyes(), strict=True):
        found = irises.get(side)
        if found is None:
            continue
        center, disc = points[eye.ball].mean(0), points[_iris(side)].mean(0)
        # From the middle of the head's own slit, so that the iris lies between its lids as on the photo.
        slit = landmarks[SLITS[side]].mean(0)
        camera = (rotation @ (slit - center))[:2] + found.center
        reach = float(np.linalg.norm(disc - center))
        # Not beyond what the ball's front shows.
        camera = camera * min(1, 0.7 * reach / max(float(np.linalg.norm(camera)), 1e-9))
        toward = rotation.T @ [*camera, np.sqrt(reach * reach - camera @ camera)]
        angles[side] = _angles(toward) - _angles(disc - center), found.step
    if not angles:
        return
    # Where the eyes disagree, one is more likely mistaken for a lid's corner than turned so far.
    trust = [step / (1 + float(np.square(angle / _FAR).sum())) for angle, step in angles.values()]
    mean = np.average([angle for angle, _ in angles.values()], axis=0, weights=trust)
    for side, eye in zip(SIDES, eyes(), strict=True):
        own = angles[side][0] if side in angles else mean
        angle = np.clip(np.clip(own, mean - _APART, mean + _APART), np.negative(_RANGE), _RANGE)
        turn(points, eye, HEAD_TO_OBJECT @ gaze_rotation(*angle) @ HEAD_TO_OBJECT.T)


def eye_facts(points: np.ndarray, irises: Mapping[str, Iris | None]) -> dict[str, EyeFacts]:
    """The facts of both eyes of a head (V, 3), by side."""
    colors = [iris.color for iris in irises.values() if iris is not None]
    color = np.mean(colors, axis=0) if colors else np.array(PLAIN_COLOR)
    facts = {}
    for side, eye in zip(SIDES, eyes(), strict=True):
        center, disc = points[eye.ball].mean(0), points[_iris(side)]
        facts[side] = EyeFacts(
            center=center,
            radius=float(np.linalg.norm(points[eye.ball] - center, axis=1).mean()),
            iris_radius=float(np.linalg.norm(disc - disc.mean(0), axis=1).mean()),
            gaze=normalize(disc.mean(0) - center),
            color=color,
        )
    return facts


def _iris(side: str) -> np.ndarray:
    """The vertices at the iris's edge."""
    mesh = head_model().mesh
    part = mesh.quad_parts == PARTS.index(f"Iris {side}")
    distance = np.linalg.norm(mesh.uvs[part] - 0.5, axis=2)
    edge = (distance > _EDGE) & (distance < _DISC + 0.002)
    return np.setdiff1d(np.unique(mesh.quads[part][edge]), [-1])


def _angles(direction: np.ndarray) -> np.ndarray:
    """Yaw and pitch in degrees of a direction on object axes (x right, -y forward, z up)."""
    x, y, z = direction
    return np.degrees([np.arctan2(x, -y), np.arctan2(z, np.hypot(x, y))])
