# SPDX-License-Identifier: GPL-3.0-or-later
"""Color spaces and views by what they are for: their names differ between OpenColorIO configurations.

Blender's own configuration has "Non-Color", "sRGB", "Standard" and "Raw"; a studio's (ACES, for example) has none of
them, and Blender then takes the spaces of its roles.
"""

from typing import Any

import bpy

from ..system.required import required

# Views that show sRGB as it is, and views that change nothing, in the order in which they are tried.
_PLAIN = ("Standard", "Un-tone-mapped", "sRGB", "Video", "Untonemapped")
_RAW = ("Raw", "None", "raw")


def set_space(image: bpy.types.Image, is_data: bool) -> None:
    """Say of an image whether its values are data, such as normals, or sRGB colors."""
    settings: Any = image.colorspace_settings
    if is_data:
        settings.is_data = True
        return
    if settings.is_data:
        settings.is_data = False
    if "sRGB" in _names(settings, "name"):
        settings.name = "sRGB"
    else:
        settings.name = _byte_space()


def use_plain_view(scene: bpy.types.Scene) -> None:
    """Show colors as they are, without a film's look; where the configuration has no such view, its default stays."""
    _use_view(scene, _PLAIN)


def use_raw_view(scene: bpy.types.Scene) -> bool:
    """Write values as they are; False where the configuration has no such view."""
    return _use_view(scene, _RAW)


def _use_view(scene: bpy.types.Scene, names: tuple[str, ...]) -> bool:
    view: Any = scene.view_settings
    known = _names(view, "view_transform")
    for name in names:
        if name in known:
            view.view_transform = name
            view.look, view.exposure, view.gamma, view.use_curve_mapping = "None", 0.0, 1.0, False
            return True
    return False


def _names(owner: Any, name: str) -> tuple[str, ...]:
    """The values that an enum property accepts under this configuration."""
    try:
        setattr(owner, name, "?")
    except TypeError as error:
        # Only the error names them: enums made by callbacks list nothing in their definition.
        _, _, listed = str(error).partition("not found in ")
        return tuple(part for part in listed.strip("()").split("'") if part.strip(", "))
    return ()


def _byte_space() -> str:
    """The space that Blender gives images of 8 bits: the one that the configuration names for it."""
    image = bpy.data.images.new("HFFNE space", 1, 1)
    try:
        return required(image.colorspace_settings).name
    finally:
        bpy.data.images.remove(image)
