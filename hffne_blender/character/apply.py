# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies a face's detail to another mesh: align, fit, transfer, assign."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypedDict

import bpy
import numpy as np

from ..numeric import height_field, raster, texel_transfer, uv_tiles
from ..numeric.deformation import relative_size
from ..numeric.detail_source import DetailSource
from ..numeric.png import encode_normal, png_bytes
from ..numeric.slope_field import SlopeField
from ..numeric.tangent import CornerFrames
from ..numeric.texel_transfer import TexelSources
from ..numeric.vectors import mean_scale, mirrors
from ..scene import face_attributes, generated_maps, images, mesh_arrays, ngons, textures
from ..scene.access import first_material, mesh_of, read_array
from ..scene.temporary import changed
from ..system.required import required
from . import face_shape, face_uv, fit, landmarks, multires, target_material, target_picture, transfer
from .align import align, no_landmarks
from .errors import TransferError
from .evaluated_mesh import evaluated_mesh, uv_map_name
from .find_landmarks import find_landmarks
from .read_face import read_face
from .steps import StepGenerator

HEIGHT_SIZE = 1024
# The textures of a face that can be transferred as they are, and those of them whose values are sRGB.
PICTURES, COLORS = ("color", "albedo", "roughness"), ("color", "albedo")
NAMES = {"color": "Color", "albedo": "Delit Color", "roughness": "Roughness"}
# A smaller share of the face than this on the mesh is no fit. It is counted in this many cells per side of the UVs.
LEAST_SHARE, CELLS = 0.2, 32
# A smaller share of the detail than this may show again on other UV tiles.
LEAST_REPEATED = 0.01


@dataclass(frozen=True)
class Options:
    """What to make and how; lengths in meters of the face's own size.

    align         "AUTO", "LANDMARKS" or "PLACED", see `align.align`
    normal        make a normal map
    displacement  make a displacement map
    relief        sculpt a Multires modifier with `levels` levels
    color         make a color texture of the photo's colors
    albedo        make one of the colors without the photo's light; where both are made, this one is shown
    roughness     make a roughness texture
    shape         make a shape key with the face's own shape, see `face_shape`
    texture_size  texels per side
    strength      factor on the slopes
    largest       wider forms are left out; 0 keeps all
    border        width over which the detail fades out toward the face's border
    seen_only     leave out what the photo does not show
    skip_eyes     leave out the eyes
    uv_map        the target's UV map, or "" for the one used for rendering
    face_uv       a second UV map for the face alone instead, see `face_uv`
    material      put the maps into the target's materials
    """

    align: str = "AUTO"
    normal: bool = True
    displacement: bool = False
    relief: bool = False
    color: bool = False
    albedo: bool = False
    roughness: bool = False
    shape: bool = False
    levels: int = 4
    texture_size: int = 2048
    strength: float = 1.0
    largest: float = 0.03
    border: float = 0.02
    seen_only: bool = False
    skip_eyes: bool = True
    uv_map: str = ""
    face_uv: bool = False
    material: bool = True


class Applied(TypedDict, total=False):
    """What was made; a kind that was not requested is missing.

    covered   the share of the texels with detail, 0..1
    unlinked  the materials in which no shader takes a normal, so that the map does not show
    """

    normal: bpy.types.Image
    displacement: bpy.types.Image
    relief: bpy.types.Modifier
    color: bpy.types.Image
    albedo: bpy.types.Image
    roughness: bpy.types.Image
    shape: bpy.types.ShapeKey
    covered: float
    unlinked: list[str]


@dataclass(frozen=True)
class _Maps:
    """The maps before they become Blender's data.

    files    PNG files by kind, "normal", "displacement" and those of PICTURES
    heights  (T, T, 1) in the target's own units, or None where they were not requested
    scale    the whole range of the displacement map in the target's own units
    """

    files: dict[str, bytes]
    heights: np.ndarray | None
    scale: float


