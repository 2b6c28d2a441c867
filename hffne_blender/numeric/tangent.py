# SPDX-License-Identifier: GPL-3.0-or-later
"""Normal maps between object space and tangent space (MikkTSpace), on a UV layout.

A baker would do the same by tracing rays. The texture already holds the normal of
each texel, so only the tangent frame of each texel is needed, and numpy is enough.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from . import raster
from .png import decode_normal
from .uv_tiles import wrapped
from .vectors import unit

# Texels by which each UV island is extended.
MARGIN = 16
# A texel whose normal lies behind the surface cannot be shaded: its z is raised to this.
LEAST_Z = 0.05
# Texels handled at once: their intermediate values stay in a core's cache.
_CHUNK = 1 << 15
_THREADS = min(4, os.cpu_count() or 1)

# (tangents (K, 3), normals (K, 3), bitangent signs (K,), vectors (K, 3)) -> vectors (K, 3)
_Change = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class CornerFrames:
    """The tangent frames of a mesh at the corners of its N triangles, object space.

    uv       (N, 3, 2)
    tangent  (N, 3, 3) unit, along u
    normal   (N, 3, 3) unit
    sign     (N, 3) of the bitangent: it is sign * cross(normal, tangent)
    """

    uv: np.ndarray
    tangent: np.ndarray
    normal: np.ndarray
    sign: np.ndarray

    def in_first_tile(self) -> "CornerFrames":
        """The same with UVs beyond 0..1 moved there, where the texture repeats; see `uv_tiles.wrapped`."""
        uv, source = wrapped(self.uv)
        if uv is self.uv:
            return self
        return CornerFrames(uv, self.tangent[source], self.normal[source], self.sign[source])

    def reversed(self) -> "CornerFrames":
        """The same with the corners of each triangle in the opposite order."""
        return CornerFrames(self.uv[:, ::-1], self.tangent[:, ::-1], self.normal[:, ::-1], self.sign[:, ::-1])


def to_tangent_space(frames: CornerFrames, object_normal: np.ndarray, margin: int = MARGIN) -> np.ndarray:
    """The tangent-space normal map of object-space normals.

    object_normal  (T, T, 3) float, unit, or uint16 as `png.encode_normal` codes them; row 0 at v = 1
    margin         texels by which each island is extended beyond its border

    Returns (T, T, 3) float32 unit vectors: x along the tangent (u), y along the bitangent (v, so green is up as in
    OpenGL), z along the normal. Texels that no triangle covers are (0, 0, 1), except for the margin. Runs on several
    threads.
    """
    return _convert(frames, object_normal, solve, margin)


def to_object_space(frames: CornerFrames, tangent_normal: np.ndarray, margin: int = MARGIN) -> np.ndarray:
    """The inverse of `to_tangent_space`: (T, T, 3) tangent-space normals to object-space ones, as shaders do it."""
    return _convert(frames, tangent_normal, _combine, margin)


def _convert(frames: CornerFrames, normals: np.ndarray, change: _Change, margin: int) -> np.ndarray:
    """Apply `change` to the normals (T, T, 3) of all covered texels, then extend the islands."""
    size = len(normals)
    frames = frames.in_first_tile()
    owner = raster.owners(frames.uv, size)
    texels = np.flatnonzero(owner >= 0)
    table = _linear_functions(frames, size)
    coded = normals.dtype == np.uint16
    source = np.ascontiguousarray(normals, None if coded else np.float32).reshape(-1, 3)
    result = np.zeros((size * size, 3), np.float32)
    result[:, 2] = 1

    def convert_chunk(start: int) -> None:
        part = texels[start : start + _CHUNK]
        value = table.take(owner[part], axis=1)
        row, col = np.divmod(part, size)
        col, row = col.astype(np.float32) - value[0], row.astype(np.float32) - value[1]
        value = value[2:9] + col * value[9:16] + row * value[16:23]
        # Neither vector is normalized after interpolation: that is how MikkTSpace is decoded.
        result[part] = change(
            value[:3].T, value[3:6].T, value[6], decode_normal(source[part]) if coded else source[part]
        )

    with ThreadPoolExecutor(_THREADS) as pool:
        # A list, so that an error in a thread is raised here.
        list(pool.map(convert_chunk, range(0, len(texels), _CHUNK)))
    covered = (owner >= 0).reshape(size, size)
    result = result.reshape(size, size, 3)
    extended = covered.copy()
    raster.extend(result, extended, margin)
    extended &= ~covered
    result[extended] = unit(result[extended])
    return result


def _linear_functions(frames: CornerFrames, size: int) -> np.ndarray:
    """Tangent, normal and sign as linear functions of a texel's position, one column per triangle: (23, N) float32.

    Rows: the first corner's column and row; 7 values there; their change per column; their change per row.
    """
    corner = raster.pixel_corners(frames.uv, size)
    slope_x, slope_y, _ = raster.weight_slopes(corner)
    value = np.concatenate([frames.tangent, frames.normal, frames.sign[..., None]], 2)
    rows = [corner[:, 0], value[:, 0]]
    rows += [np.einsum("nc,ncx->nx", slope, value) for slope in (slope_x, slope_y)]
    return np.ascontiguousarray(np.concatenate(rows, 1).T, np.float32)


def solve(tangent: np.ndarray, normal: np.ndarray, sign: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The (x, y, z) with x T + y B + z N along `target`, where B = sign N x T; unit length, (K, 3).

    tangent, normal, target  (K, 3); fastest where each column is contiguous
    sign                     (K,)

    Cramer's rule, with the triple products written as dot products.
    """
    t, n, wanted = tangent.T, normal.T, np.ascontiguousarray(target.T)
    tt, nn, tn = _dot(t, t), _dot(n, n), _dot(t, n)
    along_t, along_n = _dot(wanted, t), _dot(wanted, n)
    cross = np.stack([n[1] * t[2] - n[2] * t[1], n[2] * t[0] - n[0] * t[2], n[0] * t[1] - n[1] * t[0]])
    # A degenerate frame (a triangle without area in UV) has no tangent space: leave it flat.
    flat = np.abs(sign) * (tt * nn - tn * tn) <= 1e-9
    local = np.empty((3, len(sign)), np.result_type(t, wanted))
    local[0] = along_t * nn - along_n * tn
    local[1] = _dot(wanted, cross) / np.where(flat, 1, sign)
    local[2] = along_n * tt - along_t * tn
    local[:, flat] = [[0], [0], [1]]
    local /= np.maximum(np.sqrt(_dot(local, local)), 1e-12)
    behind = np.flatnonzero(local[2] < LEAST_Z)
    if len(behind):
        raised = local[:, behind]
        raised[2] = LEAST_Z
        local[:, behind] = raised / np.sqrt(_dot(raised, raised))
    return local.T


def _combine(tangent: np.ndarray, normal: np.ndarray, sign: np.ndarray, local: np.ndarray) -> np.ndarray:
    """x T + y B + z N of `local` (K, 3), unit length."""
    bitangent = np.cross(normal, tangent) * sign[:, None]
    return unit(local[:, :1] * tangent + local[:, 1:2] * bitangent + local[:, 2:] * normal)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Dot products (K,) of columns (3, K)."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
