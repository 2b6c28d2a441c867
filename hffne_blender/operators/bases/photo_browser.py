# SPDX-License-Identifier: GPL-3.0-or-later
"""The file browser of operators that ask for photos: pictures instead of names, and photos alone."""

import bpy

from ...system.photo_formats import EXTENSIONS


class PhotoBrowser:
    """The properties from which Blender's file browser takes how it shows files."""

    # Its numbers and names are Blender's own.
    display_type: bpy.props.EnumProperty(
        items=(("DEFAULT", "", "", 0), ("LIST_VERTICAL", "", "", 1), ("LIST_HORIZONTAL", "", "", 2),
               ("THUMBNAIL", "", "", 3)),
        default="THUMBNAIL",
        options={"HIDDEN", "SKIP_SAVE"},
    )  # fmt: skip
    filter_glob: bpy.props.StringProperty(
        default=";".join(f"*{ending}" for ending in EXTENSIONS), options={"HIDDEN", "SKIP_SAVE"}
    )
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})


# What an operator that is run once more does not get.
NAMES = {"display_type", "filter_glob", "filter_image", "filter_folder"}