def apply(
    context: bpy.types.Context, face: bpy.types.Object | None, target: bpy.types.Object | None, options: Options
) -> StepGenerator[Applied]:
    """Transfer the detail of the object `face` to the object `target`: a generator, see `operators.bases.background`.

    Raises TransferError, and then leaves all as it was: only the last slice changes anything, on the object that has
    the target's name by then.
    """
    face, target = _checked(face, target, options)
    yield "Reading the mesh"
    source, pictures = read_face(face), _pictures(face, options)
    if not options.skip_eyes:
        source = replace(source, eyes=np.zeros_like(source.eyes))
    matrix = np.array(target.matrix_world)
    # The mesh's own shape, from which the key of an earlier call leads away.
    own_shape = face_shape.muted(target) if options.shape else []
    with changed(own_shape), evaluated_mesh(context, target) as mesh:
        uv_name = uv_map_name(mesh, target, options.uv_map)
        if mesh_arrays.is_flat(mesh):
            raise TransferError(
                "flat_shaded",
                f"'{target.name}' is shaded flat, so that every facet would show under the relief.",
                "Choose Object > Shade Smooth, then apply again.",
            )
        # Of its own mesh, as the evaluated one has none left.
        own = mesh_of(target)
        if many := ngons.over_seams(own, uv_name) if uv_name in own.uv_layers and not options.face_uv else 0:
            raise TransferError(
                "ngons",
                f"{many} n-gons (faces of more than four corners) cross a seam of the UV map and lie over other faces.",
                "Triangulate the mesh and unwrap it again, or turn on UV Map for the Face.",
            )
        surface = mesh_arrays.world_surface(mesh, matrix, uv_name)
        frames = mesh_arrays.corner_frames(mesh, uv_name)
        slots = mesh_arrays.triangle_slots(mesh)
        corners = face_uv.corner_points(target, mesh) if options.face_uv else None
        points = (face_shape.vertex_points(target, mesh), face_shape.own_points(target)) if options.shape else None
    names = face.name, target.name
    pairs, exact = yield from align(face, target, source, surface, options.align)
    yield "Fitting the face to the mesh"
    fitted = yield partial(fit.fit, source, surface, pairs, exact)
    yield partial(transfer.check_turned, source, fitted, surface)
    own_uvs: np.ndarray | None = None
    if corners is not None:
        target = _still_there(names[1], "Select the head's mesh and apply again.")
        totals = read_array(mesh_of(target).polygons, "loop_total", 1, np.int32)
        own_uvs, uv_name = (yield partial(face_uv.make, source, fitted, corners, totals, mirrors(matrix))), face_uv.NAME
        target = _still_there(names[1], "Select the head's mesh and apply again.")
        own_shape = face_shape.muted(target) if options.shape else []
        with changed(own_shape), face_uv.shown_on(target, own_uvs), evaluated_mesh(context, target) as mesh:
            surface = mesh_arrays.world_surface(mesh, matrix, uv_name)
            frames = mesh_arrays.corner_frames(mesh, uv_name)
            slots = mesh_arrays.triangle_slots(mesh)
    yield "Transferring the detail"
    texels = yield partial(
        transfer.texel_sources, source, fitted, surface, slots, options.texture_size, options.border, options.seen_only
    )
    if not len(texels.index) or not texels.weight.any():
        raise TransferError("no_overlap", "The face does not lie on the mesh's UV map.", "Unwrap the head first.")
    if _face_share(source, texels) < LEAST_SHARE:
        raise TransferError(
            "no_overlap", "Too little of the face lies on the mesh.", "Add landmarks, move them, apply again."
        )
    used = _used_slots(texels, slots)
    _check_tiles(names[1], required(surface.uvs), slots, used, texels)
    maps = yield partial(_make_maps, source, texels, fitted, frames, matrix, options, pictures)
    if own_uvs is not None:
        face_uv.store(_still_there(names[1], "Select the head's mesh and apply again."), own_uvs)
    moved = (yield partial(face_shape.change, source, fitted, *points, matrix)) if points is not None else None
    made = _assign(context, names, options, uv_name, texels, used, maps)
    if moved is not None:
        made["shape"] = face_shape.store(_still_there(names[1], "Select the head's mesh and apply again."), moved)
    return made


