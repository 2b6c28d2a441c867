# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit the head model to a position map: pose, identity and expression by regularized least squares.

The position map is linear in the model's coefficients, so one normal matrix serves all faces. The coefficients are the
maximum a posteriori estimate under the model's normal distribution (Blanz and Vetter 1999), those of the expressions
between 0 and 1.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from hffne.geometry.base_shape import HEAD_TO_OBJECT, BaseShape, reliable_texels
from hffne.geometry.uv import face_texels
from hffne.geometry.vectors import similarity
from hffne.head.model import HeadModel, head_model

# Weight of the model's prior, square meters: of an identity, and of an expression.
PRIOR, EXPRESSION_PRIOR = 4e-4, 12e-4
# Alternating between pose and coefficients.
ROUNDS = 6
# Expressions that the position map does not show: where the eyes look.
_UNSEEN = "eyeLook"


@dataclass(frozen=True)
class Coefficients:
    """identity (K,); expression: weight 0..1 by ARKit's name; from the model's axes to the head's:
    ``head = scale * rotation @ model + origin``."""

    identity: np.ndarray
    expression: dict[str, float]
    scale: float
    rotation: np.ndarray
    origin: np.ndarray

    def to_head(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) of the model -> meters on the head's axes (x right, y up, z out of the face)."""
        return (self.scale * points @ self.rotation.T + self.origin).astype(np.float32)

    def to_model(self, points: np.ndarray) -> np.ndarray:
        """The inverse of `to_head`."""
        return ((points - self.origin) @ self.rotation / self.scale).astype(np.float32)


@dataclass(frozen=True)
class _System:
    """The linear system: mask (U, U) bool; mean (T, 3); basis (P, 3 T); normal matrix (P, P) with the prior; names."""

    mask: np.ndarray
    mean: np.ndarray
    basis: np.ndarray
    matrix: np.ndarray
    names: tuple[str, ...]


@cache
def fitted_texels() -> np.ndarray:
    """The texels (U, U) bool of the position map that the head is fitted to."""
    return head_model().texel_mask & face_texels() & reliable_texels()


@cache
def _system() -> _System:
    model = head_model()
    mask = fitted_texels()
    corners, weights = model.texel_corners[mask], model.texel_weights[mask]

    def at(vertices: np.ndarray) -> np.ndarray:
        return np.einsum("tkx,tk->tx", vertices[corners], weights)

    names = tuple(name for name in model.expressions.names if not name.startswith(_UNSEEN))
    moves = [at(one) for one in model.identity]
    moves += [at(model.expressions.dense(name, len(model.neutral))) for name in names]
    basis = np.stack(moves).reshape(len(moves), -1).astype(np.float32)
    prior = np.repeat([PRIOR, EXPRESSION_PRIOR], [len(model.identity), len(names)])
    matrix = basis.astype(np.float64) @ basis.T.astype(np.float64) + np.diag(prior)
    return _System(mask, at(model.neutral), basis, matrix, names)


def fit_coefficients(shape: BaseShape) -> Coefficients:
    """The model's coefficients and pose for a base shape."""
    system, identities = _system(), len(head_model().identity)
    target = shape.points[system.mask].astype(np.float64) @ HEAD_TO_OBJECT
    solution = np.zeros(len(system.basis))
    scale, rotation, origin = 1.0, np.eye(3), np.zeros(3)
    for _ in range(ROUNDS):
        now = system.mean + (solution.astype(np.float32) @ system.basis).reshape(-1, 3)
        scale, rotation, origin = similarity(now, target)
        wanted = (target - origin) @ rotation / scale - system.mean
        right = system.basis @ wanted.ravel().astype(np.float32)
        solution = _bounded(system.matrix, right.astype(np.float64), identities)
    weights = solution[identities:]
    return Coefficients(
        identity=solution[:identities].astype(np.float32),
        expression={name: float(weight) for name, weight in zip(system.names, weights, strict=True) if weight > 1e-3},
        scale=scale,
        rotation=rotation,
        origin=origin,
    )


def identity_shape(coefficients: Coefficients, model: HeadModel) -> np.ndarray:
    """The vertices (V, 3) of the coefficients' identity, without expression, on the model's axes."""
    return model.neutral + np.tensordot(coefficients.identity, model.identity, 1)


def _bounded(matrix: np.ndarray, right: np.ndarray, free: int) -> np.ndarray:
    """Solve ``matrix @ x = right`` with x between 0 and 1 from index `free` on: an active set of the lower bound."""
    active = np.ones(len(right), bool)
    x = np.zeros(len(right))
    for _ in range(8):
        index = np.flatnonzero(active)
        x[:] = 0
        x[index] = np.linalg.solve(matrix[np.ix_(index, index)], right[index])
        below = (x < 0) & active
        below[:free] = False
        if not below.any():
            break
        active &= ~below
    x[free:] = np.clip(x[free:], 0, 1)
    return x
