# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals of a face for another mesh's texels, without a render: numpy, and rays only where they are needed.

Blender's baker shoots a ray for each texel and shades what it hits. Here the normals lie in a texture already;
what is needed is only which point of the face lies over which texel. That changes smoothly, so rays go out on a
coarse grid of texels, and texel by texel only where the grid straddles an edge.
"""

import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from ..numeric import raster, tangent
from ..scene import detail_nodes

# Rays of the coarse grid; a texture of 512 has a ray a texel.
GRID = 256
# A jump of this much UV between neighboring rays is an edge of something.
JUMP = 0.03


class NothingHit(ValueError):
    """The two meshes do not lie over one another."""


def normals_of_face(obj):
    """The face's own normals as its sliders make them: (T, T, 3) float32, object space."""
    skin = obj.data.materials[0]
    return tangent.object_space(obj.data, uv_name(obj), detail_nodes.mixed(skin))


def uv_name(obj):
    """The UV map that a mesh is baked over: the one of its render. Raises ValueError without one."""
    layers = obj.data.uv_layers
    if not layers:
        raise ValueError(f"The mesh '{obj.name}' has no UV map.")
    return next((layer.name for layer in layers if layer.active_render), layers[0].name)


def bake(source, target, size, extrusion, distance, margin, object_space):
    """The normal map of `target` with the detail of the face `source`: (size, size, 3) float32.

    extrusion, distance  meters: where rays start above the target, and how far they go (0: to the other side)
    Raises ValueError for a mesh without UVs, NothingHit when no ray hits.
    """
    normals = normals_of_face(source)
    if target == source:
        picked = _unit(_resized(normals, size))
    else:
        picked = _carried(source, target, normals, size, extrusion, distance)
    local = tangent.tangent_space(target.data, uv_name(target), picked, margin)
    # Taking the way back keeps the margin, which the tangent frame has beyond no texel.
    if not object_space:
        return local
    covered = tangent.object_space(target.data, uv_name(target), local, margin)
    return covered.astype(np.float32)


def _carried(source, target, normals, size, extrusion, distance):
    triangles = _Triangles(source)
    grid = min(size, GRID)
    to_source = np.array(source.matrix_world.inverted() @ target.matrix_world)
    texels, points, directions = _texels(target, grid, to_source)
    scale = source.matrix_world.to_scale().x
    reach = (extrusion / scale, (distance or 2 * extrusion) / scale)
    coarse = np.full((grid * grid, 2), np.nan)
    coarse[texels] = triangles.shoot(points, directions, *reach)
    if np.isnan(coarse).all():
        raise NothingHit(f"No ray from '{target.name}' hits '{source.name}': lay one over the other.")
    found = coarse
    if grid < size:
        texels, points, directions = _texels(target, size, to_source)
        found = np.full((size * size, 2), np.nan)
        found[texels] = _between(coarse.reshape(grid, grid, 2), texels, size)
        left = np.isnan(found[texels, 0])
        found[texels[left]] = triangles.shoot(points[left], directions[left], *reach)
    hit = np.flatnonzero(~np.isnan(found[:, 0]))
    to_target = np.array((target.matrix_world.inverted() @ source.matrix_world).to_3x3())
    turn = np.linalg.inv(to_target)
    result = _base_normals(target, size)
    result[hit] = _unit(_sample(normals, found[hit]) @ turn)
    return result.reshape(size, size, 3)


