# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the surfaces of a head pass through each other: lids and eyeballs, upper and lower lip, lips and teeth."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from hffne.head.eyes import ball_surface, eyes
from hffne.head.lips import lips
from hffne.head.model import FACE_END, PARTS, head_model

# Meters: beyond this a point is not on the other side of a surface but elsewhere; and how far beside a surface's sample
# it may lie.
_REACH, _BESIDE = 0.004, 0.0012
_MOUTH = 0.045
# Teeth lower than this (meters in the neutral head) are roots, below the gums.
_ROOTS = -0.054


@dataclass(frozen=True)
class Depths:
    """How deep, in millimeters: lids in the eyeballs, the upper lip in the lower one, teeth in the lips."""

    lids: float
    lips: float
    teeth: float


def depths(points: np.ndarray) -> Depths:
    """The Depths of a head (V, 3), meters, head axes (x right, y up, z out of the face). Needs scipy."""
    parts = _parts()
    lids = max(
        -float(ball_surface(points, eye.ball).gaps(points[eye.around[eye.around < FACE_END]])[0].min())
        for eye in eyes()
    )
    deepest_lip = _deepest(points, parts.upper_lip, parts.lower_surface, limited=True)
    return Depths(
        max(lids, 0) * 1000, deepest_lip * 1000, _deepest(points, parts.crowns, parts.mouth, limited=False) * 1000
    )


def lid_slit(points: np.ndarray) -> float:
    """The median distance of the upper lid's rim to the lower lid, the wider eye's, in millimeters."""
    from scipy.spatial import cKDTree

    mesh, slits = head_model().mesh, []
    for eye in eyes():
        below = mesh.triangles[np.isin(mesh.triangles, eye.blink.around_second).all(1)]
        share = [(i / 6, j / 6, 1 - i / 6 - j / 6) for i in range(7) for j in range(7 - i)]
        surface = np.concatenate([np.einsum("tkx,k->tx", points[below], weights) for weights in share])
        slits.append(float(np.median(cKDTree(surface).query(points[eye.blink.first])[0])))
    return max(slits) * 1000


@dataclass(frozen=True)
class _Parts:
    """upper_lip, crowns: vertices; lower_surface, mouth: triangles (t, 3)."""

    upper_lip: np.ndarray
    lower_surface: np.ndarray
    crowns: np.ndarray
    mouth: np.ndarray


@cache
def _parts() -> _Parts:
    model = head_model()
    mesh, points = model.mesh, model.neutral
    soft = mesh.triangles[np.isin(mesh.triangle_parts, [PARTS.index("Skin"), PARTS.index("Mouth")])]
    middle = model.at_landmarks(points)[[62, 66]].mean(0)
    near = np.linalg.norm(points - middle, axis=1) < _MOUTH
    lower = np.linalg.norm(model.expressions.dense("jawOpen", len(points)), axis=1) > 0.003
    mouth = soft[near[soft].all(1)]
    teeth = model.part_vertices["Teeth"]
    teeth = teeth[points[teeth, 2] > 0.06]
    gums = mesh.triangles[mesh.triangle_parts == PARTS.index("Gums and Tongue")]
    outside = (_signed(points, teeth, mouth, _BESIDE) > -0.0002) & (_signed(points, teeth, gums, np.inf) > 0)
    return _Parts(
        np.setdiff1d(np.unique(soft[(near & ~lower)[soft].all(1)]), lips().second),
        soft[(near & lower)[soft].all(1)],
        teeth[outside & (points[teeth, 1] > _ROOTS)],
        mouth,
    )


def _deepest(points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, limited: bool) -> float:
    signed = _signed(points, vertices, triangles, _BESIDE, _REACH if limited else np.inf)
    return max(0.0, -float(signed.min()))


def _signed(
    points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, beside: float, reach: float = np.inf
) -> np.ndarray:
    """Distances (n,) of vertices from a surface, negative behind it; 0 for those that lie beside it or out of reach."""
    from scipy.spatial import cKDTree

    a, b, c = np.moveaxis(points[triangles].astype(np.float64), 1, 0)
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    whole = length > 1e-10
    normal = normal[whole] / length[whole, None]
    samples = [(a + b + c) / 3] + [(4 * p + q + r) / 6 for p, q, r in ((a, b, c), (b, c, a), (c, a, b))]
    places = np.concatenate([one[whole] for one in samples])
    distance, index = cKDTree(places).query(points[vertices])
    offset = points[vertices] - places[index]
    signed = (offset * np.tile(normal, (4, 1))[index]).sum(1)
    lateral = np.sqrt(np.maximum(distance**2 - signed**2, 0))
    return np.where((lateral < beside) & (distance < reach), signed, 0.0)
