# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliders of the selected face: they are the material's own sockets, so they work at once."""

import bpy

from ..scene import detail, material
from ..studio import relight


class _FacePanel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "HFFNE"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context):
        return find_face(context) is not None


def find_face(context):
    """The active object if it is a face with its sliders, or None."""
    return context.object if detail.is_face(context.object) else None


class HFFNE_PT_detail(_FacePanel, bpy.types.Panel):
    bl_idname = "HFFNE_PT_detail"
    bl_label = "Detail"
    # What one wants to do next with a face that is made.
    bl_options = set()

    def draw(self, context):
        layout = self.layout
        layout.use_property_split = True
        obj = find_face(context)
        skin = obj.data.materials[0]
        node = detail.find_node(skin)
        for name, *_ in detail.SLIDERS:
            layout.prop(node.inputs[name], "default_value", text=name)
        for label in ("Delit", "Clay"):
            mix = material.mix_node(skin, label)
            if mix is not None:
                layout.prop(mix.inputs["Factor"], "default_value", text=label)
        if material.find_node(skin, "DISPLACEMENT") is not None:
            row = layout.row(align=True)
            displaced = obj.modifiers.get(material.DISPLACEMENT_MODIFIER) is not None
            for relief, label in (("NORMAL", "Normals"), ("DISPLACEMENT", "Displacement")):
                chosen = displaced == (relief == "DISPLACEMENT")
                row.operator("hffne.set_detail", text=label, depress=chosen).relief = relief
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("hffne.export_maps", icon="EXPORT")
        layout.operator("hffne.bake", icon="RENDER_STILL")


class HFFNE_PT_look(_FacePanel, bpy.types.Panel):
    bl_idname = "HFFNE_PT_look"
    bl_label = "Look"

    @classmethod
    def poll(cls, context):
        return find_face(context) is not None or relight.find_node(_card(context)) is not None

    def draw(self, context):
        layout = self.layout
        layout.use_property_split = True
        if find_face(context) is not None:
            layout.operator_menu_enum("hffne.add_lights", "preset", icon="LIGHT_AREA")
            row = layout.row(align=True)
            row.operator("hffne.add_turntable", icon="CON_CAMERASOLVER")
            row.operator_context = "INVOKE_DEFAULT"
            row.operator("hffne.render_turntable", text="", icon="RENDER_ANIMATION")
            layout.operator("hffne.relight_photo", icon="LIGHT_POINT")
            layout.operator("hffne.view_photo", icon="CAMERA_DATA")
        node = relight.find_node(_card(context))
        if node is not None:
            layout.prop(node.inputs["Light Colour"], "default_value", text="Light Colour")
            for name, *_ in relight.SLIDERS:
                layout.prop(node.inputs[name], "default_value", text=name)


def _card(context):
    """The relit photo that is selected, or whose light is."""
    obj = context.object
    if obj is not None and obj.type == "EMPTY":
        obj = obj.parent
    return obj
