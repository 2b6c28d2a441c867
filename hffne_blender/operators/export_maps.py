# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.export_maps`: write the maps of a face, or of a mesh with applied or baked detail, as files.

bpy.ops.hffne.export_maps(directory="/tmp/maps", file_format="OPEN_EXR", convention="DIRECTX")
"""

import bpy

from .. import check_boxes
from ..scene import export
from ..studio.place import face_at
from ..system.required import required
from .bases.folder import IntoFolder
from .bases.types import OperatorResult

KINDS = (
    ("normal", "Normal", "The normal map, with the face's sliders applied"),
    ("color", "Color", "The photo's colors"),
    ("albedo", "Delit Color", "The colors without the photo's lighting"),
    ("height", "Height", "The relief above the base mesh"),
    ("curvature", "Curvature", "Ridges bright, creases dark"),
    ("occlusion", "Occlusion", "Ambient occlusion"),
    ("roughness", "Roughness", "Estimated roughness of the skin"),
    ("seen", "Seen Skin", "White where the photo shows the skin itself"),
    ("displacement", "Displacement", "From Apply to My Mesh: meters in OpenEXR; otherwise 0.5 is no displacement"),
    ("bake_tangent", "Baked Normal", "The tangent-space normal map baked onto this mesh"),
    ("bake_object", "Baked Object-Space Normal", "The object-space normal map baked onto this mesh"),
    ("normal_medium", "Normal Without Fine", "The normal map without its fine detail"),
    ("normal_coarse", "Normal Without Medium", "The normal map without its fine and medium detail"),
    ("normal_pores", "Normal With Synthetic Pores", "The normal map with pores that no photo showed"),
)


class _Boxes:
    """The check boxes of the property `maps`."""

    __annotations__ = check_boxes.boxes(KINDS, options={"HIDDEN", "SKIP_SAVE"})


class HFFNE_OT_export_maps(_Boxes, IntoFolder, bpy.types.Operator):
    """Write the maps of the active object, a face or a mesh with applied or baked detail, into a folder"""

    bl_idname = "hffne.export_maps"
    bl_label = "Export Maps"

    directory: bpy.props.StringProperty(name="Folder", description="Folder for the files", subtype="DIR_PATH")
    file_format: bpy.props.EnumProperty(
        name="Format",
        description="Format of the files",
        items=(
            ("PNG", "PNG", "16 bits; colors 8 bits, sRGB"),
            ("OPEN_EXR", "OpenEXR", "32 bits; colors linear, heights and displacements in meters"),
            ("TIFF", "TIFF", "16 bits; colors 8 bits, sRGB"),
        ),
    )
    convention: bpy.props.EnumProperty(
        name="Convention",
        description="Direction of the green channel in normal maps",
        items=(
            ("OPENGL", "OpenGL", "Green is up: Blender, Unity, Maya, Marmoset"),
            ("DIRECTX", "DirectX", "Green is down: Unreal Engine, 3ds Max, Substance by default"),
        ),
    )
    maps: bpy.props.EnumProperty(
        name="Maps",
        description="Maps to write, of those that the object has",
        items=KINDS,
        default={item[0] for item in KINDS[:11]},
        options={"ENUM_FLAG"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not export.maps_of(_object(context)):
            cls.poll_message_set("Select a face made from a photo, or a mesh with applied or baked detail")
            return False
        return True

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "file_format")
        layout.prop(self, "convention")
        check_boxes.draw(layout, self, KINDS, "Maps", export.maps_of(_object(context)))

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        folder = self.folder()
        if folder is None:
            return {"CANCELLED"}
        obj = required(_object(context))
        stem = bpy.path.clean_name(obj.name)
        try:
            directx = self.convention == "DIRECTX"
            written = export.export(obj, stem, folder, self.file_format, directx, self.maps)
        except OSError as error:
            self.report({"ERROR"}, f"The maps could not be written into '{folder}': {error}")
            return {"CANCELLED"}
        if not written:
            self.report({"ERROR"}, f"'{obj.name}' has none of the chosen maps.")
            return {"CANCELLED"}
        self.report({"INFO"}, f"{len(written)} maps written into {folder}")
        return {"FINISHED"}


def _object(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active object, or the face that it was put around as a light or camera."""
    return face_at(context.object) or context.object
