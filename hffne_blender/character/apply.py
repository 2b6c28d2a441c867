# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way of a face's detail onto another mesh: align, fit, carry over, show."""

from dataclasses import dataclass
from functools import partial

import bmesh
import bpy
import numpy as np

from ..numeric import height_field, similarity, tangent
from ..numeric.slope_field import Detail
from ..scene import generated_maps, images
from . import find, fit, landmarks, relief, source, surface, target_material, transfer
from .source import TransferError

HEIGHT_SIZE = 1024
# A landmark that the engine saw on something else (a shoulder behind the chin) is this many times farther off than most.
OUTLIER = 4.0
# Less of the face than this on the mesh is no fit. It is looked at in so many cells a side of the face's UVs.
LEAST_SHARE, CELLS = 0.2, 32
# A material with less of it than this keeps its own look: an eyeball takes a little from the lids.
LEAST_SLOT = 0.05


@dataclass(frozen=True)
class Options:
    """What to make and how; lengths in meters of the face's own size."""

    align: str = "AUTO"
    normal: bool = True
    displacement: bool = False
    relief: bool = False
    levels: int = 4
    texture_size: int = 2048
    strength: float = 1.0
    largest: float = 0.03
    border: float = 0.02
    seen_only: bool = False
    skip_eyes: bool = True
    uv_map: str = ""
    material: bool = True


def apply(context, face, target, options):
    """Carry the detail of the object `face` over to the object `target`: a generator, see `operators.background`.

    Returns a dict of what was made: {"normal": Image, "displacement": Image, "relief": Modifier,
    "covered": share of the texels that took something}. Raises TransferError, and leaves all as it was: only the last
    slice changes anything, on the object that has the target's name by then.
    """
    _check(face, target, options)
    yield "Looking at the mesh"
    kept = source.read(face)
    if not options.skip_eyes:
        kept.eyes[:] = 0
    matrix = np.array(target.matrix_world)
    with _Evaluated(context, target) as mesh:
        uv_name = _uv_name(mesh, target, options.uv_map)
        shape = surface.of_mesh(mesh, matrix, uv_name)
        frames = tangent.corner_frames(mesh, uv_name)[1]
        slots = _slots(mesh)
    names = face.name, target.name
    pairs, sure = yield from _pairs(face, target, kept, shape, options.align)
    yield "Bending the face onto the mesh"
    fitted = yield partial(fit.fit, kept, shape, pairs, sure)
    yield "Carrying the detail over"
    found = yield partial(transfer.texels, kept, fitted, shape, options.texture_size, options.border, options.seen_only)
    if not len(found.index) or not found.weight.any():
        raise TransferError("no_overlap", "The face does not lie on the mesh's UV map.", "Unwrap the head first.")
    if _share(kept, found) < LEAST_SHARE:
        raise TransferError(
            "no_overlap", "Hardly any of the face comes to lie on the mesh.", "Add landmarks, move them, apply again."
        )
    files, plane, scale = yield partial(_maps, kept, found, fitted, frames, matrix, options)
    return _wear(context, names, options, uv_name, found, slots, files, plane, scale)


def _maps(kept, found, fitted, frames, matrix, options):
    """(PNG files by kind, heights (T, T, 1) or None, what the displacement's range stands for). No bpy here."""
    detail = Detail(kept.normal, options.strength, options.largest * _uv_length(kept))
    files, plane, scale = {}, None, 0.0
    if options.normal:
        normal = transfer.normal_map(found, detail, frames, matrix)
        files["normal"] = images.png_bytes(images.encode_normal(normal))
    if options.displacement or options.relief:
        plane = _height_map(kept, detail, found, fitted, matrix, options)
    if options.displacement:
        scale = 2 * max(float(np.abs(plane).max()), 1e-9)
        values = np.rint((plane / scale + 0.5) * 65535).astype(np.uint16)
        files["displacement"] = images.png_bytes(np.repeat(values, 3, axis=2))
    return files, plane, scale