def place_landmarks(
    context: bpy.types.Context, target: bpy.types.Object, face: bpy.types.Object | None = None
) -> StepGenerator[list[bpy.types.Object]]:
    """Landmarks as empties on `target`: at those of `face`, or where the engine detects them without a face.

    A generator, see `operators.bases.background`; returns the empties. Raises TransferError.
    """
    wanted, name = sorted(landmarks.NAMES), target.name
    if face is None:
        yield "Reading the mesh"
        matrix = np.array(target.matrix_world)
        with evaluated_mesh(context, target) as mesh:
            surface = mesh_arrays.world_surface(mesh, matrix)
        points = yield from find_landmarks(surface, matrix, wanted)
        target = _still_there(name, "Select the head's mesh.")
    else:
        known = read_face(face).landmarks
        if known is None:
            raise no_landmarks(face.name)
        points = known[wanted]
    size = 0.02 * float(np.linalg.norm(np.ptp(points, axis=0)))
    return landmarks.place(context, target, dict(zip(wanted, points, strict=True)), size)


def _kinds(options: Options) -> list[str]:
    return [kind for kind in PICTURES if getattr(options, kind)]


def _pictures(face: bpy.types.Object, options: Options) -> dict[str, np.ndarray]:
    """The values (S, S, 3) of the face's textures that are requested. Raises TransferError for one it does not have."""
    kinds = _kinds(options)
    found = textures.of_material(first_material(face)) if kinds else {}
    missing = [kind for kind in kinds if kind not in found]
    if missing:
        raise TransferError(
            "no_texture",
            f"'{face.name}' has no texture {' or '.join(NAMES[kind] for kind in missing)}.",
            "Generate it with these maps.",
        )
    return {kind: images.values(found[kind])[..., :3] for kind in kinds}


def _checked(
    face: bpy.types.Object | None, target: bpy.types.Object | None, options: Options
) -> tuple[bpy.types.Object, bpy.types.Object]:
    """The face and the target. Raises TransferError where they or the options are unusable."""
    if face is None or not face_attributes.is_face(face):
        raise TransferError("no_face_object", "No face from a photo is chosen.", "Generate one first.")
    if target is None or target.type != "MESH" or target == face:
        raise TransferError(
            "no_target", "No mesh to apply the face to is chosen.", "Select the face, then the head's mesh."
        )
    mesh = mesh_of(target)
    if not mesh.polygons:
        raise TransferError("no_target", f"'{target.name}' has no faces.", "Choose the head's mesh.")
    if target.library is not None or mesh.library is not None:
        raise TransferError("linked", f"'{target.name}' is linked from another file.", "Make it local first.")
    if not (options.normal or options.displacement or options.relief or options.shape or _kinds(options)):
        raise TransferError("nothing", "Nothing to make is chosen.", "Choose a map or relief.")
    for obj in (face, target):
        if abs(np.linalg.det(np.array(obj.matrix_world)[:3, :3])) < 1e-18:
            raise TransferError("flat", f"'{obj.name}' is scaled to nothing.", "Reset its scale.")
    if options.shape and mesh.users > 1:
        raise TransferError(
            "shared_mesh",
            f"The mesh of '{target.name}' belongs to {mesh.users} objects; a shape key would affect all of them.",
            "Make it single-user (Object > Relations).",
        )
    if options.relief:
        multires.check(target)
    return face, target


def _still_there(name: str, hint: str) -> bpy.types.Object:
    """The mesh object of a name. Raises TransferError where the user has removed it meanwhile."""
    target = bpy.data.objects.get(name)
    if target is None or target.type != "MESH":
        raise TransferError("no_target", f"'{name}' is not there any more.", hint)
    return target


def _face_share(source: DetailSource, texels: TexelSources) -> float:
    """The share of the face that lies on the mesh, 0..1."""

    def cells(uv: np.ndarray) -> np.ndarray:
        column, row = np.clip((uv * CELLS).astype(int), 0, CELLS - 1).T
        return np.unique(row * CELLS + column)

    return float(np.isin(cells(source.uv), cells(texels.uv[texels.weight > 0.05])).mean())


def _used_slots(texels: TexelSources, slots: np.ndarray) -> list[int]:
    """The material slots that take a part of the detail worth mentioning. slots (N,): of each triangle."""
    taken = np.bincount(slots[texels.owner], texels.weight)
    return [int(slot) for slot in np.flatnonzero(taken > transfer.LEAST_SLOT * taken.sum())]


