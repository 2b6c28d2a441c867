# SPDX-License-Identifier: GPL-3.0-or-later
"""Object-space normals to a tangent-space normal map, with the tangents of `Mesh.calc_tangents`.

A baker would do the same by tracing rays; the texture already holds the normal of
each texel, so only the frame of each texel is needed, and numpy is enough. Only
`corner_frames` and `corner_tangents` touch Blender; the rest may run on any thread.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from . import raster

MARGIN = 16
# A texel whose normal lies behind the surface cannot be shaded: keep it a little in front.
LEAST_Z = 0.05
# Texels at once: what is computed of them stays in a core's cache.
_CHUNK = 1 << 14
_THREADS = min(4, os.cpu_count() or 1)


def tangent_space(mesh, uv_name, object_normal, margin=MARGIN):
    """The tangent-space normal map of a mesh with quads or triangles.

    mesh           a bpy Mesh with smooth shading and a UV map named `uv_name`
    object_normal  (T, T, 3) float, unit normals in object space, row 0 at v = 1
    margin         texels by which each island is carried on beyond its rim

    Returns (T, T, 3) float32 unit vectors: x along the tangent (u), y along the
    bitangent (v, so green is up as in OpenGL), z along the normal. Texels that no
    face covers are (0, 0, 1), but for a margin around each island.
    """
    return convert(corner_frames(mesh, uv_name), object_normal, margin=margin)


def object_space(mesh, uv_name, tangent_normal, margin=MARGIN):
    """The inverse of `tangent_space`: (T, T, 3) tangent-space normals to object-space ones, as shaders do."""
    return convert(corner_frames(mesh, uv_name), tangent_normal, _apply, margin)


def convert(frames, normals, change=None, margin=MARGIN):
    """The same from what `corner_frames` has read of the mesh; numpy only, on several threads.

    change  what is done with each texel: `solve` (the default) or a function of its kind
    """
    change = change or solve
    size = len(normals)
    owner = raster.owners(frames[0]["uv"], size)
    texels = np.flatnonzero(owner >= 0)
    table = _planes(*frames, size)
    source = np.ascontiguousarray(normals, np.float32).reshape(-1, 3)
    result = np.zeros((size * size, 3), np.float32)
    result[:, 2] = 1

    def work(start):
        part = texels[start : start + _CHUNK]
        value = table.take(owner[part], axis=1)
        row, col = np.divmod(part, size)
        col, row = col.astype(np.float32) - value[0], row.astype(np.float32) - value[1]
        value = value[2:9] + col * value[9:16] + row * value[16:23]
        # Neither is normalized after interpolation: that is how MikkTSpace is decoded.
        result[part] = change(value[:3].T, value[3:6].T, value[6], source[part])

    with ThreadPoolExecutor(_THREADS) as pool:
        # A list, so that an error in a thread is raised here.
        list(pool.map(work, range(0, len(texels), _CHUNK)))
    covered = (owner >= 0).reshape(size, size)
    result = result.reshape(size, size, 3)
    grown = covered.copy()
    raster.grow(result, grown, margin)
    grown &= ~covered
    rim = result[grown]
    result[grown] = rim / np.maximum(np.linalg.norm(rim, axis=1, keepdims=True), 1e-12)
    return result


def _planes(corners, frames, size):
    """Tangent, normal and sign as linear functions of a texel's place, a column for each triangle: (23, N) float32.

    Rows: the first corner's column and row; 7 values there; what they gain a column; and a row.
    """
    corner = raster.pixel_corners(corners["uv"], size)
    slope_x, slope_y, _ = raster.weight_slopes(corner)
    value = np.concatenate([frames["tangent"], frames["normal"], frames["sign"][..., None]], 2)
    rows = [corner[:, 0], value[:, 0]]
    rows += [np.einsum("nc,ncx->nx", slope, value) for slope in (slope_x, slope_y)]
    return np.ascontiguousarray(np.concatenate(rows, 1).T, np.float32)


def solve(tangent, normal, sign, target):
    """The (x, y, z) with x T + y B + z N along `target`, where B = sign N x T; unit length, (K, 3).

    tangent, normal, target  (K, 3); fastest where each column lies in one piece
    sign                     (K,)

    Cramer's rule, with the triple products written as dot products.
    """
    t, n, wanted = tangent.T, normal.T, np.ascontiguousarray(target.T)
    tt, nn, tn = _dot(t, t), _dot(n, n), _dot(t, n)
    along_t, along_n = _dot(wanted, t), _dot(wanted, n)
    cross = [n[1] * t[2] - n[2] * t[1], n[2] * t[0] - n[0] * t[2], n[0] * t[1] - n[1] * t[0]]
    # A degenerate frame (a face without area in UV) has no tangent space: leave it flat.
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


def _apply(tangent, normal, sign, local):
    """x T + y B + z N of `local` (K, 3), unit length."""
    bitangent = np.cross(normal, tangent) * sign[:, None]
    result = local[:, :1] * tangent + local[:, 1:2] * bitangent + local[:, 2:] * normal
    return result / np.maximum(np.linalg.norm(result, axis=1, keepdims=True), 1e-12)


def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def corner_frames(mesh, uv_name):
    """({"uv": (N, 3, 2)}, {"normal", "tangent": (N, 3, 3), "sign": (N, 3)}) of the N loop triangles."""
    mesh.calc_loop_triangles()
    loops = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("loops", loops)
    loops = loops.reshape(-1, 3)

    uv = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[uv_name].uv.foreach_get("vector", uv)

    tangent, sign = corner_tangents(mesh, uv_name)
    normal = np.empty(len(mesh.loops) * 3, np.float32)
    mesh.corner_normals.foreach_get("vector", normal)
    return {"uv": uv.reshape(-1, 2)[loops]}, {
        "tangent": tangent[loops],
        "normal": normal.reshape(-1, 3)[loops].astype(np.float64),
        "sign": sign[loops],
    }


def corner_tangents(mesh, uv_name):
    """MikkTSpace's tangents (L, 3) and bitangent signs (L,) of a mesh's loops, float64, object space."""
    mesh.calc_tangents(uvmap=uv_name)
    try:
        tangent = np.empty(len(mesh.loops) * 3, np.float32)
        mesh.loops.foreach_get("tangent", tangent)
        sign = np.empty(len(mesh.loops), np.float32)
        mesh.loops.foreach_get("bitangent_sign", sign)
    finally:
        mesh.free_tangents()
    return tangent.reshape(-1, 3).astype(np.float64), sign.astype(np.float64)
