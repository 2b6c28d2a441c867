# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.export_character`: a face with its textures as GLB, FBX and USD, for other programs.

bpy.ops.hffne.export_character(directory="/tmp/ada", preset="UNREAL")
"""

from typing import Any

import bpy

from ..export import character, presets
from ..studio.place import face_at
from ..system.required import required
from .bases.folder import IntoFolder
from .bases.polls import OnFace
from .bases.types import OperatorResult

_ITEMS = tuple((key, preset.label, preset.note) for key, preset in presets.PRESETS.items())


def _format(name: str, description: str) -> Any:
    return bpy.props.BoolProperty(name=name, description=description, default=False)


def _choose_formats(self: "HFFNE_OT_export_character", chosen: presets.Preset) -> None:
    """Those of the preset that this Blender can write."""
    for name in character.FORMATS:
        setattr(self, name, name in chosen.formats and not character.lacking((name,)))


def _use_preset(self: "HFFNE_OT_export_character", context: bpy.types.Context) -> None:
    chosen = presets.PRESETS[self.preset]
    _choose_formats(self, chosen)
    self.convention = "DIRECTX" if chosen.directx else "OPENGL"
    self.packing = chosen.packed


class HFFNE_OT_export_character(IntoFolder, OnFace, bpy.types.Operator):
    """Write the selected face for another program: its mesh with shape keys and parts, and its textures as the \
sliders show them"""

    bl_idname = "hffne.export_character"
    bl_label = "Export Character"
    bl_options = {"PRESET"}

    directory: bpy.props.StringProperty(
        name="Folder", description="Folder for the files", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    name: bpy.props.StringProperty(
        name="Name",
        description="Name of the character and its files; empty uses the object's",
        options={"SKIP_SAVE"},
    )
    preset: bpy.props.EnumProperty(
        name="For", description="The program that the files are for", items=_ITEMS, update=_use_preset
    )
    glb: _format("GLB", "glTF in one file with its textures: web, Godot, Blender")
    fbx: _format("FBX", "For game engines and other 3D programs; the textures lie beside it")
    usd: _format("USD", "For film pipelines; the textures lie beside it")
    convention: bpy.props.EnumProperty(
        name="Normal Map",
        description="Direction of the green channel in the normal map file; in GLB and USD it is always OpenGL",
        items=(
            ("OPENGL", "OpenGL", "Green is up: Blender, Unity, Maya, Marmoset"),
            ("DIRECTX", "DirectX", "Green is down: Unreal Engine, 3ds Max, Substance by default"),
        ),
    )
    packing: bpy.props.EnumProperty(
        name="Textures",
        description="How occlusion and roughness are written",
        items=(
            ("SINGLE", "Single", "A file for each"),
            ("PACKED", "Packed", "As the channels of one file, as the program expects it"),
            ("BOTH", "Both", "Packed and single files"),
        ),
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        self._fill_in()
        return super().invoke(context, event)

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "name", placeholder=required(face_at(context.object)).name)
        layout.prop(self, "preset")
        column = layout.column(heading="Files")
        for name in character.FORMATS:
            row = column.row()
            row.enabled = not character.lacking((name,))
            row.prop(self, name, text=name.upper() if row.enabled else f"{name.upper()} (not available)")
        layout.prop(self, "convention")
        layout.prop(self, "packing")

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        self._fill_in()
        folder = self.folder()
        if folder is None:
            return {"CANCELLED"}
        obj = required(face_at(context.object))
        formats = tuple(name for name in character.FORMATS if getattr(self, name))
        lack = character.lacking(formats)
        if lack:
            self.report({"ERROR"}, lack)
            return {"CANCELLED"}
        name = bpy.path.clean_name(self.name or obj.name)
        choices = character.Choices(name, self.preset, formats, self.convention == "DIRECTX", self.packing)
        try:
            written = character.export(context, obj, folder, choices)
        except OSError as error:
            self.report({"ERROR"}, f"The character could not be written into '{folder}': {error}")
            return {"CANCELLED"}
        if obj.modifiers:
            self.report({"WARNING"}, f"The modifiers of '{obj.name}' are left out: with them it has no shape keys")
        self.report({"INFO"}, f"{len(written)} files written into {folder}")
        return {"FINISHED"}

    def _fill_in(self) -> None:
        """Take the preset's values for what the caller or the last run has not set."""
        chosen = presets.PRESETS[self.preset]
        if not any(self.properties.is_property_set(name) for name in character.FORMATS):
            _choose_formats(self, chosen)
        if not self.properties.is_property_set("convention"):
            self.convention = "DIRECTX" if chosen.directx else "OPENGL"
        if not self.properties.is_property_set("packing"):
            self.packing = chosen.packed
