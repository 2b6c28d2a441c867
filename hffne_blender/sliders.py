# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliders of faces and relit photos as properties of their materials, so that each says what it does.

They pass on what the nodes' sockets hold, whose own tooltips are Blender's and all the same. They cannot be keyed:
Blender evaluates a frame on threads that would wait for Python, and Python for them. The sockets can.
"""

import bpy

from .scene import detail_nodes, skin_nodes
from .scene.nodes import find_group
from .studio import relight


def key(name):
    """A slider's name as a property's."""
    return name.lower().replace(" ", "_")


def _access(tag, name):
    def socket(own):
        node = find_group(own.id_data, tag)
        return None if node is None else node.inputs.get(name)

    return socket


def _slider(tag, name, default, most, description):
    socket = _access(tag, name)

    def read(own):
        found = socket(own)
        return default if found is None else found.default_value

    def write(own, value):
        found = socket(own)
        if found is not None:
            found.default_value = value

    return bpy.props.FloatProperty(
        name=name, description=description, default=default, min=0, max=most, get=read, set=write, options=set()
    )


def _color(tag, name, description):
    socket = _access(tag, name)

    def read(own):
        found = socket(own)
        return (1, 1, 1, 1) if found is None else found.default_value

    def write(own, value):
        found = socket(own)
        if found is not None:
            found.default_value = value

    return bpy.props.FloatVectorProperty(
        name=name, description=description, subtype="COLOR", size=4, min=0, max=1, get=read, set=write, options=set()
    )


class HFFNE_Sliders(bpy.types.PropertyGroup):
    __annotations__ = {
        key(slider[0]): _slider(tag, *slider)
        for tag, sliders in ((detail_nodes.TAG, detail_nodes.SLIDERS), (skin_nodes.TAG, skin_nodes.SLIDERS))
        for slider in sliders
    }


class HFFNE_RelightSliders(bpy.types.PropertyGroup):
    __annotations__ = {
        key(relight.COLOR[0]): _color(relight.TAG, *relight.COLOR),
        **{key(slider[0]): _slider(relight.TAG, *slider) for slider in relight.SLIDERS},
    }


def register():
    for cls in (HFFNE_Sliders, HFFNE_RelightSliders):
        bpy.utils.register_class(cls)
    bpy.types.Material.hffne_sliders = bpy.props.PointerProperty(type=HFFNE_Sliders)
    bpy.types.Material.hffne_relight = bpy.props.PointerProperty(type=HFFNE_RelightSliders)


def unregister():
    del bpy.types.Material.hffne_relight
    del bpy.types.Material.hffne_sliders
    for cls in (HFFNE_RelightSliders, HFFNE_Sliders):
        bpy.utils.unregister_class(cls)
