# SPDX-License-Identifier: GPL-3.0-or-later
"""Detail from the fitted face to the texels of another mesh.

The target's triangles are cut into pieces of a few millimeters; each corner of a piece
asks once for the nearest place of the fitted face. Between the corners the face's UVs
are interpolated, so the cost depends on the face's size and not on the texture's.
"""

from dataclasses import dataclass

import numpy as np

from ..numeric import raster, tangent
from ..numeric.slope_field import sample
from . import fit as fitting
from .surface import barycentric

# Meters of the face's own size.
PIECE = 0.0025
MOST_CUTS = 24
# Beyond the first distance from the fitted face nothing is carried over, within the second all.
FAR, CLOSE = 0.010, 0.004
# The same for the cosine between the two surfaces.
TURNED, ALIGNED = 0.2, 0.6
# A piece over which the face's UVs jump (from lip to lip) is stretched by more than this.
STRETCH = 6.0
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Texels:
    """What the target's texels take from the face.

    size     texels a side
    index    (K,) flat texel indices; covered (size, size) bool: all islands of the target
    uv       (K, 2) where on the face's textures
    weight   (K,) 0..1
    tangent  (K, 3) the face's tangent as it lies on the target, world space; sign (K,)
    owner    (K,) the target's triangle; share (K, 3) the weights of its corners
    """

    size: int
    index: np.ndarray
    covered: np.ndarray
    uv: np.ndarray
    weight: np.ndarray
    tangent: np.ndarray
    sign: np.ndarray
    owner: np.ndarray
    share: np.ndarray


def texels(source, fitted, target, size, border=0.02, seen_only=False):
    """Find what each texel of a target takes: Texels.

    source   character.source.Source; fitted (V, 3): where its vertices lie now
    target   character.surface.Surface with UVs
    border   meters (of the face's own size) over which the detail fades out towards the face's border
    seen_only  leave out what the photo did not show
    """
    shape = source.surface
    meter = source.meter * growth(shape.points, fitted)
    low, high = fitted.min(0) - FAR * meter, fitted.max(0) + FAR * meter
    corners = target.points[target.triangles]
    meets = ((corners.max(1) >= low) & (corners.min(1) <= high)).all(1)
    owners = np.flatnonzero(meets)
    piece_owner, piece_share = _cut(corners[owners], PIECE * meter)
    piece_owner = owners[piece_owner]

    # Each corner of a piece once: neighbors share theirs.
    points = np.einsum("kpc,kcx->kpx", piece_share, corners[piece_owner]).reshape(-1, 3)
    normals = np.einsum("kpc,kcx->kpx", piece_share, target.normals[piece_owner]).reshape(-1, 3)
    _, first, back = np.unique(
        _keys(points / (0.02 * PIECE * meter), normals * 20), return_index=True, return_inverse=True
    )
    uv, weight, tangents, sign = _look(source, fitted, meter, points[first], normals[first], border, seen_only)
    back = back.reshape(-1, 3)
    weight = weight[back] * _whole(uv[back], points.reshape(-1, 3, 3), meter)[:, None]

    everything, _, _ = raster.cover(target.uvs, size)
    covered = np.zeros(size * size, bool)
    covered[everything] = True
    keep = weight.max(1) > 0
    piece_owner, piece_share, back, weight = piece_owner[keep], piece_share[keep], back[keep], weight[keep]
    uv_pieces = np.einsum("kpc,kcx->kpx", piece_share, target.uvs[piece_owner])
    index, piece, bary = raster.cover(uv_pieces, size)
    corner = back[piece]
    return Texels(
        size=size,
        index=index,
        covered=covered.reshape(size, size),
        uv=np.einsum("kc,kcx->kx", bary, uv[corner]),
        weight=np.einsum("kc,kc->k", bary, weight[piece]),
        tangent=np.einsum("kc,kcx->kx", bary, tangents[corner]),
        sign=sign[corner[:, 0]],
        owner=piece_owner[piece],
        share=np.einsum("kc,kcd->kd", bary, piece_share[piece]),
    )


