# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits the generated face to another head: which point of one corresponds to which point of the other.

First by a similarity transform; where that fits everywhere (a retopology of the same face) it is
the result, which is exact. Otherwise landmarks deform the face roughly; then, round by round and
with less and less stiffness, its surface is drawn onto the nearest surface of the head.
"""

import numpy as np

from ..numeric import similarity
from ..numeric.detail_source import DetailSource
from ..numeric.warp import Warp
from ..numeric.world_surface import WorldSurface, barycentric, farthest_points, vertex_normals
from ..scene.triangle_tree import TriangleTree
from .errors import TransferError

# Control points of the deformation, and its rounds.
CONTROLS = 450
ROUNDS = 10
# Meters of the face's own size. A similarity that fits this closely everywhere means the same shape.
SAME_SHAPE = 0.0004
# The head's vertices by which a fit is judged: about so many, and no fewer than so many.
VERTICES, FEWEST_VERTICES = 4000, 30
# Meters. Points nearer than this to the face's border (hair, neck) are no control points.
BORDER = 0.006
# Meters by which a point may be drawn, in the first round and in the last.
REACH = 0.030, 0.006
# Slack of the control points (see `warp.Warp`), in the first round and in the last.
SLACK = 0.5, 0.03
# Least cosine between the normals of two points that correspond: the inside of a mouth or a lid does not.
ALIKE = 0.5
# Meters of the head around the face that take part in the fit.
MARGIN = 0.08
FEWEST_LANDMARKS = 3

LandmarkPairs = tuple[np.ndarray, np.ndarray]


def fit(
    source: DetailSource, target: WorldSurface, pairs: LandmarkPairs | None = None, exact: bool = True
) -> np.ndarray:
    """Deform a face onto a head.

    target  the head's triangles, near the face at least
    pairs   (from (K, 3), to (K, 3)) of landmarks in world space, or None: the face already lies
            on the head, roughly
    exact   whether landmarks are met exactly (a person placed them) or nearly (they were detected)

    Returns (V, 3): the new positions of the face's vertices. Raises TransferError when the two do not overlap, the head
    is inside out or the landmarks are unusable.
    """
    meter, points = source.meter, source.surface.points
    triangles = source.surface.triangles
    landmarks = None
    if pairs is not None:
        first = _similarity(pairs)
        meter, points = meter * first.scale, first(points)
        landmarks = first(np.asarray(pairs[0], float)), np.asarray(pairs[1], float)
    nearest = _Nearest(nearby(target, points, MARGIN * meter))
    controls = np.flatnonzero((source.border_distance > BORDER) & (source.eyes < 0.5))
    controls = controls[farthest_points(points[controls], CONTROLS)]
    if nearest.opposed(points[controls], vertex_normals(points, triangles)[controls], REACH[0] * meter):
        raise TransferError(
            "inside_out",
            "The mesh is inside out: its normals point inward.",
            "Recalculate them: Edit Mode > Mesh > Normals > Recalculate Outside.",
        )

    moved = _fit_similarity(points, controls, triangles, nearest, meter)
    if moved is not None:
        return moved
    return _deform(points, triangles, controls, nearest, meter, landmarks, exact)


def _similarity(pairs: LandmarkPairs) -> similarity.Similarity:
    start, goal = (np.asarray(side, float) for side in pairs)
    if len(start) < FEWEST_LANDMARKS:
        raise TransferError(
            "few_landmarks", f"{len(start)} landmarks are too few.", f"Place {FEWEST_LANDMARKS} or more of them."
        )
    first = similarity.from_pairs(start, goal)
    if not np.isfinite(first.scale) or first.scale <= 0:
        raise TransferError("bad_landmarks", "The landmarks lie in one place.", "Move them onto the head's features.")
    return first


def _deform(
    points: np.ndarray,
    triangles: np.ndarray,
    controls: np.ndarray,
    nearest: "_Nearest",
    meter: float,
    landmarks: LandmarkPairs | None,
    exact: bool,
) -> np.ndarray:
    """The new positions (V, 3) of points after the rounds of deformation."""
    # The rounds move only the control points and the vertices that their normals need.
    ring = np.isin(triangles, controls).any(1)
    before = points
    if landmarks is not None:
        points = Warp(*landmarks, 1e-4 if exact else 0.05)(points)
        owners, weights = _locate(landmarks[0], before, triangles)
        ring[owners] = True
    used, local = np.unique(triangles[ring], return_inverse=True)
    local, moving = local.reshape(-1, 3), points[used]
    local_controls = np.searchsorted(used, controls)
    for share in np.linspace(0, 1, ROUNDS):
        reach = meter * REACH[0] * (REACH[1] / REACH[0]) ** share
        at = moving[local_controls]
        goals, _, usable = nearest(at, vertex_normals(moving, local)[local_controls], reach)
        if usable.sum() < 20:
            raise _no_overlap()
        at, goals = at[usable], goals[usable]
        slack = np.full(len(at), SLACK[0] * (SLACK[1] / SLACK[0]) ** share)
        if landmarks is not None:
            corners = moving[np.searchsorted(used, triangles[owners])]
            here = np.einsum("kc,kcx->kx", weights, corners)
            at, goals = np.concatenate([at, here]), np.concatenate([goals, landmarks[1]])
            slack = np.concatenate([slack, np.full(len(here), 1e-3 if exact else 0.3)])
        moving = Warp(at, goals, slack)(moving)
    return Warp(points[controls], moving[local_controls], 1e-4)(points)


def nearby(target: WorldSurface, points: np.ndarray, margin: float) -> WorldSurface:
    """The part of a surface in the bounding box of `points`, with a margin. Raises TransferError where it is empty."""
    low, high = points.min(0) - margin, points.max(0) + margin
    inside = ((target.points >= low) & (target.points <= high)).all(1)
    keep = inside[target.triangles].any(1)
    if not keep.any():
        raise _no_overlap()
    return target.select(keep)


def _no_overlap() -> TransferError:
    return TransferError(
        "no_overlap",
        "The face and the mesh do not overlap.",
        "Choose the head's own mesh, move the face onto it roughly, or place landmarks.",
    )


class _Nearest:
    """The nearest points of a surface whose normals agree with those of the queries. points: its vertices (V, 3)."""

    def __init__(self, target: WorldSurface):
        self.points = target.points
        self._tree = TriangleTree(target.points, target.triangles)

    def __call__(
        self, points: np.ndarray, normals: np.ndarray, reach: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(nearest points (K, 3), their normals (K, 3), usable (K,) bool) for points and normals (K, 3)."""
        hits = self._tree.nearest(points, reach)
        usable = hits.found & (np.einsum("kx,kx->k", hits.normal, normals) > ALIKE)
        return hits.point, hits.normal, usable

    def opposed(self, points: np.ndarray, normals: np.ndarray, reach: float) -> bool:
        """Whether the surface at most of the points (K, 3) looks against their normals (K, 3)."""
        hits = self._tree.nearest(points, reach)
        cosines = np.einsum("kx,kx->k", hits.normal, normals)[hits.found]
        return len(cosines) >= 20 and bool(np.median(cosines) < 0)


