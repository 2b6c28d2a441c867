# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings in the panel; kept in the scene, so that a file keeps its photo and options."""

import os
from typing import Any

import bpy

from . import check_boxes
from .photo import auto_detect, detected_faces, image_file
from .scene import face_attributes
from .system.photo_formats import FORMAT_NAMES
from .system.required import required

# Where the settings are kept on a scene.
PROPERTY = "hffne"
# The folder with the extension's own presets.
_HERE = os.path.dirname(__file__)

SOURCES = (
    ("FILE", "File", "A photo on the disk"),
    ("IMAGE", "Open Image", "An image that is open in Blender, or pasted from the clipboard"),
)
TEXTURE_SIZES = (
    ("512", "512", "For a quick preview"),
    ("1024", "1024", "Enough for most photos"),
    ("2048", "2048", "For large photos"),
    ("4096", "4096", "For very large photos; slow"),
    ("8192", "8192", "For film close-ups; takes several GB of memory, very slow"),
)
BASES = (
    ("HEAD", "Head", "A whole head with ears, neck, eyes and teeth, and shape keys for its expressions"),
    ("MASK", "Mask", "The front of the face alone, as one sheet"),
)
DEFAULT_BASE = "HEAD"
LODS = (
    ("FULL", "Full", "26,719 vertices: for close-ups and film"),
    ("HALF", "Half", "About half as many vertices"),
    ("GAME", "Game", "About 6,000 vertices: for games"),
)
GRIDS = (
    ("32", "Low (32)", "About 1,000 vertices: for games and for rigging"),
    ("64", "Medium (64)", "About 3,000 vertices"),
    ("128", "High (128)", "About 12,000 vertices: the resolution at which the shape is estimated"),
)
MAPS = (
    ("ALBEDO", "Delit Color", "The colors without the photo's lighting, as far as one photo allows"),
    ("BANDS", "Detail Scales", "Fine, medium and coarse detail as separate maps, for the sliders"),
    ("HEIGHT", "Height", "The relief above the base mesh in meters, for displacement"),
    ("OCCLUSION", "Occlusion", "Ambient occlusion: darker where less light arrives from the surroundings"),
    ("ROUGHNESS", "Roughness", "Estimated roughness of the skin"),
    ("CURVATURE", "Curvature", "Ridges bright, creases dark: a mask for painting"),
    ("RELIGHT", "Photo Relighting", "Maps for relighting the photo itself"),
    # Files hold places in this list: what is new comes last.
    ("SEEN", "Seen Skin", "White where the photo shows the skin itself, black where it is completed"),
    (
        "PORES",
        "Synthetic Pores",
        "Pores and fine lines that no photo shows, made up by region, for close-ups at a texture size of 4096 or more. "
        "They show once their slider is raised",
    ),
)
# Where Blender keeps presets of the output, and what they set.
PRESETS = "hffne/output"
OUTPUT = ("base", "detail_size", "texture_size", "lod", "grid", "color", "keep_hair", "keep_glasses", "maps")
DETAIL_SIZES = (
    ("AUTO", "Auto", "As much as the photo holds; 2048 on a GPU only"),
    ("256", "256", "Fast: folds and deep wrinkles"),
    ("512", "512", "Wrinkles; for faces wider than 200 pixels"),
    ("1024", "1024", "Fine wrinkles; for sharp faces wider than 400 pixels"),
    ("2048", "2048", "Pores; for sharp faces wider than 800 pixels. Slow without a GPU"),
)
DEFAULT_MAPS = {"ALBEDO", "BANDS", "HEIGHT", "OCCLUSION", "ROUGHNESS"}


# Each property is defined once, for the panel's settings and for the operators with the same property.


def texture_size_property(**more: Any) -> Any:
    """The side of the textures in pixels."""
    return bpy.props.EnumProperty(
        name="Texture Size",
        description="Side of the textures in pixels",
        items=TEXTURE_SIZES,
        default="1024",
        **more,
    )


def detail_size_property(**more: Any) -> Any:
    """The side in pixels of the photo's crop for the fine network."""
    return bpy.props.EnumProperty(
        name="Detail",
        description="How closely the photo is examined: side in pixels of the square around the face",
        items=DETAIL_SIZES,
        default="AUTO",
        **more,
    )


def base_property(**more: Any) -> Any:
    """What is built: a head or a mask."""
    return bpy.props.EnumProperty(
        name="Base", description="What is built from the photo", items=BASES, default=DEFAULT_BASE, **more
    )


def lod_property(**more: Any) -> Any:
    """The density of a head's mesh."""
    return bpy.props.EnumProperty(
        name="Mesh", description="Density of the head's mesh; all have the same UVs", items=LODS, default="FULL", **more
    )


def grid_property(**more: Any) -> Any:
    """The resolution of a mask's mesh: vertices along each side of its UV grid."""
    return bpy.props.EnumProperty(
        name="Mesh", description="Resolution of the mask's mesh", items=GRIDS, default="128", **more
    )


def keep_hair_property(**more: Any) -> Any:
    """Whether hair over the face stays."""
    return bpy.props.BoolProperty(
        name="Keep Hair in Texture",
        description="Leave hair that lies over the face as the photo shows it; else the skin below is completed",
        **more,
    )