def normal_map(found, detail, frames, matrix):
    """The tangent-space normal map (T, T, 3) float32 of a target, row 0 at v = 1.

    found   Texels; detail: numeric.slope_field.Detail
    frames  the corners of the target's triangles, the second of what `tangent.corner_frames` gives; matrix: its object's
    """
    size = found.size
    result = np.zeros((size * size, 3), np.float32)
    result[:, 2] = 1
    matrix = np.array(matrix, float)[:3, :3]
    if np.linalg.det(matrix) < 0:
        frames = {name: values[:, ::-1] for name, values in frames.items()}
    # Shading normals go with the inverse transpose; its inverse takes them back.
    to_world = np.linalg.inv(matrix)
    slopes = detail.slopes_at(found.uv, _texel_step(found)) * found.weight[:, None]
    for start in range(0, len(found.index), _CHUNK):
        part = slice(start, start + _CHUNK)
        owner, share = found.owner[part], found.share[part]
        normal = np.einsum("kc,kcx->kx", share, frames["normal"][owner])
        along = np.einsum("kc,kcx->kx", share, frames["tangent"][owner])
        sign = np.einsum("kc,kc->k", share, frames["sign"][owner])
        up = _unit(normal @ to_world)
        east = found.tangent[part]
        east = _unit(east - up * np.einsum("kx,kx->k", east, up)[:, None])
        north = np.cross(up, east) * found.sign[part, None]
        wanted = up + slopes[part, :1] * east + slopes[part, 1:] * north
        result[found.index[part]] = tangent.solve(along, normal, sign, wanted @ matrix)
    result = result.reshape(size, size, 3)
    raster.grow(result, found.covered.copy(), tangent.MARGIN)
    return result / np.linalg.norm(result, axis=2, keepdims=True)


def plane_map(found, plane):
    """Values (T, T, 1) on the face's textures carried over to the target's texels, faded; 0 elsewhere."""
    size = found.size
    result = np.zeros((size * size, 1), np.float32)
    result[found.index] = sample(plane, found.uv) * found.weight[:, None]
    result = result.reshape(size, size, 1)
    raster.grow(result, found.covered.copy(), tangent.MARGIN)
    return result


def _look(source, fitted, meter, points, normals, border, seen_only):
    """(uv (K, 2), weight (K,), tangent (K, 3), sign (K,)) of points of the target."""
    shape = source.surface
    tree = type(shape)(fitted, shape.triangles, shape.normals, None).tree()
    owners, places = np.zeros(len(points), int), np.array(points)
    distance = np.full(len(points), np.inf)
    for index, point in enumerate(points):
        place, _, owner, far = tree.find_nearest(point, FAR * meter)
        if place is not None:
            owners[index], places[index], distance[index] = owner, place, far
    corners = shape.triangles[owners]
    share = barycentric(fitted[corners], places)

    def between(values):
        return np.einsum("kc,kc...->k...", share, values[corners])

    facing = np.einsum("kx,kx->k", _unit(between(fitting.vertex_normals(fitted, shape.triangles))), _unit(normals))
    trust = between(source.confidence) if seen_only else 1.0
    weight = (
        _smooth(between(source.rim), 0, max(border, 1e-6))
        * _smooth(distance / meter, FAR, CLOSE)
        * _smooth(facing, TURNED, ALIGNED)
        * (1 - between(source.eyes))
        * trust
    )
    tangents = _bent(source.tangent, shape.points, fitted, shape.triangles)
    return between(source.uv), weight, between(tangents), source.sign[corners[:, 0]]


