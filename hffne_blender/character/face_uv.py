# SPDX-License-Identifier: GPL-3.0-or-later
"""A second UV map on the artist's mesh for the face alone, so that all of a texture's pixels are the face's."""

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..numeric import face_projection
from ..numeric.deformation import relative_size
from ..numeric.detail_source import DetailSource
from ..numeric.vectors import unit
from ..numeric.world_surface import vertex_normals
from ..scene import mesh_arrays
from ..scene.access import mesh_of, read_array, write_array
from ..scene.triangle_tree import TriangleTree
from . import face_shape
from .errors import TransferError
from .transfer import COLOR_TURNED, FAR

NAME = "HFFNE Face"
# Meters of the face's own size: how far above a polygon the search for others over it begins, and how far it goes.
RISE, DEEPEST = 0.0002, 0.1


def corner_points(target: bpy.types.Object, shown: bpy.types.Mesh) -> np.ndarray:
    """The corners (L, 3), world space, of a mesh as it is posed now.

    shown  the mesh with its modifiers; where these change its vertices, the shape keys alone count
    """
    return face_shape.vertex_points(target, shown)[mesh_arrays.loop_vertices(mesh_of(target))]


def make(
    source: DetailSource, fitted: np.ndarray, corners: np.ndarray, totals: np.ndarray, mirrored: bool
) -> np.ndarray:
    """The UVs (L, 2) of a mesh's corners (L, 3), world space: its polygons under the face fill the square.

    What is behind others there, such as the inner sides of the lips, has a band of its own.

    fitted    (V, 3) the face on the mesh
    totals    (P,) corners of each polygon
    mirrored  whether the object is, so that its polygons run the other way round
    """
    meter = source.meter * relative_size(source.surface.points, fitted)
    polygon = np.repeat(np.arange(len(totals)), totals)
    starts = np.cumsum(totals) - totals
    middles = np.add.reduceat(corners, starts, axis=0) / totals[:, None]
    a, b = corners[starts + 1] - corners[starts], corners[starts + totals - 1] - corners[starts]
    facing = unit(np.cross(a, b)) * (-1 if mirrored else 1)
    triangles = source.surface.triangles
    hits = TriangleTree(fitted, triangles).nearest(middles, FAR * meter)
    normals = vertex_normals(fitted, triangles)[triangles[np.maximum(hits.owner, 0)]].mean(axis=1)
    under = hits.found & (np.einsum("px,px->p", unit(normals), facing) > COLOR_TURNED)
    middle, ahead = face_projection.middle_of(fitted, source.border_distance)
    behind = under & _behind(corners, starts, polygon, unit(middles - middle), facing, under, meter)
    return face_projection.uvs_of(corners, polygon, middle, ahead, under & ~behind, behind)


def _behind(
    corners: np.ndarray,
    starts: np.ndarray,
    polygon: np.ndarray,
    outward: np.ndarray,
    facing: np.ndarray,
    under: np.ndarray,
    meter: float,
) -> np.ndarray:
    """(P,) bool: the polygons that others under the face lie over, seen from outside toward the middle of the head.

    starts, outward, facing, under  of each polygon: its first corner, (P, 3) the direction from the head's middle, its
    normal, whether it is under the face; polygon (L,): that of each corner
    """
    turned = np.einsum("px,px->p", facing, outward) <= 0
    place = np.arange(len(polygon)) - starts[polygon]
    last = np.append(polygon[1:] != polygon[:-1], True)
    # Each polygon as a fan of triangles from its first corner.
    second = np.flatnonzero((place > 0) & ~last & (under & ~turned)[polygon])
    fan = np.stack([starts[polygon[second]], second, second + 1], axis=1)
    outer = np.flatnonzero(under & ~turned)
    middles = np.add.reduceat(corners, starts, axis=0) / np.bincount(polygon)[:, None]
    origins = middles[outer] + RISE * meter * outward[outer]
    hits = TriangleTree(corners, fan).cast(origins, outward[outer], DEEPEST * meter)
    covered = hits.found & (polygon[second[np.maximum(hits.owner, 0)]] != outer) if len(second) else hits.found
    turned[outer[covered]] = True
    return turned


@contextmanager
def shown_on(target: bpy.types.Object, uvs: np.ndarray) -> Iterator[None]:
    """The mesh with the UV map for the time of a `with`, so that its modifiers carry it along."""
    mesh = mesh_of(target)
    before = read_array(mesh.uv_layers[NAME].uv, "vector", 2) if NAME in mesh.uv_layers else None
    store(target, uvs)
    try:
        yield
    finally:
        if before is None:
            mesh.uv_layers.remove(mesh.uv_layers[NAME])
        else:
            write_array(mesh.uv_layers[NAME].uv, "vector", before)
        mesh.update()


def store(target: bpy.types.Object, uvs: np.ndarray) -> None:
    """Put the UV map on the mesh, in place of an earlier one. Raises TransferError where there is no room for it."""
    mesh = mesh_of(target)
    if len(uvs) != len(mesh.loops):
        raise TransferError("no_target", f"'{target.name}' was changed meanwhile.", "Apply again.")
    layer = mesh.uv_layers.get(NAME)
    if layer is None:
        active, rendered = mesh.uv_layers.active_index, mesh_arrays.render_uv_name(mesh)
        layer = mesh.uv_layers.new(name=NAME, do_init=False)
        if layer is None:
            raise TransferError("no_uv", f"'{target.name}' has as many UV maps as it can have.", "Remove one.")
        # The artist's own map stays the one that is edited and rendered.
        mesh.uv_layers.active_index = active
        if rendered is not None:
            mesh.uv_layers[rendered].active_render = True
        layer = mesh.uv_layers[NAME]
    write_array(layer.uv, "vector", uvs)
    mesh.update()
