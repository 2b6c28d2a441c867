# SPDX-License-Identifier: GPL-3.0-or-later
"""Coarser levels of the head's topology, of quads still: strips of quads are taken out (quad_collapse).

The vertices of each level are some of those of the level before, so that fits, shape keys and UVs hold for all. Lids,
lips and nostrils keep more of them than skull, neck and what is hidden.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from hffne.head.model import LODS, PARTS, SKIN, HeadMesh, HeadModel
from hffne.synthesis.quad_collapse import Guide, collapse
from hffne.synthesis.quad_mesh import Limits, QuadMesh, Wedges, components, pair_keys
from hffne.synthesis.quad_pairs import paired

# The share of a part's vertices at each level; the mouth is of one piece with the skin.
_SHARES: dict[str, dict[str, float]] = {
    "half": {
        SKIN: 0.5,
        "Gums and Tongue": 0.45,
        "Teeth": 0.48,
        "Eye": 0.5,
        "Iris": 0.5,
        "Tear Line": 0.6,
        "Eye Blend": 1.0,
        "Eye Occlusion": 0.6,
        "Lashes": 0.4,
    },
    "game": {
        SKIN: 0.232,
        "Gums and Tongue": 0.185,
        "Teeth": 0.23,
        "Eye": 0.25,
        "Iris": 0.25,
        "Tear Line": 0.4,
        "Eye Blend": 1.0,
        "Eye Occlusion": 0.6,
        "Lashes": 0.2,
    },
}
# Their strips are short and crooked. A piece that is still larger than its share by the first of these factors is taken
# apart into triangles, and these are joined to quads again; of these sizes the one with the fewest triangles is used.
_ENOUGH = 1.3, 1.24, 1.18, 1.12, 1.06, 1.0
_CROOKED = ("Teeth",)
_LOOSE = Limits(sine=0.08, uv_sine=0.01, convex=0.0, facing=0.0)
# The length of edges (a share of the model's own there) and the distance (m) that cost as much, near the lids, lips and
# nostrils, and elsewhere; the distances (m) of "near" and "elsewhere".
_NEAR, _FAR = (1.0, 0.0003, 0.008), (1.7, 0.001, 0.06)
# Borders keep their corners: there the distance is this share.
_BORDER = 0.4
# The eyes stay round, most of all where an eyeball's two surfaces are close to each other: meters, share of the gap.
_BALL_TOLERANCE, _GAP_TOLERANCE = 0.00003, 0.05
# The same where nothing is seen from outside, even with an open mouth: in the sockets and the mouth, at roots.
_HIDDEN = 3.0, 0.0012
_MOUTH = "Gums and Tongue", "Teeth"
# What one sees through.
_CLEAR = ("Eye Left", "Eye Right", "Tear Line", "Eye Blend", "Eye Occlusion", "Lashes")
_BALLS = "Eye Left", "Eye Right", "Iris Left", "Iris Right"
_LANDMARKS = slice(31, 68)
# Expressions whose folds and openings are kept, too.
_POSES = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthSmileRight", "mouthPucker")


def coarser(model: HeadModel, names: Iterable[str]) -> HeadModel:
    """The model with the levels of detail `names`, each with fewer vertices than the one before."""
    full = model.mesh
    wedges, corners = Wedges.of(full.quads, full.uvs)
    fine = QuadMesh(corners, np.arange(len(corners)), wedges, np.zeros(0, np.int64))
    fine = replace(fine, lines=_lines(model, fine))
    guide = _guide(model, fine)
    pieces = [fine.part(faces) for faces in _pieces(model)]
    counts = [len(piece.used) for piece in pieces]
    lods = dict(model.lods)
    for name in LODS[1:]:
        if name in names:
            shares = [_share(name, full, piece) for piece in pieces]
            pieces = [
                _reduced(piece, guide, round(share * count), _part(full, piece) in _CROOKED)
                for piece, share, count in zip(pieces, shares, counts, strict=True)
            ]
            lods[name] = _head_mesh(full, [paired(piece, guide) for piece in pieces])
    return replace(model, lods=lods)


def _reduced(piece: QuadMesh, guide: Guide, count: int, crooked: bool) -> QuadMesh:
    """A piece with about `count` vertices; more if it cannot be made smaller soundly."""
    if not crooked:
        return collapse(piece, guide, count)
    loose = replace(guide, limits=_LOOSE)
    piece = collapse(piece, loose, count)
    if len(piece.used) <= _ENOUGH[0] * count:
        return paired(piece, loose)
    taken = piece.triangulated(guide.poses[0])
    joined = []
    for more in _ENOUGH:
        taken = collapse(taken, loose, round(more * count))
        joined.append(paired(taken, loose))
    return min(reversed(joined), key=lambda mesh: (mesh.corners[:, 3] < 0).sum())


def _share(name: str, full: HeadMesh, piece: QuadMesh) -> float:
    return _SHARES[name][_part(full, piece).removesuffix(" Left").removesuffix(" Right")]


def _part(full: HeadMesh, piece: QuadMesh) -> str:
    """The first of a piece's parts."""
    return PARTS[full.quad_parts[piece.faces].min()]


