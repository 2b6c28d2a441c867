# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the surfaces of a head pass through each other: lids and eyeballs, upper and lower lip, lips and teeth."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from hffne.head.eyes import SIDES, eyes
from hffne.head.lips import AROUND
from hffne.head.model import FACE_END, PARTS, head_model
from hffne.head.mouth import mouth
from hffne.head.surface import vertex_normals

# Meters: beyond this a point is not on the other side of a surface but elsewhere.
_REACH = 0.01
# Where triangles are looked for, shares of their corners; how many of them; and meters between equal distances.
_SHARES = ((1 / 3, 1 / 3, 1 / 3), (2 / 3, 1 / 6, 1 / 6), (1 / 6, 2 / 3, 1 / 6), (1 / 6, 1 / 6, 2 / 3))
_CANDIDATES, _TIE = 24, 1e-7
# Meters: shallower places need no second look; how far before its own surface a place is looked at.
_DOUBTFUL, _BEFORE = 0.0002, 1e-5
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
    lids = min(
        float(signed_distances(points[eye.around[eye.around < FACE_END]], points, ball).min())
        for eye, ball in zip(eyes(), parts.balls, strict=True)
    )
    # A little before the lip, for on its own surface a place is half enclosed.
    lip = points[parts.upper_lip] + _BEFORE * vertex_normals(points)[parts.upper_lip]
    crowns = points[parts.crowns]
    lips, teeth = (
        _in_flesh(signed_distances(places, points, other), places, points, parts.flesh)
        for places, other in ((lip, parts.lower_lip), (crowns, parts.mouth))
    )
    return Depths(max(-lids, 0) * 1000, _deepest(lips) * 1000, _deepest(teeth) * 1000)


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
    """upper_lip, crowns: vertices; lower_lip, mouth, flesh: triangles (t, 3), the last all of the skin's and the
    mouth's; balls: those of the left and the right eye."""

    upper_lip: np.ndarray
    lower_lip: np.ndarray
    crowns: np.ndarray
    mouth: np.ndarray
    flesh: np.ndarray
    balls: tuple[np.ndarray, np.ndarray]


@cache
def _parts() -> _Parts:
    model = head_model()
    mesh, points = model.mesh, model.neutral
    soft = mesh.triangles[np.isin(mesh.triangle_parts, [PARTS.index("Skin"), PARTS.index("Mouth")])]
    middle = model.at_landmarks(points)[[62, 66]].mean(0)
    near = np.linalg.norm(points - middle, axis=1) < _MOUTH
    inner = soft[near[soft].all(1)]
    teeth = model.part_vertices["Teeth"]
    teeth = teeth[points[teeth, 2] > 0.06]
    gums = mesh.triangles[mesh.triangle_parts == PARTS.index("Gums and Tongue")]
    outside = (signed_distances(points[teeth], points, inner) > -0.0002) & (
        signed_distances(points[teeth], points, gums) > 0
    )
    around = mouth()
    lip, lower = (np.zeros(len(points), bool) for _ in range(2))
    lip[around.vertices] = around.to_lips < AROUND
    lower[around.vertices] = around.lower
    balls = [mesh.triangles[mesh.triangle_parts == PARTS.index(f"Eye {side}")] for side in SIDES]
    return _Parts(
        np.flatnonzero(lip & ~lower),
        soft[(lip & lower)[soft].all(1)],
        teeth[outside & (points[teeth, 1] > _ROOTS)],
        inner,
        soft,
        (balls[0], balls[1]),
    )


def _deepest(signed: np.ndarray) -> float:
    return max(0.0, -float(signed[np.abs(signed) < _REACH].min(initial=0)))


def _in_flesh(signed: np.ndarray, places: np.ndarray, points: np.ndarray, flesh: np.ndarray) -> np.ndarray:
    """Signed distances (n,) of places (n, 3), 0 instead of negative for a place that is not in the flesh (t, 3): where
    a surface folds into itself, nearest points have the wrong side."""
    result, doubtful = signed.copy(), np.flatnonzero(signed < -_DOUBTFUL)
    outside = winding_numbers(places[doubtful], points, flesh) < 0.5
    result[doubtful[outside]] = 0
    return result


def winding_numbers(places: np.ndarray, points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Generalized winding numbers (n,) of places (n, 3) (Jacobson et al. 2013, eq. 5): how often a surface, points
    (V, 3) and triangles (t, 3), encloses them. It may have holes and pass through itself."""
    result = np.zeros(len(places))
    corners = points[triangles].astype(np.float64)
    for index, place in enumerate(places.astype(np.float64)):
        a, b, c = np.moveaxis(corners - place, 1, 0)
        la, lb, lc = (np.linalg.norm(side, axis=1) for side in (a, b, c))
        volume = (a * np.cross(b, c)).sum(1)
        angle = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
        result[index] = np.arctan2(volume, angle).sum() / (2 * np.pi)
    return result


def signed_distances(places: np.ndarray, points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Distances (n,) of places (n, 3) from the nearest point of a surface, negative behind it.

    points (V, 3), triangles (t, 3): the surface. 0 where the nearest point is at its border, which has no sides.
    """
    from scipy.spatial import cKDTree

    corners = points[triangles].astype(np.float64)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-15)
    samples = np.concatenate([np.einsum("tkx,k->tx", corners, share) for share in _SHARES])
    nearest = cKDTree(samples).query(places, _CANDIDATES)[1] % len(triangles)
    foot = _closest(places.astype(np.float64)[:, None], corners[nearest])
    offset = places[:, None] - foot
    distance = np.linalg.norm(offset, axis=2)
    least = distance.min(1)
    # At an edge or a corner the mean of the adjacent triangles' normals tells the sides apart (Baerentzen 2005).
    tied = distance < least[:, None] + _TIE
    first = np.take_along_axis(offset, distance.argmin(1)[:, None, None], 1)[:, 0]
    side = np.sign((first * (normal[nearest] * tied[..., None]).sum(1)).sum(1))
    at_border = (_border(triangles)[nearest] & tied).any(1)
    return np.where(at_border, 0.0, side * least)


def _closest(places: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The points (..., 3) of triangles (..., 3, 3) that are nearest to places (..., 3)."""
    a, b, c = np.moveaxis(corners, -2, 0)
    e, f, p = b - a, c - a, places - a
    ee, ef, ff = ((x * y).sum(-1) for x, y in ((e, e), (e, f), (f, f)))
    pe, pf = (p * e).sum(-1), (p * f).sum(-1)
    area = np.maximum(ee * ff - ef * ef, 1e-30)
    s, t = (ff * pe - ef * pf) / area, (ee * pf - ef * pe) / area
    inside = (s >= 0) & (t >= 0) & (s + t <= 1)
    options = [a + s[..., None] * e + t[..., None] * f]
    for start, end in ((a, b), (b, c), (c, a)):
        along = end - start
        share = ((places - start) * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-30)
        options.append(start + np.clip(share, 0, 1)[..., None] * along)
    distance = np.stack([np.linalg.norm(places - option, axis=-1) for option in options])
    distance[0][~inside] = np.inf
    return np.take_along_axis(np.stack(options), distance.argmin(0)[None, ..., None], 0)[0]


def _border(triangles: np.ndarray) -> np.ndarray:
    """(t,) bool: triangles that have a vertex at the surface's border."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edge, count = np.unique(edges, axis=0, return_counts=True)
    return np.isin(triangles, edge[count == 1]).any(1)