def _bent(tangent_, before, after, triangles):
    """Tangents (V, 3) as the bending of the triangles takes them along."""
    old, new = _edges(before, triangles), _edges(after, triangles)
    # In each triangle: edges before -> edges after, normal -> normal.
    bend = np.matmul(new, np.linalg.inv(old))
    area = np.linalg.norm(np.cross(old[..., 0], old[..., 1]), axis=1)
    total = np.zeros_like(tangent_)
    for corner in range(3):
        moved = np.einsum("nxy,ny->nx", bend, tangent_[triangles[:, corner]]) * area[:, None]
        for axis in range(3):
            total[:, axis] += np.bincount(triangles[:, corner], moved[:, axis], len(total))
    return _unit(total)


def _edges(points, triangles):
    """(N, 3, 3): columns are two edges and the unit normal."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    # A triangle without area gets a frame all the same; it has no weight.
    flat = length[:, 0] < 1e-20
    frame = np.stack([b - a, c - a, normal / np.maximum(length, 1e-20)], axis=2)
    frame[flat] = np.eye(3)
    return frame


def _cut(corners, step):
    """Triangles (N, 3, 3) cut into pieces with edges up to about `step`.

    Returns (owner (P,), share (P, 3, 3)): of which triangle each piece is, and the
    barycentric weights (last axis) of its three corners.
    """
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    cuts = np.clip(np.ceil(longest / step), 1, MOST_CUTS).astype(int)
    owners, shares = [], []
    for count in np.unique(cuts):
        members = np.flatnonzero(cuts == count)
        pattern = _pattern(int(count))
        owners.append(np.repeat(members, len(pattern)))
        shares.append(np.tile(pattern, (len(members), 1, 1)))
    return np.concatenate(owners), np.concatenate(shares)


def _pattern(count):
    """The (count ** 2, 3, 3) barycentric corners of a triangle's even pieces, with its own winding."""
    pieces = []
    for i in range(count):
        for j in range(count - i):
            pieces.append([(i, j), (i + 1, j), (i, j + 1)])
            if i + j < count - 1:
                pieces.append([(i + 1, j), (i + 1, j + 1), (i, j + 1)])
    second_third = np.array(pieces, float) / count
    return np.concatenate([1 - second_third.sum(2, keepdims=True), second_third], axis=2)


def _whole(uv, points, meter):
    """(P,) bool: pieces over which the face's UVs run evenly."""
    uv_size = np.linalg.norm(uv - np.roll(uv, 1, axis=1), axis=2).max(1)
    size = np.linalg.norm(points - np.roll(points, 1, axis=1), axis=2).max(1) / meter
    typical = np.median(uv_size / np.maximum(size, 1e-12))
    return uv_size <= STRETCH * typical * np.maximum(size, PIECE / 4)


def _texel_step(found):
    """How far (in UV of the face's textures) one texel of the target typically reaches."""
    size = found.size
    neighbors = np.flatnonzero(np.diff(found.index) == 1)
    neighbors = neighbors[found.weight[neighbors] > 0]
    if not len(neighbors):
        return 1 / size
    return float(np.median(np.linalg.norm(found.uv[neighbors + 1] - found.uv[neighbors], axis=1)))


def _keys(points, normals):
    """A number (K,) for each place and direction: the same for what rounds to the same (a hash, far faster than rows)."""
    whole = np.rint(np.concatenate([points, normals], axis=1)).astype(np.int64).astype(np.uint64)
    factors = np.array(
        [
            0x9E3779B97F4A7C15,
            0xC2B2AE3D27D4EB4F,
            0x165667B19E3779F9,
            0x27D4EB2F165667C5,
            0x85EBCA77C2B2AE63,
            0xD6E8FEB86659FD93,
        ],
        np.uint64,
    )
    return (whole * factors).sum(1, dtype=np.uint64)


def growth(before, after):
    """How much larger the fitted face is, whatever has become of a few of its vertices."""
    sizes = [np.median(np.linalg.norm(points - np.median(points, axis=0), axis=1)) for points in (before, after)]
    return float(sizes[1] / sizes[0])


def _smooth(values, none, full):
    """0 at `none`, 1 at `full` and beyond, smooth between (either may be the larger)."""
    t = np.clip((values - none) / (full - none), 0, 1)
    return t * t * (3 - 2 * t)


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
