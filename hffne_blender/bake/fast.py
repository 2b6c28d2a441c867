# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals of a face for another mesh's texels, without a render: numpy, and rays only where they are needed.

Blender's baker shoots a ray for each texel and shades what it hits. Here the normals are in a texture already;
only the point of the face over each texel is missing. That changes smoothly, so rays are cast on a
coarse grid of texels, and texel by texel only where the grid straddles an edge.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from ..numeric import raster, tangent, uv_tiles
from ..numeric.resample import bilinear, resize
from ..numeric.vectors import mean_scale, unit
from ..numeric.world_surface import WorldSurface, barycentric
from ..scene import detail_nodes, head, mesh_arrays, ngons, shape_keys, turned_faces
from ..scene.access import first_material, mesh_of
from ..scene.triangle_tree import TriangleTree
from ..scene.triangulated import without_ngons

# Texels per side of the coarse grid; a texture of 512 then has one ray per four texels.
GRID = 256
# A difference of this much UV between neighboring rays means an edge.
JUMP = 0.03
# Texels per side of the grid on which the direction of the normals is checked.
CHECK_GRID = 48
# A smaller area than this of all UVs, twice, in squares of the texture, is none.
LEAST_AREA = 1e-8
# A smaller scale than this is none.
LEAST_SCALE = 1e-9
# From this share on, all of a mesh is inside out, and some faces are not.
ALL_TURNED = 0.9


class NothingHit(ValueError):
    """The two meshes do not overlap."""


def normals_of_face(obj: bpy.types.Object) -> np.ndarray:
    """The face's own normals as its sliders and shape keys make them: (T, T, 3) float32, object space."""
    return tangent.to_object_space(_Layout.of(obj).frames, detail_nodes.mixed(first_material(obj)))


def uv_name(obj: bpy.types.Object) -> str:
    """The UV map that is baked: the one used for rendering, else the first. Raises ValueError without one."""
    layers = mesh_of(obj).uv_layers
    if not layers:
        raise ValueError(f"The mesh '{obj.name}' has no UV map.")
    return mesh_arrays.render_uv_name(mesh_of(obj)) or layers[0].name


def bake(
    source: bpy.types.Object,
    target: bpy.types.Object,
    size: int,
    extrusion: float,
    distance: float,
    margin: int,
    object_space: bool,
) -> np.ndarray:
    """The normal map of `target` with the detail of the face `source`: (size, size, 3) float32.

    extrusion     meters above the target where rays start
    distance      meters that they go; 0: to the same distance on the other side
    margin        texels by which islands are extended
    object_space  object-space normals instead of tangent-space ones

    Raises ValueError for a mesh without UVs, NothingHit when no ray hits.
    """
    normals, layout = normals_of_face(source), _Layout.of(target)
    if target != source and uv_tiles.tiles(layout.frames.uv).any():
        # Tiles of one character lie over each other in a texture: what is at the face comes last, and so stays.
        layout = layout.ordered(_near(source, layout, extrusion, distance))
    if target == source:
        picked = unit(resize(normals, size))
    else:
        picked = _sampled(source, layout, normals, size, extrusion, distance)
    local = tangent.to_tangent_space(layout.frames, picked, margin)
    if not object_space:
        return local
    # Converted back, so that the margin, which only the tangent frames extend, is kept.
    return tangent.to_object_space(layout.frames, local, margin).astype(np.float32)


def check_mesh(source: bpy.types.Object, target: bpy.types.Object) -> None:
    """Raise ValueError for a target without faces, and where it or the face has no extent."""
    if not len(mesh_of(target).polygons):
        raise ValueError(f"'{target.name}' has no faces: choose the head's mesh.")
    for obj in (source, target):
        if not abs(obj.matrix_world.to_3x3().determinant()) > LEAST_SCALE**3:
            raise ValueError(f"'{obj.name}' is scaled to nothing: reset its scale.")