def _check_tiles(name: str, uvs: np.ndarray, slots: np.ndarray, used: list[int], texels: TexelSources) -> None:
    """Raise TransferError where other UV tiles of the face's materials would show the detail again.

    The map is one picture, which repeats from tile to tile.
    """
    tiles = uv_tiles.tiles(uvs)
    if not (tiles != tiles[0]).any():
        return
    deep = texels.weight > 0.05
    of_face = np.isin(np.arange(len(tiles)), texels.owner[deep])
    home = np.unique(tiles[of_face], axis=0)
    other = np.isin(slots, used) & ~(tiles[:, None] == home[None]).all(2).any(1)
    if not other.any():
        return
    over = raster.owners(uvs[other], texels.size)[texels.index[deep]] >= 0
    if over.mean() > LEAST_REPEATED:
        number = 1001 + int(home[0, 0]) + 10 * int(home[0, 1])
        raise TransferError(
            "uv_tiles",
            f"'{name}' has several UV tiles in one material, and the face lies on tile {number}.",
            "Give the faces of that tile a material slot of their own, then apply again.",
        )


def _make_maps(
    source: DetailSource,
    texels: TexelSources,
    fitted: np.ndarray,
    frames: CornerFrames,
    matrix: np.ndarray,
    options: Options,
    pictures: Mapping[str, np.ndarray],
) -> _Maps:
    """The maps that the options request. Uses no Blender data, so it may run on a thread."""
    slopes = SlopeField(source.normal, options.strength, options.largest * source.uv_per_meter())
    files: dict[str, bytes] = {}
    if options.normal:
        normal = texel_transfer.normal_map(texels, slopes, frames, matrix)
        files["normal"] = png_bytes(encode_normal(normal))
    for kind, picture in pictures.items():
        values = texel_transfer.picture(texels, picture)
        files[kind] = png_bytes(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8))
    if not (options.displacement or options.relief):
        return _Maps(files, None, 0.0)
    size = min(HEIGHT_SIZE, len(source.normal))
    unit = source.meter * relative_size(source.surface.points, fitted) / mean_scale(matrix)
    heights = texel_transfer.scalar_map(texels, height_field.heights(source, slopes, size, options.largest) * unit)
    scale = 2 * max(float(np.abs(heights).max()), 1e-9)
    if options.displacement:
        values = np.rint((heights / scale + 0.5) * 65535).astype(np.uint16)
        files["displacement"] = png_bytes(np.repeat(values, 3, axis=2))
    return _Maps(files, heights, scale)


def _assign(
    context: bpy.types.Context,
    names: tuple[str, str],
    options: Options,
    uv_name: str,
    texels: TexelSources,
    used: list[int],
    maps: _Maps,
) -> Applied:
    """Put the maps on the target, if that still exists. names: of the face and of the target."""
    face_name, name = names
    target = _still_there(name, "Select the head's mesh and apply again.")
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    result = Applied(covered=len(texels.index) / options.texture_size**2)
    if options.relief and maps.heights is not None:
        # `sculpt` checks the target again: the user may have changed it since.
        multires.sculpt(context, target, uv_name, maps.heights, options.levels)
        result["relief"] = target.modifiers[multires.NAME]
    made = {
        kind: generated_maps.store(
            target, kind, f"{target.name}_{face_name}_{kind}", data, "sRGB" if kind in COLORS else "Non-Color"
        )
        for kind, data in maps.files.items()
    }
    if "normal" in made:
        result["normal"] = made["normal"]
    if "displacement" in made:
        result["displacement"] = made["displacement"]
        made["displacement"][generated_maps.SCALE] = maps.scale
    for kind in PICTURES:
        if kind in made:
            result[kind] = made[kind]  # type: ignore[literal-required]
            # Its alpha is a weight, not an opacity.
            made[kind].alpha_mode = "CHANNEL_PACKED"
    if options.material and made:
        unlinked = target_material.assign(
            target, used, uv_name, made.get("normal"), made.get("displacement"), maps.scale
        )
        shown = {"Base Color": made.get("albedo") or made.get("color"), "Roughness": made.get("roughness")}
        for socket, image in shown.items():
            if image is not None:
                unlinked += target_picture.assign(target, used, uv_name, socket, image)
        if unlinked:
            result["unlinked"] = unlinked
    return result
