# SPDX-License-Identifier: GPL-3.0-or-later
"""Object-space normals to a tangent-space normal map, with the tangents of `Mesh.calc_tangents`.

A baker would do the same by tracing rays; the texture already holds the normal of
each texel, so only the frame of each texel is needed, and numpy is enough.
"""

import numpy as np

from . import raster

MARGIN = 16
# A texel whose normal lies behind the surface cannot be shaded: keep it a little in front.
LEAST_Z = 0.05
_CHUNK = 1 << 18


def tangent_space(mesh, uv_name, object_normal, margin=MARGIN):
    """The tangent-space normal map of a mesh with quads or triangles.

    mesh           a bpy Mesh with smooth shading and a UV map named `uv_name`
    object_normal  (T, T, 3) float, unit normals in object space, row 0 at v = 1
    margin         texels by which each island is carried on beyond its rim

    Returns (T, T, 3) float32 unit vectors: x along the tangent (u), y along the
    bitangent (v, so green is up as in OpenGL), z along the normal. Texels that no
    face covers are (0, 0, 1), but for a margin around each island.
    """
    return _convert(mesh, uv_name, object_normal, _solve, margin)


def object_space(mesh, uv_name, tangent_normal, margin=MARGIN):
    """The inverse of `tangent_space`: (T, T, 3) tangent-space normals to object-space ones, as shaders do."""
    return _convert(mesh, uv_name, tangent_normal, _apply, margin)


def _convert(mesh, uv_name, normals, change, margin):
    size = len(normals)
    corners, frames = corner_frames(mesh, uv_name)
    texels, owners, weights = raster.cover(corners["uv"], size)

    source = np.asarray(normals).reshape(-1, 3)
    result = np.zeros((size * size, 3), np.float32)
    result[:, 2] = 1
    for start in range(0, len(texels), _CHUNK):
        part = slice(start, start + _CHUNK)
        owner, weight = owners[part], weights[part]
        # Neither is normalised after interpolation: that is how MikkTSpace is decoded.
        normal = np.einsum("kc,kcx->kx", weight, frames["normal"][owner])
        tangent = np.einsum("kc,kcx->kx", weight, frames["tangent"][owner])
        sign = np.einsum("kc,kc->k", weight, frames["sign"][owner])
        result[texels[part]] = change(tangent, normal, sign, source[texels[part]])
    covered = np.zeros(size * size, bool)
    covered[texels] = True

    result = result.reshape(size, size, 3)
    raster.grow(result, covered.reshape(size, size), margin)
    result /= np.linalg.norm(result, axis=2, keepdims=True)
    return result


def _apply(tangent, normal, sign, local):
    """x T + y B + z N of `local` (K, 3), unit length."""
    bitangent = np.cross(normal, tangent) * sign[:, None]
    result = local[:, :1] * tangent + local[:, 1:2] * bitangent + local[:, 2:] * normal
    return result / np.maximum(np.linalg.norm(result, axis=1, keepdims=True), 1e-12)


def _solve(tangent, normal, sign, target):
    """The (x, y, z) with x T + y B + z N along `target`, by Cramer's rule; unit length, (K, 3)."""
    bitangent = np.cross(normal, tangent) * sign[:, None]
    cross_bn = np.cross(bitangent, normal)
    determinant = np.einsum("kx,kx->k", tangent, cross_bn)
    # A degenerate frame (a face without area in UV) has no tangent space: leave it flat.
    sound = np.abs(determinant) > 1e-9
    scale = 1 / np.where(sound, determinant, 1)
    local = np.stack(
        [
            np.einsum("kx,kx->k", target, cross_bn) * scale,
            np.einsum("kx,kx->k", target, np.cross(normal, tangent)) * scale,
            np.einsum("kx,kx->k", target, np.cross(tangent, bitangent)) * scale,
        ],
        axis=1,
    )
    local[~sound] = (0, 0, 1)
    local /= np.maximum(np.linalg.norm(local, axis=1, keepdims=True), 1e-12)
    behind = local[:, 2] < LEAST_Z
    if behind.any():
        local[behind, 2] = LEAST_Z
        local[behind] /= np.linalg.norm(local[behind], axis=1, keepdims=True)
    return local


def corner_frames(mesh, uv_name):
    """({"uv": (N, 3, 2)}, {"normal", "tangent": (N, 3, 3), "sign": (N, 3)}) of the N loop triangles."""
    mesh.calc_loop_triangles()
    loops = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("loops", loops)
    loops = loops.reshape(-1, 3)

    uv = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[uv_name].uv.foreach_get("vector", uv)

    mesh.calc_tangents(uvmap=uv_name)
    try:
        tangent = np.empty(len(mesh.loops) * 3, np.float32)
        mesh.loops.foreach_get("tangent", tangent)
        sign = np.empty(len(mesh.loops), np.float32)
        mesh.loops.foreach_get("bitangent_sign", sign)
        normal = np.empty(len(mesh.loops) * 3, np.float32)
        mesh.loops.foreach_get("normal", normal)
    finally:
        mesh.free_tangents()
    return {"uv": uv.reshape(-1, 2)[loops]}, {
        "tangent": tangent.reshape(-1, 3)[loops].astype(np.float64),
        "normal": normal.reshape(-1, 3)[loops].astype(np.float64),
        "sign": sign[loops].astype(np.float64),
    }