def _wear(context, names, options, uv_name, found, slots, files, plane, scale):
    """Show it on the target, if that is still there."""
    face_name, name = names
    target = bpy.data.objects.get(name)
    if target is None or target.type != "MESH":
        raise TransferError("no_target", f"'{name}' is not there any more.", "Select the head's mesh and apply again.")
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    result = {"covered": len(found.index) / options.texture_size**2}
    if options.relief:
        # Once more: the user may have changed the mesh since.
        relief.check(target)
        relief.sculpt(context, target, uv_name, plane, options.levels)
        result["relief"] = target.modifiers[relief.NAME]
    for kind, data in files.items():
        result[kind] = generated_maps.keep(target, kind, f"{target.name}_{face_name}_{kind}", data)
    if "displacement" in result:
        result["displacement"][generated_maps.SCALE] = scale
    if options.material and files:
        taken = np.bincount(slots[found.owner], found.weight)
        used = np.flatnonzero(taken > LEAST_SLOT * taken.sum()).tolist()
        target_material.wear(target, used, uv_name, result.get("normal"), result.get("displacement"), scale)
    return result


def place_landmarks(context, target, face=None):
    """Landmarks as empties on `target`, where those of `face` lie now; without one where the engine finds them.

    A generator, see `operators.background`; returns the empties.
    """
    wanted, name = sorted(landmarks.NAMES), target.name
    if face is None:
        yield "Looking at the mesh"
        with _Evaluated(context, target) as mesh:
            shape = surface.of_mesh(mesh, target.matrix_world)
        points = yield from find.landmarks(shape, np.array(target.matrix_world), wanted)
        target = bpy.data.objects.get(name)
        if target is None:
            raise TransferError("no_target", f"'{name}' is not there any more.", "Select the head's mesh.")
    else:
        known = source.read(face).landmarks
        if known is None:
            raise _no_landmarks(face.name)
        points = known[wanted]
    size = 0.02 * float(np.linalg.norm(np.ptp(points, axis=0)))
    return landmarks.place(context, target, dict(zip(wanted, points)), size)


def _check(face, target, options):
    if not source.is_face(face):
        raise TransferError("no_face_object", "No face from a photo is chosen.", "Generate one first.")
    if target is None or target.type != "MESH" or target == face:
        raise TransferError(
            "no_target", "No mesh to apply the face to is chosen.", "Select the face, then the head's mesh."
        )
    if not target.data.polygons:
        raise TransferError("no_target", f"'{target.name}' has no faces.", "Choose the head's mesh.")
    if target.library is not None or target.data.library is not None:
        raise TransferError("linked", f"'{target.name}' is linked from another file.", "Make it local first.")
    if not (options.normal or options.displacement or options.relief):
        raise TransferError("nothing", "Nothing is asked for.", "Choose a normal map, a displacement map or relief.")
    for obj in (face, target):
        if abs(np.linalg.det(np.array(obj.matrix_world)[:3, :3])) < 1e-18:
            raise TransferError("flat", f"'{obj.name}' is scaled to nothing.", "Reset its scale.")
    if options.relief:
        relief.check(target)


def _pairs(face, target, kept, shape, align):
    """(pairs or None, sure) for `fit.fit`: a generator, see `apply`. Asks the engine only where it has to find the head."""
    placed, points = landmarks.positions(target)
    if align == "PLACED":
        return None, True
    name = face.name
    if align == "LANDMARKS" or (align == "AUTO" and len(placed)):
        if len(placed) < fit.FEWEST_LANDMARKS:
            raise TransferError(
                "few_landmarks", f"'{target.name}' has {len(placed)} landmarks.", "Add them first, then move them."
            )
        if kept.landmarks is None:
            raise _no_landmarks(name)
        return (kept.landmarks[placed], points), True
    matrices = [np.array(obj.matrix_world) for obj in (target, face)]
    theirs = yield from find.landmarks(shape, matrices[0], landmarks.FOUND)
    try:
        # Seen by the same eyes, both are mistaken in the same way, and it does not matter.
        ours = yield from find.landmarks(kept.surface, matrices[1], landmarks.FOUND)
    except TransferError:
        if kept.landmarks is None:
            raise
        ours = kept.landmarks[list(landmarks.FOUND)]
    return _agreeing(ours, theirs), False