def _fit_similarity(
    points: np.ndarray, controls: np.ndarray, triangles: np.ndarray, nearest: _Nearest, meter: float
) -> np.ndarray | None:
    """The points moved by a similarity onto the surface, where that alone fits it; else None."""
    # Those of the start suffice: ICP begins near enough.
    normals = vertex_normals(points, triangles)[controls]

    def nearest_points(moved: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return nearest(moved, normals, 0.12 * meter)

    moved = similarity.onto_surface(points[controls], nearest_points)
    found, _, usable = nearest_points(moved)
    distance = np.linalg.norm(found - moved, axis=1)
    step = similarity.from_pairs(points[controls], moved)
    # The facets of a coarse head draw the face aside, along its own surface. The head's vertices lie on that surface:
    # where they do so already, and not better afterwards, the face stays where it is.
    face, vertices = TriangleTree(points, triangles), nearest.points[:: max(1, len(nearest.points) // VERTICES)]
    before, after = (_typical_distance(face, at, 0.012 * meter) for at in (vertices, step.inverse(vertices)))
    if before <= min(SAME_SHAPE * meter, after):
        return points
    if usable.mean() < 0.8 or np.percentile(distance[usable], 80) > SAME_SHAPE * meter:
        return None
    return step(points)


def _typical_distance(tree: TriangleTree, points: np.ndarray, reach: float) -> float:
    """The distance from a surface that most of those points (K, 3) have that lie within reach; infinite for few."""
    hits = tree.nearest(points, reach)
    return float(np.percentile(hits.distance[hits.found], 80)) if hits.found.sum() >= FEWEST_VERTICES else np.inf


def _locate(landmarks: np.ndarray, points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(triangles (K,), barycentric weights (K, 3)) of the nearest points of a mesh to landmarks (K, 3)."""
    hits = TriangleTree(points, triangles).nearest(landmarks)
    return hits.owner, barycentric(points[triangles[hits.owner]], hits.point)
