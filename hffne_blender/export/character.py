# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a face as GLB, FBX and USD with its textures beside it."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import bpy

from ..numeric.png import png_bytes
from ..scene import color_spaces, images, mesh, stored, textures, units
from ..scene.access import first_material, mesh_of
from ..system.file_set import FileSet
from ..system.required import required
from ..system.silence_stdout import silence_stdout
from ..system.verify_file import verify_complete
from . import flat_material, presets, skin_textures
from .stand_in import stand_in

FORMATS = ("glb", "fbx", "usd")
# Textures of a material whose values are colors.
_COLORS = {"base_color"}
# Clearer names of the parts' textures, where the kind alone would be taken for another texture.
_FILMS = {"Occlusion": "EyeShadow", "Blend": "EyeRim"}


@dataclass(frozen=True)
class Choices:
    """What is written.

    name     of the character and its files
    preset   a key of `presets.PRESETS`
    formats  of FORMATS
    directx  green of the normal map file points down; in GLB and USD it always points up, as they define
    packed   "SINGLE", "PACKED" or "BOTH", see `presets.Preset`
    """

    name: str
    preset: str
    formats: tuple[str, ...]
    directx: bool
    packed: str


def lacking(formats: tuple[str, ...]) -> str:
    """What this Blender does not have to write the formats, in words, or ""."""
    if "usd" in formats and not bpy.app.build_options.usd:
        return "This Blender was built without USD."
    exporters = {"glb": ("gltf", "glTF 2.0 format"), "fbx": ("fbx", "FBX format")}
    for name in formats:
        if name in exporters and exporters[name][0] not in dir(bpy.ops.export_scene):
            return f"Blender's add-on '{exporters[name][1]}' is switched off: enable it in the preferences."
    return ""


def export(context: bpy.types.Context, obj: bpy.types.Object, folder: str, choices: Choices) -> list[str]:
    """Write a face into a folder; returns the paths of the files. The scene is as before.

    All files or none, see `system.file_set`; files of the same names are replaced. Raises OSError.
    """
    made: list[bpy.types.ID] = []
    groups = set(bpy.data.node_groups)
    with FileSet() as files:
        try:
            _write(context, obj, choices, _Writer(folder, files), made)
        finally:
            bpy.data.batch_remove([block for block in made if block.users == 0])
            # What the exporters need and leave.
            bpy.data.batch_remove([group for group in bpy.data.node_groups if group not in groups and not group.users])
        return [str(path) for path in files.commit(verify_complete)]


class _Writer:
    """The files of one export."""

    def __init__(self, folder: str, files: FileSet) -> None:
        self._folder, self._files = folder, files

    def path(self, name: str) -> str:
        """Where to write a file, in a folder from which all of them are moved to their places at the end."""
        return str(self._files.add(os.path.join(self._folder, name)))


def _write(
    context: bpy.types.Context, obj: bpy.types.Object, choices: Choices, writer: _Writer, made: list[bpy.types.ID]
) -> None:
    preset, skin = presets.PRESETS[choices.preset], first_material(obj)
    pattern = {**preset.names}

    def file_of(texture: str, part: str = "") -> str:
        name = f"{choices.name}_{part}" if part else choices.name
        return preset.pattern.format(name=name, map=pattern[texture]) + ".png"

    pictures: dict[str, bpy.types.Image] = {}
    for texture, pixels in skin_textures.shown(skin, presets.wanted(preset, choices.packed), choices.directx).items():
        path = writer.path(file_of(texture))
        _save(path, png_bytes(pixels))
        pictures[texture] = _load(path, texture in _COLORS, made)
        if texture == "height":
            _write_scale(writer, file_of(texture), skin)
    parts: dict[bpy.types.Image, bpy.types.Image] = {}
    for material in _others(obj):
        picture = flat_material.picture_of(material)
        if picture is not None and picture.packed_file is not None and picture not in parts:
            kind = str(picture.get(textures.KIND, picture.name)).removeprefix("part_").title()
            part = bpy.path.clean_name(_FILMS.get(kind, kind))
            path = writer.path(file_of("base_color", part))
            images.write_packed(picture, path)
            parts[picture] = _load(path, True, made)

    exporters: dict[str, Callable[[bpy.types.Context, str, presets.Preset], None]]
    exporters = {"glb": _write_glb, "fbx": _write_fbx, "usd": _write_usd}
    for name in choices.formats:
        own = _pictures_for(name, skin, choices, pictures, writer, made)
        flat: list[bpy.types.Material | None] = []
        for slot, used in enumerate(mesh_of(obj).materials):
            plain = None
            if used is not None and (slot == 0 or flat_material.picture_of(used) in parts):
                shown = own if slot == 0 else {"base_color": parts[required(flat_material.picture_of(used))]}
                plain = flat_material.build(used, shown, mesh.UV_NAME, slot == 0)
            flat.append(plain or used)
        # FBX alone takes the scene's unit into account.
        size = units.per_meter(required(context.scene)) if name == "fbx" else 1.0
        with stand_in(context, obj, choices.name, flat, size), silence_stdout():
            path = writer.path(f"{choices.name}.{name}")
            try:
                exporters[name](context, path, preset)
            except RuntimeError as error:
                raise OSError(_sentence(error)) from error
        if not os.path.isfile(path):
            raise OSError(f"Blender wrote no {os.path.basename(path)}.")
        if name == "fbx":
            _forget_folder(path)