class _Triangles:
    """The face as rays see it, in its own space."""

    def __init__(self, obj):
        mesh = obj.data
        mesh.calc_loop_triangles()
        count = len(mesh.loop_triangles)
        corners, loops = np.empty(count * 3, np.int32), np.empty(count * 3, np.int32)
        mesh.loop_triangles.foreach_get("vertices", corners)
        mesh.loop_triangles.foreach_get("loops", loops)
        points = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", points)
        uv = np.empty(len(mesh.loops) * 2, np.float32)
        mesh.uv_layers[uv_name(obj)].uv.foreach_get("vector", uv)
        corners = corners.reshape(-1, 3)
        self.points = points.reshape(-1, 3)[corners].astype(np.float64)
        self.uv = uv.reshape(-1, 2)[loops.reshape(-1, 3)]
        vertices = [Vector(point) for point in points.reshape(-1, 3)]
        self.tree = BVHTree.FromPolygons(vertices, corners.tolist(), all_triangles=True)

    def shoot(self, points, directions, start, distance):
        """UVs (N, 2) of what rays from `start` above the points hit on their way down; NaN where nothing."""
        origins, cast = points + directions * start, self.tree.ray_cast
        index, where = np.full(len(points), -1), np.zeros((len(points), 3))
        for row, (origin, direction) in enumerate(zip(origins.tolist(), (-directions).tolist())):
            place, _, triangle, _ = cast(origin, direction, distance)
            if triangle is not None:
                index[row], where[row] = triangle, place
        hit = index >= 0
        result = np.full((len(points), 2), np.nan)
        a, b, c = np.moveaxis(self.points[index[hit]], 1, 0)
        normal = np.cross(b - a, c - a)
        area = np.einsum("ij,ij->i", normal, normal)
        second = np.einsum("ij,ij->i", np.cross(where[hit] - a, c - a), normal) / area
        third = np.einsum("ij,ij->i", np.cross(b - a, where[hit] - a), normal) / area
        weights = np.stack([1 - second - third, second, third], 1)
        result[hit] = np.einsum("kc,kcx->kx", weights, self.uv[index[hit]])
        return result


def _texels(target, size, to_source):
    """(texels (K,), points (K, 3), unit normals (K, 3)) of a mesh's UV layout, in the source's space."""
    corners, frames = tangent.corner_frames(target.data, uv_name(target))
    points = np.empty(len(target.data.vertices) * 3, np.float32)
    target.data.vertices.foreach_get("co", points)
    vertices = np.empty(len(target.data.loop_triangles) * 3, np.int32)
    target.data.loop_triangles.foreach_get("vertices", vertices)
    texels, owners, weights = raster.cover(corners["uv"], size)
    corner_points = points.reshape(-1, 3)[vertices.reshape(-1, 3)]
    point = np.einsum("kc,kcx->kx", weights, corner_points[owners])
    normal = np.einsum("kc,kcx->kx", weights, frames["normal"][owners])
    turn = to_source[:3, :3]
    return texels, point @ turn.T + to_source[:3, 3], _unit(normal @ np.linalg.inv(turn))


def _base_normals(target, size):
    """The target's own shading normals (size * size, 3): what texels keep that no ray hits."""
    corners, frames = tangent.corner_frames(target.data, uv_name(target))
    texels, owners, weights = raster.cover(corners["uv"], size)
    result = np.zeros((size * size, 3))
    result[texels] = _unit(np.einsum("kc,kcx->kx", weights, frames["normal"][owners]))
    return result


def _between(grid, texels, size):
    """Values of a coarse grid (G, G, 2) at texels of a larger square; NaN where it has no four close neighbors."""
    side = len(grid)
    row, column = (np.divmod(texels, size) + np.float64(0.5)) * side / size - 0.5
    r, c = (np.clip(np.floor(at).astype(int), 0, side - 2) for at in (row, column))
    four = np.stack([grid[r, c], grid[r, c + 1], grid[r + 1, c], grid[r + 1, c + 1]], 1)
    a, b = (row - r)[:, None], (column - c)[:, None]
    value = (four[:, 0] * (1 - b) + four[:, 1] * b) * (1 - a) + (four[:, 2] * (1 - b) + four[:, 3] * b) * a
    # A missing neighbor is NaN and makes the comparison false.
    close = (np.ptp(four, axis=1) < JUMP).all(1)
    value[~close] = np.nan
    return value


def _sample(picture, uv):
    """Bilinear values (N, C) of a texture (T, T, C) at UVs (N, 2)."""
    size = len(picture)
    column = np.clip(uv[:, 0] * size - 0.5, 0, size - 1)
    row = np.clip((1 - uv[:, 1]) * size - 0.5, 0, size - 1)
    r, c = np.minimum(row.astype(int), size - 2), np.minimum(column.astype(int), size - 2)
    a, b = (row - r)[:, None], (column - c)[:, None]
    return (picture[r, c] * (1 - b) + picture[r, c + 1] * b) * (1 - a) + (
        picture[r + 1, c] * (1 - b) + picture[r + 1, c + 1] * b
    ) * a


def _resized(picture, size):
    """A texture at another size: means of whole blocks first, so that less keeps what it must, then linear."""
    block = len(picture) // size
    if block > 1:
        whole = len(picture) // block * block
        if whole == len(picture):
            side = whole // block
            picture = picture.reshape(side, block, side, block, -1).mean((1, 3))
    return detail_nodes.enlarge(picture, size)


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
