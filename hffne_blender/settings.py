# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel asks for; kept in the scene, so that a file remembers its photo."""

import bpy

from .photo import auto_detect, detected_faces
from .scene import face_attributes
from .system.photo_formats import FORMAT_NAMES

SOURCES = (
    ("FILE", "File", "A photo on the disk"),
    ("IMAGE", "Open Image", "An image that is open in Blender, or pasted from the clipboard"),
)
TEXTURE_SIZES = (
    ("512", "512", "Quick look"),
    ("1024", "1024", "Enough for most photos"),
    ("2048", "2048", "For large photos"),
    ("4096", "4096", "For very large photos; slow"),
)
GRIDS = (
    ("32", "Low (32)", "About 1,000 vertices: games and rigs"),
    ("64", "Medium (64)", "About 3,000 vertices"),
    ("128", "High (128)", "About 12,000 vertices: the resolution at which the shape is measured"),
)
MAPS = (
    ("ALBEDO", "Delit Color", "The colors with the photo's light taken off, as far as one photo tells"),
    ("BANDS", "Detail Scales", "Fine, medium and coarse detail apart, so that sliders can weigh them"),
    ("HEIGHT", "Height", "The relief in meters over the base mesh, for displacement"),
    ("OCCLUSION", "Occlusion", "Ambient occlusion: where less light from around arrives"),
    ("ROUGHNESS", "Roughness", "A suggestion for the skin's roughness"),
    ("CURVATURE", "Curvature", "Ridges bright, creases dark: a mask for painting"),
    ("RELIGHT", "Photo Relighting", "What is needed to light the photo itself anew"),
)
DEFAULT_MAPS = {"ALBEDO", "BANDS", "HEIGHT", "OCCLUSION", "ROUGHNESS"}


# The properties stand here once: the panel's settings and the operator have the same.


def texture_size_property(**more):
    return bpy.props.EnumProperty(
        name="Texture Size",
        description="Side of the textures in pixels",
        items=TEXTURE_SIZES,
        default="1024",
        **more,
    )


def grid_property(**more):
    return bpy.props.EnumProperty(
        name="Mesh", description="How finely the mesh is divided", items=GRIDS, default="128", **more
    )


def color_property(**more):
    return bpy.props.BoolProperty(
        name="Color Texture", description="Carry the photo's colors onto the face", default=True, **more
    )


def maps_property(**more):
    options = {"ENUM_FLAG"} | more.pop("options", set())
    return bpy.props.EnumProperty(
        name="Maps",
        description="Which textures are made besides the normal map",
        items=MAPS,
        default=DEFAULT_MAPS,
        options=options,
        **more,
    )


def photo_property(**more):
    return bpy.props.StringProperty(
        name="Photo", description=f"A photo with a face: {FORMAT_NAMES}", subtype="FILE_PATH", **more
    )


def image_name_property(**more):
    return bpy.props.StringProperty(
        name="Image", description="The name of an image that is open in Blender, instead of a file", **more
    )


def face_property(**more):
    return bpy.props.IntProperty(
        name="Face",
        description="Which face of the photo, from 1, the largest first; 0 takes the largest",
        default=0,
        min=0,
        soft_max=20,
        **more,
    )


def take_over(operator, context, names=("texture_size", "grid", "color", "maps")):
    """Give an operator the panel's settings, wherever its caller has not said otherwise."""
    for name in names:
        if not operator.properties.is_property_set(name):
            setattr(operator, name, getattr(context.scene.hffne, name))


def take_photo(operator, context):
    """Give an operator the panel's photo, unless its caller has named one."""
    if operator.photo or operator.image:
        return
    chosen = context.scene.hffne
    if chosen.source == "IMAGE":
        operator.image = chosen.image.name if chosen.image is not None else ""
    else:
        operator.photo = chosen.photo


def request(operator, **more):
    """The engine's request for a face as an operator's properties of the same names want it."""
    return {
        "type": "generate",
        "texture_size": int(operator.texture_size),
        "grid": int(operator.grid),
        # Always with color: switching it off and on again is then the extension's own affair.
        "color": True,
        "maps": sorted(name.lower() for name in operator.maps),
        **more,
    }


def _shown_face(self):
    return max(1, self.face)


def _choose_face(self, number):
    self.face = number


class HFFNE_Settings(bpy.types.PropertyGroup):
    source: bpy.props.EnumProperty(
        name="Source", description="Where the photo is", items=SOURCES, update=auto_detect.changed
    )
    photo: photo_property(update=auto_detect.changed)
    image: bpy.props.PointerProperty(
        name="Image", description="An image that is open in Blender", type=bpy.types.Image, update=auto_detect.changed
    )
    face: face_property()
    shown_face: bpy.props.EnumProperty(
        name="Face",
        description="Which face of the photo is made",
        items=detected_faces.choices,
        get=_shown_face,
        set=_choose_face,
    )
    texture_size: texture_size_property()
    grid: grid_property()
    color: color_property()
    maps: maps_property()
    applied_face: bpy.props.PointerProperty(
        name="Face",
        description="The face whose detail is applied to your mesh; empty takes the selected one, else the latest",
        type=bpy.types.Object,
        poll=lambda self, obj: face_attributes.is_face(obj),
    )


def register():
    detected_faces.register()
    bpy.utils.register_class(HFFNE_Settings)
    bpy.types.Scene.hffne = bpy.props.PointerProperty(type=HFFNE_Settings)


def unregister():
    del bpy.types.Scene.hffne
    bpy.utils.unregister_class(HFFNE_Settings)
    auto_detect.unregister()
    detected_faces.unregister()