def _pictures_for(
    name: str,
    skin: bpy.types.Material,
    choices: Choices,
    pictures: Mapping[str, bpy.types.Image],
    writer: _Writer,
    made: list[bpy.types.ID],
) -> dict[str, bpy.types.Image]:
    """The skin's pictures for one format's material."""
    own = {key: image for key, image in pictures.items() if key in ("base_color", "normal", "roughness")}
    if name == "fbx":
        return own
    if name == "usd" and choices.directx:
        # USD defines green as up.
        path = writer.path(f"{choices.name}_Normal_OpenGL.png")
        _save(path, png_bytes(skin_textures.shown(skin, ["normal"])["normal"]))
        own["normal"] = _load(path, False, made)
    if name == "glb":
        # Its textures are in the file.
        for key, pixels in skin_textures.shown(skin, ["normal", "orm"]).items():
            own[key] = images.pack(f"{choices.name} {key}", png_bytes(pixels), "Non-Color")
            made.append(own[key])
        own.pop("roughness", None)
    return own


def _others(obj: bpy.types.Object) -> list[bpy.types.Material]:
    return [material for material in list(mesh_of(obj).materials)[1:] if material is not None]


def _save(path: str, data: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(data)


def _load(path: str, color: bool, made: list[bpy.types.ID]) -> bpy.types.Image:
    image = bpy.data.images.load(path)
    color_spaces.set_space(image, is_data=not color)
    made.append(image)
    return image


def _write_scale(writer: _Writer, name: str, skin: bpy.types.Material) -> None:
    extent = stored.number_of(textures.of_material(skin)["height"], textures.RANGE)
    if extent is None:
        return
    facts = {"file": name, "unit": "m", "scale": 2 * extent, "middle": 0.5}
    facts["meaning"] = "(value - middle) * scale is the distance along the normal in meters"
    _save(writer.path(os.path.splitext(name)[0] + ".json"), json.dumps(facts, indent=1).encode())


def _write_glb(context: bpy.types.Context, path: str, preset: presets.Preset) -> None:
    options: dict[str, Any] = {"export_format": "GLB", "export_animations": False, "export_apply": False}
    # The normal map is made for these tangents: others would shade it slightly differently.
    options["export_tangents"] = True
    bpy.ops.export_scene.gltf(filepath=path, use_selection=True, export_morph=True, export_extras=False, **options)


def _write_fbx(context: bpy.types.Context, path: str, preset: presets.Preset) -> None:
    bpy.ops.export_scene.fbx(
        filepath=path,
        use_selection=True,
        use_mesh_modifiers=False,
        mesh_smooth_type="FACE",
        use_tspace=False,
        bake_anim=False,
        path_mode="RELATIVE",
        apply_scale_options="FBX_SCALE_UNITS" if preset.fbx_units else "FBX_SCALE_NONE",
    )


def _sentence(error: RuntimeError) -> str:
    """What an exporter says, of a traceback its last line."""
    text = str(error).strip()
    if "Traceback" not in text:
        return text
    lines = [line for line in text.split("Location:")[0].splitlines() if line and not line.startswith(" ")]
    return f"Blender's exporter failed: {lines[-1]}"


def _forget_folder(path: str) -> None:
    """Replace the name of the folder in which an FBX file was written: its exporter stores whole paths, too.

    By a piece of a path that means "here" and is as long, because the file holds lengths and offsets.
    """
    name = os.path.basename(os.path.dirname(path)).encode()
    here = (b"/" * (len(name) % 2 == 0) + b"./" * len(name))[: len(name) - 1] + b"."
    with open(path, "r+b") as stream:
        data = stream.read().replace(name, here)
        stream.seek(0)
        stream.write(data)


def _write_usd(context: bpy.types.Context, path: str, preset: presets.Preset) -> None:
    wanted = {
        "selected_objects_only": True, "export_animation": False, "export_hair": False, "export_uvmaps": True,
        "export_normals": True, "export_materials": True, "generate_preview_surface": True, "export_shapekeys": True,
        "export_textures": False, "export_textures_mode": "KEEP", "relative_paths": True, "export_lights": False,
        "export_cameras": False, "export_custom_properties": False, "convert_world_material": False,
        "export_subdivision": "IGNORE",
    }  # fmt: skip
    # Not every Blender has all of them.
    operator: Any = bpy.ops.wm.usd_export
    known = operator.get_rna_type().properties.keys()
    operator(filepath=path, **{key: value for key, value in wanted.items() if key in known})