def _pieces(model: HeadModel) -> list[np.ndarray]:
    """The faces (n,) of each connected piece, with those of its mirror image."""
    quads = model.mesh.quads
    vertices = np.arange(len(model.neutral))
    there = quads >= 0
    ends = np.broadcast_to(quads[:, :1], quads.shape)[there], quads[there]
    piece = components(len(vertices), np.concatenate([vertices, ends[0]]), np.concatenate([model.mirror, ends[1]]))[
        quads[:, 0]
    ]
    return [np.flatnonzero(piece == number) for number in np.unique(piece)]


def _lines(model: HeadModel, fine: QuadMesh) -> np.ndarray:
    """`pair_keys` of the edges of borders, seams, the parts' borders and the middle of the face."""
    start, end = fine.half_edges
    keys = pair_keys(start, end)
    part = np.repeat(model.mesh.quad_parts, (fine.corners >= 0).sum(1))
    sides = np.unique(np.stack([keys, part.astype(np.int64)], 1), axis=0)
    parts = sides[:-1, 0][sides[1:, 0] == sides[:-1, 0]]
    middle = keys[(model.mirror[start] == start) & (model.mirror[end] == end)]
    return np.unique(np.concatenate([fine.border(), fine.seams(), parts, middle]))


def _guide(model: HeadModel, fine: QuadMesh) -> Guide:
    neutral = model.neutral.astype(float)
    poses = [neutral, *(neutral + model.expressions.dense(name, len(neutral)) for name in _POSES)]
    length, tolerance = _density(model, fine)
    return Guide(
        poses=np.stack(poses),
        size=length,
        tolerance=tolerance,
        normals=_normals(model),
        mirror=model.mirror.astype(np.int64),
        sign=_uv_sign(model.mesh),
    )


def _density(model: HeadModel, fine: QuadMesh) -> tuple[np.ndarray, np.ndarray]:
    """The length (V,) of edges and the distance (V,) from the surface, in meters, that cost as much."""
    from scipy.spatial import cKDTree

    neutral = model.neutral.astype(float)
    count = len(neutral)
    keys, _ = fine.edges
    a, b = keys >> 32, keys & 0xFFFFFFFF
    edge = np.linalg.norm(neutral[a] - neutral[b], axis=1)
    ends, degree = np.concatenate([a, b]), np.bincount(np.concatenate([a, b]), minlength=count)
    length = np.bincount(ends, np.tile(edge, 2), minlength=count) / np.maximum(degree, 1)
    for _ in range(4):
        around = np.bincount(ends, length[np.concatenate([b, a])], minlength=count) / np.maximum(degree, 1)
        length = (length + around) / 2
    landmarks = model.at_landmarks(neutral)[_LANDMARKS]
    away = np.min([np.linalg.norm(neutral - point, axis=1) for point in landmarks], axis=0)
    t = np.clip((away - _NEAR[2]) / (_FAR[2] - _NEAR[2]), 0, 1)
    factor, tolerance = (_NEAR[i] + t * (_FAR[i] - _NEAR[i]) for i in (0, 1))
    border = fine.border()
    tolerance[np.concatenate([border >> 32, border & 0xFFFFFFFF])] *= _BORDER
    hidden = ~_seen(model)
    hidden[np.setdiff1d(model.part_vertices["Mouth"], model.part_vertices[SKIN])] = True
    hidden &= np.bincount(ends, ~hidden[np.concatenate([b, a])], minlength=count) == 0
    for name in (*_CLEAR, *_BALLS):
        # The eyeballs turn, so that any side of them may be seen.
        hidden[model.part_vertices[name]] = False
    for name, other in zip(_BALLS, _BALLS[2:] + _BALLS[:2], strict=True):
        vertices = model.part_vertices[name]
        gap = cKDTree(neutral[model.part_vertices[other]]).query(neutral[vertices])[0]
        tolerance[vertices] = np.minimum(_BALL_TOLERANCE, _GAP_TOLERANCE * gap)
        factor[vertices] = _NEAR[0]
    return length * np.where(hidden, _HIDDEN[0], factor), np.where(hidden, _HIDDEN[1], tolerance)


