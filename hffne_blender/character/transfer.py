# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds where on the fitted face the texels of another mesh take their detail from.

The target's triangles are split into pieces of a few millimeters; for each corner of a piece
the nearest point of the fitted face is found once. Between the corners the face's UVs
are interpolated, so the cost depends on the face's size and not on the texture's.
"""

import numpy as np

from ..numeric import raster
from ..numeric.deformation import deformed_tangents, relative_size
from ..numeric.detail_source import DetailSource
from ..numeric.subdivision import grid_keys, split_triangles
from ..numeric.texel_transfer import TexelSources
from ..numeric.vectors import unit
from ..numeric.world_surface import WorldSurface, barycentric, vertex_normals
from ..scene import turned_faces
from ..scene.triangle_tree import TriangleTree
from .errors import TransferError

# Meters of the face's own size.
PIECE = 0.0025
# Meters from the fitted face: beyond the first nothing is transferred, within the second all of the detail.
FAR, CLOSE = 0.010, 0.004
# The same for the cosine between the normals of the two surfaces.
TURNED, ALIGNED = 0.2, 0.6
# A piece over which the face's UVs jump (from lip to lip) is stretched by more than this factor.
STRETCH = 6.0


def texel_sources(
    source: DetailSource,
    fitted: np.ndarray,
    target: WorldSurface,
    size: int,
    border: float = 0.02,
    seen_only: bool = False,
) -> TexelSources:
    """Find what each texel of a target takes from a face.

    fitted     (V, 3): where the face's vertices lie now
    target     a surface with UVs
    size       texels per side
    border     meters (of the face's own size) over which the detail fades out toward the face's border
    seen_only  leave out what the photo does not show

    Raises ValueError for a target without UVs.
    """
    if target.uvs is None:
        raise ValueError("The target has no UVs.")
    meter = source.meter * relative_size(source.surface.points, fitted)
    low, high = fitted.min(0) - FAR * meter, fitted.max(0) + FAR * meter
    corners = target.points[target.triangles]
    near = np.flatnonzero(((corners.max(1) >= low) & (corners.min(1) <= high)).all(1))
    piece_owner, piece_share = split_triangles(corners[near], PIECE * meter)
    piece_owner = near[piece_owner]

    # Neighboring pieces share their corners: each is looked up once.
    points = np.einsum("kpc,kcx->kpx", piece_share, corners[piece_owner]).reshape(-1, 3)
    normals = np.einsum("kpc,kcx->kpx", piece_share, target.normals[piece_owner]).reshape(-1, 3)
    keys = grid_keys(points / (0.02 * PIECE * meter), normals * 20)
    _, first, back = np.unique(keys, return_index=True, return_inverse=True)
    uv, weight, tangents, sign = _sample_face(source, fitted, meter, points[first], normals[first], border, seen_only)
    back = back.reshape(-1, 3)
    weight = weight[back] * _unbroken(uv[back], points.reshape(-1, 3, 3), meter)[:, None]

    keep = weight.max(1) > 0
    piece_owner, piece_share, back, weight = piece_owner[keep], piece_share[keep], back[keep], weight[keep]
    piece_uvs = np.einsum("kpc,kcx->kpx", piece_share, target.uvs[piece_owner])
    index, piece, inside = raster.cover(piece_uvs, size)
    corner = back[piece]
    return TexelSources(
        size=size,
        index=index,
        covered=(raster.owners(target.uvs, size) >= 0).reshape(size, size),
        uv=np.einsum("kc,kcx->kx", inside, uv[corner]),
        weight=np.einsum("kc,kc->k", inside, weight[piece]),
        tangent=np.einsum("kc,kcx->kx", inside, tangents[corner]),
        sign=sign[corner[:, 0]],
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


def _sample_face(
    source: DetailSource,
    fitted: np.ndarray,
    meter: float,
    points: np.ndarray,
    normals: np.ndarray,
    border: float,
    seen_only: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(uv (K, 2), weight (K,), tangent (K, 3), sign (K,)) of the fitted face nearest to points of the target."""
    triangles = source.surface.triangles
    hits = TriangleTree(fitted, triangles).nearest(points, FAR * meter)
    corners = triangles[np.maximum(hits.owner, 0)]
    share = barycentric(fitted[corners], hits.point)

    def interpolate(values: np.ndarray) -> np.ndarray:
        return np.einsum("kc,kc...->k...", share, values[corners])

    facing = np.einsum("kx,kx->k", unit(interpolate(vertex_normals(fitted, triangles))), unit(normals))
    trust = interpolate(source.confidence) if seen_only else 1.0
    weight = (
        _smooth_step(interpolate(source.border_distance), 0, max(border, 1e-6))
        * _smooth_step(hits.distance / meter, FAR, CLOSE)
        * _smooth_step(facing, TURNED, ALIGNED)
        * (1 - interpolate(source.eyes))
        * trust
    )
    tangents = deformed_tangents(source.tangent, source.surface.points, fitted, triangles)
    return interpolate(source.uv), weight, interpolate(tangents), source.sign[corners[:, 0]]


def _unbroken(uv: np.ndarray, points: np.ndarray, meter: float) -> np.ndarray:
    """(P,) bool: pieces over which the face's UVs run evenly. uv (P, 3, 2), points (P, 3, 3)."""
    uv_size = np.linalg.norm(uv - np.roll(uv, 1, axis=1), axis=2).max(1)
    size = np.linalg.norm(points - np.roll(points, 1, axis=1), axis=2).max(1) / meter
    typical = np.median(uv_size / np.maximum(size, 1e-12))
    return uv_size <= STRETCH * typical * np.maximum(size, PIECE / 4)


def _smooth_step(values: np.ndarray, none: float, full: float) -> np.ndarray:
    """0 at `none`, 1 at `full` and beyond, smooth between (either may be the larger)."""
    t = np.clip((values - none) / (full - none), 0, 1)
    return t * t * (3 - 2 * t)
