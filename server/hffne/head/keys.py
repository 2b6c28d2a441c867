# SPDX-License-Identifier: GPL-3.0-or-later
"""ARKit's shape keys for one head: the model's, with lids and lips that neither cut what they touch nor stay apart."""

import numpy as np

from hffne.head.eyes import SIDES, Ball, rest_lids
from hffne.head.lips import lips
from hffne.head.model import SparseKeys, head_model
from hffne.head.teeth import clear_teeth

# The keys that bring surfaces into each other; the others are the model's own. ARKit's mouthClose is not among them: it
# is made to be added to jawOpen, and alone it presses the lips into each other.
_LIPS = ("mouthShrugLower", "mouthPress", "mouthPucker", "mouthRoll", "mouthLeft", "mouthRight", "cheekPuff")
_TEETH: tuple[str, ...] = (
    "jawOpen",
    "jawLeft",
    "jawRight",
    "mouthDimple",
    "mouthFunnel",
    "mouthLeft",
    "mouthRight",
    "mouthPress",
    "mouthRoll",
    "mouthShrug",
)
_TEETH += ("mouthSmile", "mouthStretch")
_LIDS = ("eyeBlink", "eyeLook", "eyeSquint", "cheekSquint", "browDown", "noseSneer")


def fitted_keys(neutral: np.ndarray, on: tuple[Ball, ...]) -> SparseKeys:
    """The keys of a neutral head (V, 3), on the model's axes. on: its eyeballs, of `eyes.balls`."""
    model = head_model().expressions
    entries = [
        _corrected(name, neutral, on) if name.startswith(_LIPS + _TEETH + _LIDS) else model.entries(name)
        for name in model.names
    ]
    starts = np.concatenate([[0], np.cumsum([len(vertices) for vertices, _ in entries])])
    vertices, deltas = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    return SparseKeys(model.names, starts.astype(np.int32), vertices, deltas)


def _corrected(name: str, neutral: np.ndarray, on: tuple[Ball, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A key's vertices (n,) and their movements (n, 3), corrected where they bring surfaces into each other."""
    moved = head_model().expressions.add(neutral, {name: 1.0})
    if not name.startswith(_LIDS):
        if name.startswith(_LIPS):
            lips().uncross(moved)
        if name.startswith(_TEETH):
            clear_teeth(moved)
    else:
        own = tuple(ball for side, ball in zip(SIDES, on, strict=True) if name.endswith(side))
        if name.startswith("eyeBlink"):
            own[0][0].blink.close(moved)
        rest_lids(moved, own, loosest=None)
    change = moved - neutral
    vertices = np.flatnonzero(np.abs(change).max(1) > 2e-6).astype(np.int32)
    return vertices, change[vertices]
