# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.export_maps`: the maps of a face, or of a mesh that a face was applied to or baked onto, as files.

bpy.ops.hffne.export_maps(directory="/tmp/maps", file_format="OPEN_EXR", convention="DIRECTX")
"""

import bpy

from ..scene import export
from . import ask

KINDS = (
    ("normal", "Normal", "The normal map, of a face as its sliders make it"),
    ("color", "Color", "The photo's colors"),
    ("albedo", "Delit Color", "The colors without the photo's light"),
    ("height", "Height", "The relief over the base mesh"),
    ("curvature", "Curvature", "Ridges bright, creases dark"),
    ("occlusion", "Occlusion", "Ambient occlusion"),
    ("roughness", "Roughness", "The suggestion for the skin's roughness"),
    ("displacement", "Displacement", "What Apply to My Mesh has made: meters in OpenEXR, else 0.5 is no displacement"),
    ("bake_tangent", "Baked Normal", "The normal map baked onto this mesh, tangent space"),
    ("bake_object", "Baked Object-Space Normal", "The normal map baked onto this mesh, object space"),
    ("normal_medium", "Normal Without Fine", "The normal map without its fine detail"),
    ("normal_coarse", "Normal Without Medium", "The normal map without its fine and medium detail"),
)


class HFFNE_OT_export_maps(ask.IntoFolder, bpy.types.Operator):
    """Write the maps of the active object, a face or a mesh that has got its detail, into a folder"""

    bl_idname = "hffne.export_maps"
    bl_label = "Export Maps"

    directory: bpy.props.StringProperty(name="Folder", description="Where the files go", subtype="DIR_PATH")
    file_format: bpy.props.EnumProperty(
        name="Format",
        description="The kind of files",
        items=(
            ("PNG", "PNG", "16 bits; colors 8 bits, sRGB"),
            ("OPEN_EXR", "OpenEXR", "32 bits; colors linear, heights and displacements in meters"),
            ("TIFF", "TIFF", "16 bits; colors 8 bits, sRGB"),
        ),
    )
    convention: bpy.props.EnumProperty(
        name="Convention",
        description="Where green points in normal maps",
        items=(
            ("OPENGL", "OpenGL", "Green is up: Blender, Unity, Maya, Marmoset"),
            ("DIRECTX", "DirectX", "Green is down: Unreal Engine, 3ds Max, Substance by default"),
        ),
    )
    maps: bpy.props.EnumProperty(
        name="Maps",
        description="Which textures are written, of those that the object has",
        items=KINDS,
        default={item[0] for item in KINDS[:10]},
        options={"ENUM_FLAG"},
    )

    @classmethod
    def poll(cls, context):
        if not export.maps_of(context.object):
            cls.poll_message_set("Select a face made from a photo, or a mesh that one was applied to or baked onto")
            return False
        return True

    def execute(self, context):
        folder = self.folder()
        if folder is None:
            return {"CANCELLED"}
        stem = bpy.path.clean_name(context.object.name)
        try:
            directx = self.convention == "DIRECTX"
            written = export.export(context.object, stem, folder, self.file_format, directx, self.maps)
        except OSError as error:
            self.report({"ERROR"}, f"The maps could not be written into '{folder}': {error}")
            return {"CANCELLED"}
        if not written:
            self.report({"ERROR"}, f"'{context.object.name}' has none of the chosen maps.")
            return {"CANCELLED"}
        self.report({"INFO"}, f"{len(written)} maps written into {folder}")
        return {"FINISHED"}
