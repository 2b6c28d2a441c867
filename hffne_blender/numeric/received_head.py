# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer of the engine has of a head beyond a face: neutral shape, parts, shape keys and eyes, checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .checked_arrays import ReceivedFaceError, checked

# The longest name that Blender gives a data-block or a shape key.
LONGEST_NAME = 63


@dataclass(frozen=True)
class ShapeKeys:
    """Shape keys, each of which moves some vertices.

    names     of the K keys
    starts    (K + 1,) int32: key k has the entries starts[k] to starts[k + 1]
    vertices  (N,) int32
    deltas    (N, 3) float32, meters from the neutral shape
    """

    names: tuple[str, ...]
    starts: np.ndarray
    vertices: np.ndarray
    deltas: np.ndarray

    def __iter__(self) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """(name, vertices (n,), deltas (n, 3)) of each key."""
        for name, start, end in zip(self.names, self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            yield name, self.vertices[start:end], self.deltas[start:end]


@dataclass(frozen=True)
class Eye:
    """One eyeball, on the object's axes.

    center       (3,) meters
    radius       meters
    iris_radius  meters
    gaze         (3,) unit vector from the center through the pupil
    """

    center: tuple[float, float, float]
    radius: float
    iris_radius: float
    gaze: tuple[float, float, float]


@dataclass(frozen=True)
class Eyes:
    """Both eyes, left and right as the face itself has them; iris_color is sRGB, 0..1."""

    iris_color: tuple[float, float, float]
    left: Eye
    right: Eye


@dataclass(frozen=True)
class ReceivedHead:
    """A head's own data; V vertices and Q quads are those of the ReceivedFace.

    neutral     (V, 3) float32 meters, the shape without expression
    parts       names of the parts, the skin first
    quad_parts  (Q,) uint8, the part of each quad
    keys        its shape keys
    eyes        or None where the engine does not know them
    """

    neutral: np.ndarray
    parts: tuple[str, ...]
    quad_parts: np.ndarray
    keys: ShapeKeys
    eyes: Eyes | None

    @classmethod
    def from_answer(
        cls, message: Mapping[str, Any], arrays: Mapping[str, np.ndarray], vertices: int, quads: int
    ) -> "ReceivedHead | None":
        """The head in an answer for so many vertices and quads, or None for a mask. Raises ReceivedFaceError."""
        if "neutral" not in arrays:
            return None
        parts = _names(message, "parts")
        quad_parts = checked(arrays, "quad_parts", np.uint8, (quads,))
        if not parts or quad_parts.max() >= len(parts) or (quad_parts != 0).all():
            raise ReceivedFaceError("The engine's parts do not fit its quads.")
        return cls(
            neutral=checked(arrays, "neutral", np.float32, (vertices, 3)),
            parts=parts,
            quad_parts=quad_parts,
            keys=_shape_keys(message, arrays, vertices),
            eyes=_eyes(message.get("eyes")),
        )


def _names(message: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """The names in a field of a message: each once, none empty or too long for Blender."""
    names = tuple(str(name) for name in message.get(field) or ())
    if len(set(names)) < len(names) or not all(0 < len(name.encode()) <= LONGEST_NAME for name in names):
        raise ReceivedFaceError(f"The engine's '{field}' are not usable as names.")
    return names


def _shape_keys(message: Mapping[str, Any], arrays: Mapping[str, np.ndarray], count: int) -> ShapeKeys:
    names = _names(message, "keys")
    if not names:
        return ShapeKeys((), np.zeros(1, np.int32), np.zeros(0, np.int32), np.zeros((0, 3), np.float32))
    starts = checked(arrays, "key_starts", np.int32, (len(names) + 1,))
    vertices = checked(arrays, "key_vertices", np.int32, (None,))
    deltas = checked(arrays, "key_deltas", np.float32, (len(vertices), 3))
    if starts[0] != 0 or starts[-1] != len(vertices) or (np.diff(starts) < 0).any():
        raise ReceivedFaceError("The engine's 'key_starts' do not fit its 'key_vertices'.")
    if len(vertices) and (vertices.min() < 0 or vertices.max() >= count):
        raise ReceivedFaceError("The engine's 'key_vertices' do not fit its vertices.")
    return ShapeKeys(names, starts, vertices, deltas)


def _eyes(facts: Any) -> Eyes | None:
    if facts is None:
        return None
    try:
        color = _triple(facts["iris_color"])
        eyes = Eyes(color, _eye(facts["left"]), _eye(facts["right"]))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        raise ReceivedFaceError("The engine's answer has no usable eyes.") from None
    if not all(0 <= channel <= 1 for channel in color):
        raise ReceivedFaceError("The engine's color of the iris is not within 0 and 1.")
    return eyes


def _eye(facts: Any) -> Eye:
    """One eye. Raises KeyError, TypeError or ValueError where it is not as described."""
    eye = Eye(_triple(facts["center"]), float(facts["radius"]), float(facts["iris_radius"]), _triple(facts["gaze"]))
    length = float(np.linalg.norm(eye.gaze))
    if not 0 < eye.iris_radius < eye.radius < float("inf") or abs(length - 1) > 0.01:
        raise ValueError
    return eye


def _triple(values: Any) -> tuple[float, float, float]:
    """Three finite numbers. Raises TypeError or ValueError."""
    x, y, z = (float(value) for value in values)
    if not np.isfinite((x, y, z)).all():
        raise ValueError
    return x, y, z
