# SPDX-License-Identifier: GPL-3.0-or-later
"""A head fitted to a face: its neutral shape, its shape on the photo, and its shape keys."""

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from hffne.corrected import corrected_shape
from hffne.geometry.base_shape import HEAD_TO_OBJECT, BaseShape
from hffne.geometry.smooth_field import SmoothField
from hffne.head import correction, eyes
from hffne.head.fit import fit_coefficients, fitted_texels, identity_shape
from hffne.head.gaze import EyeFacts, eye_facts, turn_eyes
from hffne.head.iris import Iris, find_iris
from hffne.head.keys import fitted_keys
from hffne.head.lips import lips, uncross_lips
from hffne.head.model import SparseKeys, head_model
from hffne.head.residual import displacement
from hffne.head.teeth import clear_teeth, retract_teeth
from hffne.photo.crop import Crop

# Expressions that the fit finds on relaxed faces too, medians: so much of each counts as the person's own shape.
# Made by ``hffne train rest``.
REST_FILE = Path(__file__).with_name("rest_expression.json")
# Weights found beyond the resting ones that are noise: of the mouth, which would part the lips, and of the others.
# Expressions that part the lips.
_PARTING = ("jawOpen", "mouthUpperUp", "mouthLowerDown", "mouthFunnel")
_MOUTH, _MOUTH_NOISE, _NOISE = ("mouth", "jaw"), 0.06, 0.02


@dataclass(frozen=True)
class FittedHead:
    """A head in meters on the object's axes (x right, y to the back, z up), at the base shape's place.

    neutral (V, 3) float32 with a relaxed face; posed (V, 3) float32 as on the photo; keys: ARKit's, from the neutral;
    expression: their weights on the photo; eyes: facts of the posed head's eyes by side.
    """

    neutral: np.ndarray
    posed: np.ndarray
    keys: SparseKeys
    expression: dict[str, float]
    eyes: dict[str, EyeFacts]


def fit_head(
    shape: BaseShape,
    rgb: np.ndarray | None = None,
    crop: Crop | None = None,
    field: SmoothField | None = None,
    mouth_closed: bool = False,
) -> FittedHead:
    """Fit the head to a base shape. The visible face follows the position map, the rest of the head softly.

    rgb (H, W, 3), crop: the photo, and the Crop on it that the shape is on, for the eyes; without them they look
    straight ahead. field: an artist's correction of the fitted head. mouth_closed: the photo shows nothing between the
    lips, which the position map parts by a millimeter all the same.
    """
    model = head_model()
    found = fit_coefficients(shape)
    # What is left out here of a resting mouth, the residual adds to the person's own shape, without opening the jaw.
    active = {name: _beyond(name, weight - _rest().get(name, 0.0)) for name, weight in found.expression.items()}
    active = {name: weight for name, weight in active.items() if weight > 0}
    if mouth_closed:  # what they have moved, the residual adds to the neutral, whose lips meet
        active = {name: weight for name, weight in active.items() if not name.startswith(_PARTING)}
    neutral = identity_shape(found, model)
    lips().close(neutral)
    posed = model.expressions.add(neutral, active)
    target = found.to_model((shape.points @ HEAD_TO_OBJECT).reshape(-1, 3)).reshape(shape.points.shape)
    moved = displacement(target - model.at_texels(posed), fitted_texels())

    def to_object(points: np.ndarray) -> np.ndarray:
        return (found.to_head(points) @ HEAD_TO_OBJECT.T).astype(np.float32)

    turn = (found.scale * HEAD_TO_OBJECT @ found.rotation).astype(np.float32)
    if field is not None:
        moved += correction.displacement(to_object(posed + moved), field) @ np.linalg.inv(turn).T
        shape = corrected_shape(shape, field)
    neutral += moved
    eyes.raise_balls(neutral)
    balls = eyes.balls(neutral)
    eyes.rest_lids(neutral, balls)
    # An open mouth on the photo parts the lips of the neutral a little.
    lips().close(neutral)
    uncross_lips(neutral, model.neutral)
    retract_teeth(neutral)
    clear_teeth(neutral)
    keys = fitted_keys(neutral, balls)
    posed = keys.add(neutral, active)
    # The expressions that are found do not turn the eyes.
    eyes.rest_lids(posed, balls, loosest=None)
    uncross_lips(posed, neutral)
    clear_teeth(posed)
    placed = to_object(posed)
    irises: dict[str, Iris | None] = {}
    if rgb is not None and crop is not None:
        for side in eyes.SIDES:
            irises[side] = find_iris(rgb, crop, shape, side)
        turn_eyes(placed, irises, shape.rotation)
        # The cornea stands out of the ball: a turned eye lifts its lids.
        lifted = (placed @ HEAD_TO_OBJECT).astype(np.float32)
        eyes.rest_lids(lifted, eyes.balls(lifted), loosest=None)
        placed = (lifted @ HEAD_TO_OBJECT.T).astype(np.float32)
    return FittedHead(
        to_object(neutral), placed, replace(keys, deltas=keys.deltas @ turn.T), active, eye_facts(placed, irises)
    )


@cache
def _rest() -> dict[str, float]:
    weights: dict[str, float] = json.loads(REST_FILE.read_text(encoding="utf-8"))
    return weights


def _beyond(name: str, weight: float) -> float:
    """A weight beyond the resting one without what is noise; the larger it is, the less it is changed."""
    noise = _MOUTH_NOISE if name.startswith(_MOUTH) else _NOISE
    return max(0.0, weight - noise) if weight < 3 * noise else weight - noise * max(0.0, 2 - weight / (3 * noise))