def check_shading(
    source: bpy.types.Object, target: bpy.types.Object, extrusion: float, distance: float, name: str
) -> None:
    """Raise ValueError for a target that no baker bakes rightly, with what is to be done about it.

    That is one whose UVs have no area, that does not lie on the face, that is shaded flat, or whose normals point
    inward, all or in part. Flat shading shows every facet under the relief, normals against those of the face take it
    upside down. extrusion, distance: see `bake`. name: the target's in the message; it may be a copy.
    """
    if mesh_arrays.is_flat(mesh_of(target)):
        raise ValueError(f"'{name}' is shaded flat, so that every facet would show: shade it smooth first.")
    with shape_keys.shown_mesh(target) as mesh:
        if many := ngons.over_seams(mesh, uv_name(target)):
            raise ValueError(
                f"{many} n-gons (faces of more than four corners) of '{name}' cross a seam of its UV map and lie over "
                "other faces there: triangulate the mesh and unwrap it again."
            )
    face, layout = _FaceTriangles(source), _Layout.of(target)
    edges = layout.frames.uv[:, 1:] - layout.frames.uv[:, :1]
    if not np.nansum(np.abs(np.linalg.det(edges.astype(np.float64)))) > LEAST_AREA:
        raise ValueError(f"The UV map of '{name}' has no area: unwrap the mesh first.")
    matrix, reach = np.array(source.matrix_world.inverted() @ target.matrix_world), _reach(source, extrusion, distance)
    with shape_keys.shown_mesh(target) as mesh:
        share = face.turned_share(mesh_arrays.world_surface(mesh, matrix), reach[0])
    if share and share < ALL_TURNED:
        raise ValueError(
            f"Some faces of '{name}' point inward, against their neighbors: {share:.0%} of those on the face. "
            "Recalculate the normals (Edit Mode, all selected > Mesh > Normals > Recalculate Outside)."
        )
    # A head's place is small on the UV map of a whole body.
    for grid in (CHECK_GRID, GRID):
        _, points, directions = layout.rays(grid, matrix)
        facing = face.facing(points, directions, *reach)
        if len(facing):
            break
    else:
        raise NothingHit(f"No ray from '{name}' hits '{source.name}': lay one over the other.")
    if np.median(facing) < 0:
        raise ValueError(
            f"The normals of '{name}' point inward: recalculate them "
            "(Edit Mode > Mesh > Normals > Recalculate Outside)."
        )


def _reach(source: bpy.types.Object, extrusion: float, distance: float) -> tuple[float, float]:
    """How far above the target rays start and how far they go, in the source's own units."""
    scale = mean_scale(np.array(source.matrix_world))
    return extrusion / scale, (distance or 2 * extrusion) / scale


def _near(source: bpy.types.Object, layout: "_Layout", extrusion: float, distance: float) -> np.ndarray:
    """(N,) bool: the target's triangles that the rays of a bake may take to the face."""
    matrix = np.array(source.matrix_world.inverted() @ layout.target.matrix_world)
    corners = layout.corners @ matrix[:3, :3].T + matrix[:3, 3]
    box, reach = np.array(source.bound_box), sum(_reach(source, extrusion, distance))
    near = (corners.max(1) >= box.min(0) - reach) & (corners.min(1) <= box.max(0) + reach)
    return np.asarray(near.all(1))


def _sampled(
    source: bpy.types.Object,
    layout: "_Layout",
    normals: np.ndarray,
    size: int,
    extrusion: float,
    distance: float,
) -> np.ndarray:
    """Object-space normals (size, size, 3) of the target: the face's where rays hit it, else the target's own."""
    face, target = _FaceTriangles(source), layout.target
    grid = min(size, GRID)
    to_source = np.array(source.matrix_world.inverted() @ target.matrix_world)
    reach = _reach(source, extrusion, distance)
    texels, points, directions = layout.rays(grid, to_source)
    coarse = np.full((grid * grid, 2), np.nan)
    coarse[texels] = face.cast(points, directions, *reach)
    if np.isnan(coarse).all():
        raise NothingHit(f"No ray from '{target.name}' hits '{source.name}': lay one over the other.")
    uvs = coarse
    if grid < size:
        texels, points, directions = layout.rays(size, to_source)
        uvs = np.full((size * size, 2), np.nan)
        uvs[texels] = _interpolated(coarse.reshape(grid, grid, 2), texels, size)
        left = np.isnan(uvs[texels, 0])
        uvs[texels[left]] = face.cast(points[left], directions[left], *reach)
    hit = np.flatnonzero(~np.isnan(uvs[:, 0]))
    to_target = np.array((target.matrix_world.inverted() @ source.matrix_world).to_3x3())
    result = layout.normals(size)
    # Normals transform with the inverse transpose.
    result[hit] = unit(bilinear(normals, uvs[hit]) @ np.linalg.inv(to_target))
    return result.reshape(size, size, 3)


