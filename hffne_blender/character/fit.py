# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated face bent onto another head: which point of one is which point of the other.

First as a rigid body with one scale; where that fits (a retopology of the same face) it
stays so, which is exact. Otherwise landmarks bend it roughly, then, round by round and
ever less stiffly, its surface is drawn onto the nearest surface of the head.
"""

import numpy as np

from ..numeric import similarity
from ..numeric.warp import Warp
from .source import TransferError
from .surface import Surface, barycentric

CONTROLS = 450
ROUNDS = 10
# Of the face's own meters. A rigid fit this close everywhere is the same shape.
SAME_SHAPE = 0.0004
# Points nearer than this to the face's border (hair, neck) do not steer the fit.
RIM = 0.006
# How far a point may be drawn, from the first round to the last.
REACH = 0.030, 0.006
# Slack of the surface points (see `warp.Warp`), from the first round to the last.
SLACK = 0.5, 0.03
FEWEST_LANDMARKS = 3


def fit(source, target, pairs=None, sure=True):
    """Bend a face onto a head.

    source  character.source.Source
    target  character.surface.Surface, its triangles near the head at least
    pairs   (from (K, 3), to (K, 3)) of landmarks in world space, or None: the two already lie
            over one another, roughly
    sure    whether landmarks are met exactly (a person placed them) or nearly (they were found)

    Returns (V, 3): where the face's vertices come to lie. Raises TransferError when the two do not meet.
    """
    meter, points = source.meter, source.surface.points
    if pairs is not None:
        start, goal = (np.asarray(side, float) for side in pairs)
        if len(start) < FEWEST_LANDMARKS:
            raise TransferError(
                "few_landmarks", f"{len(start)} landmarks are too few.", f"Place {FEWEST_LANDMARKS} or more of them."
            )
        first = similarity.from_pairs(start, goal)
        if not np.isfinite(first.scale) or first.scale <= 0:
            raise TransferError(
                "bad_landmarks", "The landmarks lie in one place.", "Move them onto the head's features."
            )
        meter, points, start = meter * first.scale, first(points), first(start)
    target = near(target, points, 0.08 * meter)
    nearest = Nearest(target)
    triangles = source.surface.triangles
    steering = np.flatnonzero((source.rim > RIM) & (source.eyes < 0.5))
    steering = steering[_spread(points[steering], CONTROLS)]

    rigid = _rigidly(points, steering, triangles, nearest, meter)
    if rigid is not None:
        return rigid
    if pairs is not None:
        points = Warp(start, goal, 1e-4 if sure else 0.05)(points)
        marks = _places(start, first(source.surface.points), triangles)
    # The rounds move only the steering points and what their normals need.
    ring = np.isin(triangles, steering).any(1)
    if pairs is not None:
        ring[marks[0]] = True
    used, local = np.unique(triangles[ring], return_inverse=True)
    local, moving = local.reshape(-1, 3), points[used]
    steering_local = np.searchsorted(used, steering)
    if pairs is not None:
        mark_corners = np.searchsorted(used, triangles[marks[0]])
    for share in np.linspace(0, 1, ROUNDS):
        reach = meter * REACH[0] * (REACH[1] / REACH[0]) ** share
        at = moving[steering_local]
        goals, _, usable = nearest(at, vertex_normals(moving, local)[steering_local], reach)
        if usable.sum() < 20:
            raise _no_overlap()
        at, goals = at[usable], goals[usable]
        slack = np.full(len(at), SLACK[0] * (SLACK[1] / SLACK[0]) ** share)
        if pairs is not None:
            here = np.einsum("kc,kcx->kx", marks[1], moving[mark_corners])
            at, goals = np.concatenate([at, here]), np.concatenate([goals, goal])
            slack = np.concatenate([slack, np.full(len(here), 1e-3 if sure else 0.3)])
        moving = Warp(at, goals, slack)(moving)
    return Warp(points[steering], moving[steering_local], 1e-4)(points)


def near(target, points, margin):
    """The part of a Surface in the bounding box of `points`, with a margin. Raises TransferError where there is none."""
    low, high = points.min(0) - margin, points.max(0) + margin
    inside = ((target.points >= low) & (target.points <= high)).all(1)
    keep = inside[target.triangles].any(1)
    if not keep.any():
        raise _no_overlap()
    return target.part(keep)


def _no_overlap():
    return TransferError(
        "no_overlap",
        "The face and the mesh do not meet.",
        "Choose the head's own mesh, move the face onto it roughly, or place landmarks.",
    )


def vertex_normals(points, triangles):
    """Unit normals (V, 3), weighted by area."""
    corners = points[triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(points)
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(triangles[:, corner], normal[:, axis], len(points))
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)


class Nearest:
    """The nearest places of a Surface."""

    # Cosine between the two normals: the inside of a mouth or a lid is no match.
    ALIKE = 0.5

    def __init__(self, target):
        self._tree = target.tree()

    def __call__(self, points, normals, reach):
        """(found (K, 3), normals (K, 3), usable (K,) bool) of points with their own normals."""
        found, facing = np.array(points, float), np.zeros_like(points, dtype=float)
        usable = np.zeros(len(points), bool)
        for index, point in enumerate(points):
            place, normal, _, _ = self._tree.find_nearest(point, reach)
            if place is not None:
                found[index], facing[index], usable[index] = place, normal, True
        usable &= np.einsum("kx,kx->k", facing, normals) > self.ALIKE
        return found, facing, usable


def _rigidly(points, steering, triangles, nearest, meter):
    """The face moved, turned and scaled onto the surface, where that alone fits it; else None."""
    normals = vertex_normals(points, triangles)

    def look(moved):
        return nearest(moved, normals[steering], 0.12 * meter)

    # The normals are the start's: ICP begins near enough for the little that they are needed for.
    moved = similarity.onto_surface(points[steering], look)
    found, _, usable = look(moved)
    distance = np.linalg.norm(found - moved, axis=1)
    if usable.mean() < 0.8 or np.percentile(distance[usable], 80) > SAME_SHAPE * meter:
        return None
    return similarity.from_pairs(points[steering], moved)(points)


def _places(landmarks, points, triangles):
    """(triangles (K,), weights (K, 3)) where landmarks (K, 3) lie on a mesh."""
    tree = Surface(points, triangles, None, None).tree()
    found = [tree.find_nearest(landmark) for landmark in landmarks]
    owners = np.array([index for _, _, index, _ in found])
    return owners, barycentric(points[triangles[owners]], np.array([place for place, _, _, _ in found]))


def _spread(points, count):
    """Indices of `count` points far from one another (farthest point sampling), the same each time."""
    if len(points) <= count:
        return np.arange(len(points))
    chosen = np.empty(count, int)
    chosen[0] = np.argmax(np.linalg.norm(points - points.mean(0), axis=1))
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    for index in range(1, count):
        chosen[index] = np.argmax(distance)
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[index]], axis=1))
    return chosen
