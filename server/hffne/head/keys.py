# SPDX-License-Identifier: GPL-3.0-or-later
"""ARKit's shape keys for one head: the model's, with lids and lips that neither cut what they touch nor stay apart."""

import numpy as np

from hffne.head.eyes import SIDES, Ball, ball_surface, gaze_rotation, rest_lids, turn
from hffne.head.lips import uncross_lips
from hffne.head.model import SparseKeys, head_model
from hffne.head.teeth import clear_teeth, hold_back

# The keys that bring surfaces into each other; the others are the model's own. ARKit's mouthClose is not among them: it
# is made to be added to jawOpen, and alone it presses the lips into each other.
_LIPS = (
    "jawLeft",
    "jawRight",
    "mouthFunnel",
    "mouthShrugLower",
    "mouthPress",
    "mouthPucker",
    "mouthRoll",
    "mouthLeft",
    "mouthRight",
    "mouthDimple",
    "mouthFrown",
    "cheekPuff",
)
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
# The model rolls the lips between open teeth, and the jaw is closed.
_ROLL = "mouthRoll"
# Fewer leave slits of half a millimeter between the lids of some people.
_BLINK_ROUNDS = 5
# Degrees that the eyeball turns at 1: to the nose and from it, up, down.
_IN, _OUT, _UP, _DOWN = 30.0, 30.0, 25.0, 30.0
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
        if name.startswith(_ROLL):
            hold_back(neutral, moved)
        if name.startswith(_LIPS):
            uncross_lips(moved, neutral)
        if name.startswith(_TEETH):
            clear_teeth(moved)
    else:
        own = tuple(ball for side, ball in zip(SIDES, on, strict=True) if name.endswith(side))
        if name.startswith("eyeBlink"):
            own[0][0].blink.close(moved, rounds=_BLINK_ROUNDS)
        if name.startswith("eyeLook"):
            # The model moves the lids alone.
            eye = own[0][0]
            turn(moved, eye, gaze_rotation(*_gaze(name)))
            own = ((eye, ball_surface(moved, eye.ball)),)
        rest_lids(moved, own, loosest=None)
    change = moved - neutral
    x, y, z = (np.abs(change) > 2e-6).T
    vertices = np.flatnonzero(x | y | z).astype(np.int32)
    return vertices, change[vertices]


def _gaze(name: str) -> tuple[float, float]:
    """Yaw to +x, the person's left, and pitch up of an eyeLook key, degrees."""
    outward = 1 if name.endswith("Left") else -1
    angles = {"In": (-outward * _IN, 0.0), "Out": (outward * _OUT, 0.0), "Up": (0.0, _UP), "Down": (0.0, -_DOWN)}
    return angles[name.removeprefix("eyeLook").removesuffix("Left").removesuffix("Right")]