class _FaceTriangles:
    """The triangles of a face's skin with their UVs and a search tree, in object space."""

    def __init__(self, obj: bpy.types.Object):
        with shape_keys.shown_mesh(obj) as mesh:
            loops = mesh_arrays.triangle_loops(mesh, head.skin_slot(obj))
            vertices = mesh_arrays.loop_vertices(mesh)[loops]
            points = mesh_arrays.points(mesh).astype(np.float64)
            self._uvs = mesh_arrays.loop_uvs(mesh, uv_name(obj))[loops]
        self._corners = points[vertices]
        self._tree = TriangleTree(points, vertices)

    def cast(self, points: np.ndarray, directions: np.ndarray, start: float, distance: float) -> np.ndarray:
        """UVs (N, 2) of what rays hit that start at `start` above the points and go down; NaN where nothing is hit.

        points, directions  (N, 3); directions are unit and point up
        """
        hits = self._tree.cast(points + directions * start, -directions, distance)
        hit = hits.found
        owner = hits.owner[hit]
        weights = barycentric(self._corners[owner], hits.point[hit])
        result = np.full((len(points), 2), np.nan)
        result[hit] = np.einsum("kc,kcx->kx", weights, self._uvs[owner])
        return result

    def turned_share(self, mesh: WorldSurface, reach: float) -> float:
        """See `turned_faces.turned_share`; the mesh in this object's space."""
        return turned_faces.turned_share(self._tree, mesh, reach)

    def facing(self, points: np.ndarray, directions: np.ndarray, start: float, distance: float) -> np.ndarray:
        """The cosines (M,) between the rays' directions and the normals of what they hit; see `cast`."""
        hits = self._tree.cast(points + directions * start, -directions, distance)
        return np.asarray(np.einsum("kx,kx->k", hits.normal[hits.found], directions[hits.found]))


@dataclass(frozen=True)
class _Layout:
    """The UV layout of a mesh, of a head the skin's alone.

    frames   the tangent frames of its triangles
    corners  (N, 3, 3) their corners, object space
    """

    target: bpy.types.Object
    frames: tangent.CornerFrames
    corners: np.ndarray

    @classmethod
    def of(cls, obj: bpy.types.Object) -> "_Layout":
        """The layout of an object's mesh as its shape keys move it now, without modifiers."""
        slot = head.skin_slot(obj)
        with shape_keys.shown_mesh(obj) as shown, without_ngons(shown) as mesh:
            corners = mesh_arrays.points(mesh)[mesh_arrays.triangle_vertices(mesh, slot)]
            return cls(obj, mesh_arrays.corner_frames(mesh, uv_name(obj), slot), corners)

    def ordered(self, last: np.ndarray) -> "_Layout":
        """The same with the triangles for which `last` (N,) bool is true at the end."""
        order = np.argsort(last, kind="stable")
        frames = self.frames
        frames = tangent.CornerFrames(frames.uv[order], frames.tangent[order], frames.normal[order], frames.sign[order])
        return _Layout(self.target, frames, self.corners[order])

    def rays(self, size: int, to_source: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(texels (K,), points (K, 3), unit normals (K, 3)) of the covered texels, in the source's object space.

        to_source  4 x 4, from the target's object space
        """
        texels, owners, weights = raster.cover(self.frames.uv, size)
        point = np.einsum("kc,kcx->kx", weights, self.corners[owners])
        normal = np.einsum("kc,kcx->kx", weights, self.frames.normal[owners])
        linear = to_source[:3, :3]
        return texels, point @ linear.T + to_source[:3, 3], unit(normal @ np.linalg.inv(linear))

    def normals(self, size: int) -> np.ndarray:
        """The target's shading normals (size * size, 3), object space; 0 where no triangle covers a texel."""
        texels, owners, weights = raster.cover(self.frames.uv, size)
        result = np.zeros((size * size, 3))
        result[texels] = unit(np.einsum("kc,kcx->kx", weights, self.frames.normal[owners]))
        return result


def _interpolated(grid: np.ndarray, texels: np.ndarray, size: int) -> np.ndarray:
    """Values of a coarse grid (G, G, 2) at texels (K,) of a square of `size`; NaN where its four neighbors differ."""
    side = len(grid)
    row, column = (np.asarray(at + 0.5) * side / size - 0.5 for at in np.divmod(texels, size))
    r, c = (np.clip(np.floor(at).astype(int), 0, side - 2) for at in (row, column))
    four = np.stack([grid[r, c], grid[r, c + 1], grid[r + 1, c], grid[r + 1, c + 1]], 1)
    a, b = (row - r)[:, None], (column - c)[:, None]
    value = (four[:, 0] * (1 - b) + four[:, 1] * b) * (1 - a) + (four[:, 2] * (1 - b) + four[:, 3] * b) * a
    # A missing neighbor is NaN and makes the comparison false.
    close = (np.ptp(four, axis=1) < JUMP).all(1)
    value[~close] = np.nan
    return value