def keep_glasses_property(**more: Any) -> Any:
    """Whether glasses stay."""
    return bpy.props.BoolProperty(
        name="Keep Glasses",
        description="Leave glasses as the photo shows them; else the skin below is completed",
        **more,
    )


def color_property(**more: Any) -> Any:
    """Whether the face has a color texture."""
    return bpy.props.BoolProperty(
        name="Color Texture", description="Project the photo's colors onto the face", default=True, **more
    )


def maps_property(**more: Any) -> Any:
    """The textures besides the normal map, a set of the names in MAPS."""
    options = {"ENUM_FLAG"} | more.pop("options", set())
    return bpy.props.EnumProperty(
        name="Maps",
        description="Textures to create besides the normal map",
        items=MAPS,
        default=DEFAULT_MAPS,
        options=options,
        **more,
    )


def photo_property(subtype: Any = "FILE_PATH", **more: Any) -> Any:
    """The path of the photo."""
    return bpy.props.StringProperty(
        name="Photo", description=f"A photo with a face: {FORMAT_NAMES}", subtype=subtype, **more
    )


def photo_number_property(**more: Any) -> Any:
    """Which photo of a face of several."""
    return bpy.props.IntProperty(
        name="Photo",
        description="Which photo of a face of several, from 1; 0 is the one over which it was looked at last",
        default=0,
        min=0,
        **more,
    )


def image_name_property(**more: Any) -> Any:
    """The name of an open image that is the photo."""
    return bpy.props.StringProperty(
        name="Image", description="Name of an image that is open in Blender, instead of a file", **more
    )


def face_property(**more: Any) -> Any:
    """The number of the face on the photo."""
    return bpy.props.IntProperty(
        name="Face",
        description="Number of the face on the photo, from 1, the largest first; 0 uses the largest",
        default=0,
        min=0,
        soft_max=20,
        **more,
    )


def _shown_face(self: "HFFNE_Settings") -> int:
    return max(1, self.face)


def _choose_face(self: "HFFNE_Settings", number: int) -> None:
    self.face = number


class MapBoxes:
    """The check boxes of the property `maps`, for the settings and the operators that have it."""

    __annotations__ = check_boxes.boxes(MAPS, options={"HIDDEN", "SKIP_SAVE"})


class HFFNE_Settings(MapBoxes, bpy.types.PropertyGroup):
    """The settings of one scene."""

    source: bpy.props.EnumProperty(
        name="Source", description="Where the photo comes from", items=SOURCES, update=auto_detect.changed
    )
    # The panel has a button of its own, whose file browser shows photos alone, as pictures.
    photo: photo_property("NONE", update=auto_detect.changed)
    image: bpy.props.PointerProperty(
        name="Image",
        description="An image that is open in Blender",
        type=bpy.types.Image,
        update=auto_detect.changed,
        poll=lambda self, image: image_file.may_be_photo(image),
    )
    face: face_property()
    shown_face: bpy.props.EnumProperty(
        name="Face",
        description="Face of the photo to build",
        items=detected_faces.choices,
        get=_shown_face,
        set=_choose_face,
    )
    base: base_property()
    detail_size: detail_size_property()
    texture_size: texture_size_property()
    lod: lod_property()
    grid: grid_property()
    color: color_property()
    keep_hair: keep_hair_property()
    keep_glasses: keep_glasses_property()
    maps: maps_property()
    mirror_pins: bpy.props.BoolProperty(
        name="Mirror Pins",
        description="New pins move the other side of the face too, mirrored",
        default=False,
    )
    pin_photo: bpy.props.FloatProperty(
        name="Photo",
        description="How much of the photo is seen in front of the face while you move pins",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    applied_face: bpy.props.PointerProperty(
        name="Face",
        description="The face whose detail is applied to your mesh; empty uses the selected one, or the latest",
        type=bpy.types.Object,
        poll=lambda self, obj: face_attributes.is_face(obj),
    )


def output_names(base: str) -> tuple[str, ...]:
    """The properties to show for the output of a base, in their order; the maps come after them."""
    return (
        "base",
        "detail_size",
        "texture_size",
        "lod" if base == "HEAD" else "grid",
        "color",
        "keep_hair",
        "keep_glasses",
    )


def of(context: bpy.types.Context) -> HFFNE_Settings:
    """The settings of the current scene."""
    return getattr(required(context.scene), PROPERTY)


def register() -> None:
    """Register the settings and attach them to scenes."""
    detected_faces.register()
    bpy.utils.register_preset_path(_HERE)
    bpy.utils.register_class(HFFNE_Settings)
    group = bpy.props.PointerProperty(type=HFFNE_Settings)  # type: ignore[func-returns-value]  # the stub lacks it
    setattr(bpy.types.Scene, PROPERTY, group)
    auto_detect.register()


def unregister() -> None:
    """Undo `register`."""
    delattr(bpy.types.Scene, PROPERTY)
    bpy.utils.unregister_class(HFFNE_Settings)
    auto_detect.unregister()
    bpy.utils.unregister_preset_path(_HERE)
    detected_faces.unregister()
