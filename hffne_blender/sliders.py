# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliders of faces and relit photos as properties of their materials, so that each has its own tooltip.

They read and write the sockets of the node groups, whose own tooltips are Blender's and the same for all. They cannot
be keyed: Blender evaluates a frame on threads that would wait for Python while Python waits for them. The sockets can.
"""

from typing import Any

import bpy

from .scene import detail_nodes, skin_nodes
from .scene.nodes import find_group
from .studio import relight

# Where the two groups of sliders are kept on a material.
SLIDERS_PROPERTY, RELIGHT_PROPERTY = "hffne_sliders", "hffne_relight"


def key(name: str) -> str:
    """The property's identifier of the slider `name`."""
    return name.lower().replace(" ", "_")


def _access(tag: str, name: str, default: Any) -> dict[str, Any]:
    """`get` and `set` of a property: the socket `name` of the material's node group with this tag."""

    def socket(own: bpy.types.PropertyGroup) -> Any:
        material = own.id_data
        node = find_group(material, tag) if isinstance(material, bpy.types.Material) else None
        return None if node is None else node.inputs.get(name)

    def read(own: bpy.types.PropertyGroup) -> Any:
        found = socket(own)
        return default if found is None else found.default_value

    def write(own: bpy.types.PropertyGroup, value: Any) -> None:
        found = socket(own)
        if found is not None:
            found.default_value = value

    return {"get": read, "set": write}


def _slider(tag: str, name: str, default: float, most: float, description: str) -> Any:
    access = _access(tag, name, default)
    return bpy.props.FloatProperty(
        name=name, description=description, default=default, min=0, max=most, options=set(), **access
    )


def _color(tag: str, name: str, description: str) -> Any:
    access = _access(tag, name, (1, 1, 1, 1))
    return bpy.props.FloatVectorProperty(
        name=name, description=description, subtype="COLOR", size=4, min=0, max=1, options=set(), **access
    )


class HFFNE_Sliders(bpy.types.PropertyGroup):
    """The sliders of a face's material."""

    __annotations__ = {
        key(slider[0]): _slider(tag, *slider)
        for tag, sliders in ((detail_nodes.TAG, detail_nodes.SLIDERS), (skin_nodes.TAG, skin_nodes.SLIDERS))
        for slider in sliders
    }


class HFFNE_RelightSliders(bpy.types.PropertyGroup):
    """The sliders of a relit photo's material."""

    __annotations__ = {
        key(relight.COLOR[0]): _color(relight.TAG, *relight.COLOR),
        **{key(slider[0]): _slider(relight.TAG, *slider) for slider in relight.SLIDERS},
    }


GROUPS = {SLIDERS_PROPERTY: HFFNE_Sliders, RELIGHT_PROPERTY: HFFNE_RelightSliders}


def of_face(skin: bpy.types.Material) -> HFFNE_Sliders:
    """The sliders of a face's material."""
    return getattr(skin, SLIDERS_PROPERTY)


def of_relit_photo(skin: bpy.types.Material) -> HFFNE_RelightSliders:
    """The sliders of a relit photo's material."""
    return getattr(skin, RELIGHT_PROPERTY)


def register() -> None:
    """Register the sliders and attach them to materials."""
    for name, cls in GROUPS.items():
        bpy.utils.register_class(cls)
        group = bpy.props.PointerProperty(type=cls)  # type: ignore[func-returns-value]  # the stub lacks it
        setattr(bpy.types.Material, name, group)


def unregister() -> None:
    """Undo `register`."""
    for name, cls in reversed(GROUPS.items()):
        delattr(bpy.types.Material, name)
        bpy.utils.unregister_class(cls)