def _agreeing(ours, theirs):
    """The pairs of landmarks but those far off from where most of them lead."""
    keep = np.ones(len(ours), bool)
    # The first time those pull the others along.
    for _ in range(3):
        off = np.linalg.norm(similarity.from_pairs(ours[keep], theirs[keep])(ours) - theirs, axis=1)
        keep = off <= OUTLIER * np.median(off)
    return ours[keep], theirs[keep]


def _share(kept, found):
    """How much of the face has come to lie on the mesh, 0..1."""

    def cells(uv):
        column, row = np.clip((uv * CELLS).astype(int), 0, CELLS - 1).T
        return np.unique(row * CELLS + column)

    whole = cells(kept.uv)
    return np.isin(whole, cells(found.uv[found.weight > 0.05])).mean()


def _no_landmarks(name):
    return TransferError("no_landmarks", f"The face '{name}' does not know its landmarks.", "Generate it again.")


def _height_map(kept, detail, found, fitted, matrix, options):
    """(T, T, 1) heights in the target's own units."""
    size = min(HEIGHT_SIZE, len(kept.normal))
    plane = height_field.heights(kept, detail, size, options.largest)
    grown = transfer.growth(kept.surface.points, fitted)
    unit = kept.meter * grown / np.cbrt(abs(np.linalg.det(matrix[:3, :3])))
    return transfer.plane_map(found, plane * unit)


def _uv_length(kept):
    """UV lengths a meter of the face, in the middle."""
    corners, uv = kept.surface.points[kept.surface.triangles] / kept.meter, kept.uv[kept.surface.triangles]
    edge = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    return float(np.median(np.linalg.norm(uv[:, 1] - uv[:, 0], axis=1) / np.maximum(edge, 1e-12)))


def _uv_name(mesh, target, wanted):
    if wanted and wanted not in mesh.uv_layers:
        raise TransferError("no_uv", f"'{target.name}' has no UV map '{wanted}'.", "Choose one that it has.")
    layer = mesh.uv_layers.get(wanted) if wanted else next((uv for uv in mesh.uv_layers if uv.active_render), None)
    if layer is None:
        raise TransferError("no_uv", f"'{target.name}' has no UV map.", "Unwrap the mesh first.")
    return layer.name


def _slots(mesh):
    """The material slot (N,) of each triangle."""
    polygons = np.empty(len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("polygon_index", polygons)
    slots = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    return slots[polygons]


class _Evaluated:
    """The mesh as it is seen, less our own relief, for the time of a `with`; triangles and quads only."""

    def __init__(self, context, obj):
        self._context, self._obj = context, obj

    def __enter__(self):
        own = self._obj.modifiers.get(relief.NAME)
        shown = own is not None and own.show_viewport
        if shown:
            own.show_viewport = False
        try:
            graph = self._context.evaluated_depsgraph_get()
            graph.update()
            evaluated = self._obj.evaluated_get(graph)
            self._mesh = bpy.data.meshes.new_from_object(evaluated, preserve_all_data_layers=True, depsgraph=graph)
        finally:
            if shown:
                own.show_viewport = True
        if any(len(polygon.vertices) > 4 for polygon in self._mesh.polygons):
            work = bmesh.new()
            work.from_mesh(self._mesh)
            bmesh.ops.triangulate(work, faces=[polygon for polygon in work.faces if len(polygon.verts) > 4])
            work.to_mesh(self._mesh)
            work.free()
        return self._mesh

    def __exit__(self, *_):
        bpy.data.meshes.remove(self._mesh)
