# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds where on the fitted face the texels of another mesh take their detail from.

The target's triangles are split into pieces of a few millimeters; for each corner of a piece
the nearest point of the fitted face that looks the same way is found once. Between the corners the face's UVs
are interpolated, so the cost depends on the face's size and not on the texture's.
"""

from dataclasses import dataclass

import numpy as np

from ..numeric import raster, similarity
from ..numeric.deformation import deformed_tangents, relative_size
from ..numeric.detail_source import DetailSource
from ..numeric.subdivision import grid_keys
from ..numeric.texel_transfer import TexelSources
from ..numeric.uv_charts import charts
from ..numeric.vectors import unit
from ..numeric.world_surface import WorldSurface, barycentric, vertex_normals
from ..scene import turned_faces
from ..scene.triangle_tree import TriangleTree
from .errors import TransferError
from .pieces import near_pieces

# Meters of the face's own size.
PIECE = 0.0025
# Meters from the fitted face: beyond the first nothing is transferred, within the second all of the detail.
FAR, CLOSE = 0.010, 0.004
# The same for the cosine between the normals of the two surfaces.
TURNED, ALIGNED = 0.2, 0.6
# And for colors, which go on where the surfaces differ, as in the corner beside a nostril.
COLOR_TURNED, COLOR_ALIGNED = -0.95, -0.5
# A piece over which the face's UVs jump (from lip to lip) is stretched by more than this factor.
STRETCH = 6.0
# Meters: a target of the face's own shape, but coarser, has the face's normals within the second, its own beyond the
# first. Its vertices leave out forms that the relief does not hold, as those are the face's mesh's.
OTHER_SHAPE, SAME_SHAPE = 0.0015, 0.0005
# A target whose UV map lays a larger share of the face over other parts of it, farther apart than so many meters, would
# show a medley of both.
OVERLAP, APART = 0.15, 0.01
# A material slot with a smaller share of the detail than this takes none: an eyeball lies near the lids.
LEAST_SLOT = 0.05


def texel_sources(
    source: DetailSource,
    fitted: np.ndarray,
    target: WorldSurface,
    slots: np.ndarray,
    size: int,
    border: float = 0.02,
    seen_only: bool = False,
) -> TexelSources:
    """Find what each texel of a target takes from a face.

    fitted     (V, 3): where the face's vertices lie now
    target     a surface with UVs
    slots      (N,) the material slot of each of its triangles
    size       texels per side
    border     meters (of the face's own size) over which the detail fades out toward the face's border
    seen_only  leave out what the photo does not show

    Raises ValueError for a target without UVs, TransferError for one that is too dense or lays the face over itself.
    """
    if target.uvs is None:
        raise ValueError("The target has no UVs.")
    meter = source.meter * relative_size(source.surface.points, fitted)
    low, high = fitted.min(0) - FAR * meter, fitted.max(0) + FAR * meter
    corners = target.points[target.triangles]
    near = np.flatnonzero(((corners.max(1) >= low) & (corners.min(1) <= high)).all(1))
    tree = TriangleTree(fitted, source.surface.triangles)
    piece_owner, piece_share = near_pieces(corners[near], tree, FAR * meter, PIECE * meter)
    piece_owner = near[piece_owner]

    # Neighboring pieces share their corners: each is looked up once.
    points = np.einsum("kpc,kcx->kpx", piece_share, corners[piece_owner]).reshape(-1, 3)
    normals = np.einsum("kpc,kcx->kpx", piece_share, target.normals[piece_owner]).reshape(-1, 3)
    keys = grid_keys(points / (0.02 * PIECE * meter), normals * 20)
    _, first, back = np.unique(keys, return_index=True, return_inverse=True)
    found = _sample_face(source, fitted, tree, meter, points[first], normals[first], border, seen_only)
    back, points = back.reshape(-1, 3), points.reshape(-1, 3, 3)
    # A corner of a broken piece takes nothing, so that the detail fades out over the pieces around it. Colors go on.
    broken, shown = _broken(found.uv[back], points, meter), found.shown[back]
    found.weight[back[broken]] = 0
    weight = found.weight[back]

    area = np.linalg.norm(np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]), axis=1)
    amount = area * weight.mean(1)
    of_slot = np.bincount(slots[piece_owner], amount)
    keep = np.flatnonzero((shown.max(1) > 0) & (of_slot > LEAST_SLOT * of_slot.sum())[slots[piece_owner]])
    # Of pieces that share texels the last one stays: that of the part with most of the detail, which is the skin.
    keep = keep[np.argsort(_of_part(target.triangles[piece_owner[keep]], amount[keep]), kind="stable")]
    piece_owner, piece_share, back, weight = piece_owner[keep], piece_share[keep], back[keep], weight[keep]
    shown, broken = shown[keep], broken[keep]
    piece_uvs = np.einsum("kpc,kcx->kpx", piece_share, target.uvs[piece_owner])
    index, piece, inside = raster.cover(piece_uvs, size)
    _check_overlap(piece_uvs, points[keep].mean(1), amount[keep], index, piece, size, APART * meter)
    corner = back[piece]
    return TexelSources(
        size=size,
        index=index,
        covered=(raster.owners(target.uvs, size) >= 0).reshape(size, size),
        uv=np.einsum("kc,kcx->kx", inside, found.uv[corner]),
        weight=np.einsum("kc,kc->k", inside, weight[piece]),
        shown=np.einsum("kc,kc->k", inside, shown[piece]),
        broken=broken[piece],
        tangent=np.einsum("kc,kcx->kx", inside, found.tangent[corner]),
        sign=found.sign[corner[:, 0]],
        normal=np.einsum("kc,kcx->kx", inside, found.normal[corner]),
        owner=piece_owner[piece],
        share=np.einsum("kc,kcd->kd", inside, piece_share[piece]),
    )


def check_turned(source: DetailSource, fitted: np.ndarray, target: WorldSurface) -> None:
    """Raise TransferError for a target that is inside out in part where the face lies. Arguments: `texel_sources`."""
    reach = FAR * source.meter * relative_size(source.surface.points, fitted)
    share = turned_faces.turned_share(TriangleTree(fitted, source.surface.triangles), target, reach)
    if share:
        raise TransferError(
            "inside_out",
            f"Some faces of the mesh point inward, against their neighbors: {share:.0%} of those on the face.",
            "Recalculate them: Edit Mode, all selected > Mesh > Normals > Recalculate Outside.",
        )


@dataclass(frozen=True)
class _Found:
    """What K points of the target take from the face: uv (K, 2), weight and shown (K,), tangent (K, 3), sign (K,),
    normal (K, 3).

    shown, normal: see `TexelSources`.
    """

    uv: np.ndarray
    weight: np.ndarray
    shown: np.ndarray
    tangent: np.ndarray
    sign: np.ndarray
    normal: np.ndarray


def _sample_face(
    source: DetailSource,
    fitted: np.ndarray,
    tree: TriangleTree,
    meter: float,
    points: np.ndarray,
    normals: np.ndarray,
    border: float,
    seen_only: bool,
) -> _Found:
    """What points of the target take from the fitted face. tree: its triangles."""
    triangles, normals = source.surface.triangles, unit(normals)
    owner, point, distance, beside = _nearest(tree, points, normals, meter)
    corners = triangles[np.maximum(owner, 0)]
    share = barycentric(fitted[corners], point)

    def interpolate(values: np.ndarray) -> np.ndarray:
        return np.einsum("kc,kc...->k...", share, values[corners])

    facing = np.einsum("kx,kx->k", unit(interpolate(vertex_normals(fitted, triangles))), normals)
    trust = interpolate(source.confidence) if seen_only else 1.0
    inner = (
        _smooth_step(interpolate(source.border_distance), 0, max(border, 1e-6)) * (1 - interpolate(source.eyes)) * trust
    )
    moved = similarity.from_pairs(source.surface.points, fitted)
    same = np.abs(moved(source.surface.points) - fitted).max() < 1e-3 * PIECE * meter
    own = unit(np.einsum("kc,kcx->kx", share, source.surface.normals[np.maximum(owner, 0)])) @ moved.rotation.T
    tangents = deformed_tangents(source.tangent, source.surface.points, fitted, triangles)
    return _Found(
        interpolate(source.uv),
        inner * _smooth_step(distance / meter, FAR, CLOSE) * _smooth_step(facing, TURNED, ALIGNED),
        inner * _smooth_step(beside / meter, FAR, CLOSE) * _smooth_step(facing, COLOR_TURNED, COLOR_ALIGNED),
        interpolate(tangents),
        source.sign[corners[:, 0]],
        own * (same * _smooth_step(distance / meter, OTHER_SHAPE, SAME_SHAPE))[:, None],
    )


def _nearest(
    tree: TriangleTree, points: np.ndarray, normals: np.ndarray, meter: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What of a face is nearest to points, if possible of what looks their way.

    Returns (triangle (K,), point (K, 3), distance (K,), distance (K,) to the nearest that looks anywhere).
    """
    hits = tree.nearest(points, FAR * meter)
    owner, point, distance = hits.owner.copy(), hits.point.copy(), hits.distance.copy()
    facing = np.einsum("kx,kx->k", hits.normal, normals)
    # Farther away where the nearest looks back, as one lip of an open mouth does beside the other lip of the target.
    for most, reach in ((ALIGNED, CLOSE), (0, FAR)):
        away = np.flatnonzero(hits.found & (facing < most))
        other = tree.nearest_alike(points[away], normals[away], reach * meter, ALIGNED)
        at = away[other.found]
        owner[at], point[at] = other.owner[other.found], other.point[other.found]
        distance[at] = other.distance[other.found]
    return owner, point, distance, hits.distance


def _broken(uv: np.ndarray, points: np.ndarray, meter: float) -> np.ndarray:
    """(P,) bool: pieces over which the face's UVs jump. uv (P, 3, 2), points (P, 3, 3)."""
    uv_size = np.linalg.norm(uv - np.roll(uv, 1, axis=1), axis=2).max(1)
    size = np.linalg.norm(points - np.roll(points, 1, axis=1), axis=2).max(1) / meter
    typical = np.median(uv_size / np.maximum(size, 1e-12))
    return uv_size > STRETCH * typical * np.maximum(size, PIECE / 4)


def _check_overlap(
    uvs: np.ndarray,
    middles: np.ndarray,
    amount: np.ndarray,
    index: np.ndarray,
    piece: np.ndarray,
    size: int,
    apart: float,
) -> None:
    """Raise TransferError where many pieces share their texels with others elsewhere on the surface.

    uvs (P, 3, 2), middles (P, 3) and amount (P,) of the pieces; index, piece (T,): which piece each texel has.
    """
    if not len(index):
        return
    column, row = np.floor(uvs.mean(1) % 1 * size).astype(np.int64).T
    texel = np.clip(size - 1 - row, 0, size - 1) * size + np.clip(column, 0, size - 1)
    at = np.minimum(np.searchsorted(index, texel), len(index) - 1)
    other = (index[at] == texel) & (np.linalg.norm(middles[piece[at]] - middles, axis=1) > apart)
    share = float(amount[other].sum() / max(amount.sum(), 1e-30))
    if share > OVERLAP:
        raise TransferError(
            "uv_overlap",
            f"The UV map lays {share:.0%} of the face over other parts of it, as a Mirror modifier does.",
            "Apply the Mirror modifier, if there is one; then turn on UV Map for the Face, or unwrap the mesh again.",
        )


def _of_part(triangles: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """(P,) the sum of `amount` (P,) over the loose part that each piece, of a mesh's triangles (P, 3), belongs to."""
    if not len(triangles):
        return amount
    local = np.unique(triangles, return_inverse=True)[1].reshape(-1, 3)
    part = charts(local)
    return np.asarray(np.bincount(part, amount)[part])


def _smooth_step(values: np.ndarray, none: float, full: float) -> np.ndarray:
    """0 at `none`, 1 at `full` and beyond, smooth between (either may be the larger)."""
    t = np.clip((values - none) / (full - none), 0, 1)
    return t * t * (3 - 2 * t)