def _seen(model: HeadModel) -> np.ndarray:
    """Whether (V,) a vertex is seen from somewhere, with a closed or an open mouth; teeth and gums without the lips."""
    around = _directions(np.arange(0, 360, 20), (-40, -20, 0, 20, 40, 70))
    ahead = _directions(np.arange(-60, 61, 20), (-30, 0, 30))
    opaque = np.setdiff1d(PARTS, _CLEAR)
    opened = model.expressions.add(model.neutral, {"jawOpen": 1.0})
    seen = np.zeros(len(model.neutral), bool)
    for points, parts, directions in (
        (model.neutral, opaque, around),
        (opened, opaque, around),
        (opened, _MOUTH, ahead),
    ):
        seen |= _seen_from(model, points, parts, directions)
    return seen


def _directions(yaw: Iterable[float], pitch: Iterable[float]) -> np.ndarray:
    """Unit vectors (n, 3) toward all combinations of yaw and pitch, in degrees; zero is straight ahead."""
    a, b = (one.ravel() for one in np.meshgrid(np.radians(list(yaw)), np.radians(list(pitch))))
    return np.stack([np.sin(a) * np.cos(b), np.sin(b), np.cos(a) * np.cos(b)], 1).astype(np.float32)


def _seen_from(model: HeadModel, points: np.ndarray, parts: Iterable[str], directions: np.ndarray) -> np.ndarray:
    """Whether (V,) a vertex is seen from any direction (n, 3), and is of the parts, which are there alone."""
    from hffne.synthesis.rays import RayScene

    numbers = [PARTS.index(name) for name in parts]
    scene = RayScene(points, model.mesh.triangles[np.isin(model.mesh.triangle_parts, numbers)])
    normals = _normals(model).astype(np.float32)
    there = np.zeros(len(points), bool)
    there[np.concatenate([model.part_vertices[name] for name in parts])] = True
    seen = np.zeros(len(points), bool)
    for toward in directions:
        facing = np.flatnonzero((normals @ toward > 0) & there & ~seen)
        seen[facing[~scene.blocked(points[facing] + np.float32(2e-4) * normals[facing], toward)]] = True
    return seen


def _normals(model: HeadModel) -> np.ndarray:
    """Unit normals (V, 3) of the full model at rest."""
    triangles, points = model.mesh.triangles, model.neutral.astype(float)
    a, b, c = points[triangles].transpose(1, 0, 2)
    face = np.cross(b - a, c - a)
    total = np.stack([np.bincount(triangles.ravel(), np.repeat(face[:, k], 3), len(points)) for k in range(3)], 1)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)


def _uv_sign(mesh: HeadMesh) -> np.ndarray:
    """1 or -1 (Q,): the sign of each face's area in its UVs."""
    last = np.where(mesh.quads[:, 3:] >= 0, mesh.uvs[:, 3], mesh.uvs[:, 0])
    a, b = mesh.uvs[:, 2] - mesh.uvs[:, 0], last - mesh.uvs[:, 1]
    return np.where(a[:, 0] * b[:, 1] < a[:, 1] * b[:, 0], -1, 1)


def _head_mesh(full: HeadMesh, pieces: list[QuadMesh]) -> HeadMesh:
    """The pieces as one level of detail."""
    quads = np.concatenate([piece.quads for piece in pieces])
    corners = np.concatenate([piece.corners for piece in pieces])
    faces = np.concatenate([piece.faces for piece in pieces])
    order = np.argsort(faces, kind="stable")
    quads, corners, faces = quads[order], corners[order], faces[order]
    vertices = np.unique(quads[quads >= 0])
    uvs = np.where((corners >= 0)[..., None], pieces[0].wedges.uv[corners], 0)
    return HeadMesh(
        vertices.astype(np.int32),
        np.where(quads >= 0, np.searchsorted(vertices, quads), -1).astype(np.int32),
        uvs.astype(np.float32),
        full.quad_parts[faces],
    )
