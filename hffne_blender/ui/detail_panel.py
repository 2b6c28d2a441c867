# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliders of the selected face: they hold what the material's own sockets hold, so they work at once."""

import bpy

from ..scene import detail_nodes, material, skin_nodes
from ..sliders import key
from ..studio import relight
from .panel import draw_text

# Sliders that have nothing to do where the relief's scales are not known apart.
OF_BANDS = ("Fine", "Medium", "Smoothing")


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
    return context.object if detail_nodes.has_sliders(context.object) else None


class HFFNE_PT_detail(_FacePanel, bpy.types.Panel):
    bl_idname = "HFFNE_PT_detail"
    bl_label = "Detail"
    # What one wants to do next with a face that is made.
    bl_options = set()

    def draw(self, context):
        layout = self.layout
        layout.use_property_split = True
        # They are keyed in the Shader Editor, see sliders.
        layout.use_property_decorate = False
        obj = find_face(context)
        skin = obj.data.materials[0]
        sliders, displaced, bands = skin.hffne_sliders, material.is_displaced(obj), detail_nodes.has_bands(skin)
        for name, *_ in detail_nodes.SLIDERS:
            if bands or name not in OF_BANDS:
                row = layout.row()
                row.enabled = name == "Strength" or not displaced
                row.prop(sliders, key(name), slider=True)
        if displaced:
            draw_text(context, layout, "The surface is moved by the whole height map: only Strength acts on it", "INFO")
        for name, *_ in skin_nodes.SLIDERS:
            if not skin_nodes.unavailable_reason(skin, name):
                layout.prop(sliders, key(name), slider=True)
        if material.can_displace(skin):
            row = layout.row(align=True)
            for relief, label in (("NORMAL", "Normals"), ("DISPLACEMENT", "Displacement")):
                row.operator(
                    "hffne.set_detail", text=label, depress=displaced == (relief == "DISPLACEMENT")
                ).relief = relief
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
        # They are keyed in the Shader Editor, see sliders.
        layout.use_property_decorate = False
        if find_face(context) is not None:
            layout.operator_menu_enum("hffne.add_lights", "preset", icon="LIGHT_AREA")
            row = layout.row(align=True)
            row.operator("hffne.add_turntable", icon="CON_CAMERASOLVER")
            row.operator_context = "INVOKE_DEFAULT"
            row.operator("hffne.render_turntable", text="", icon="RENDER_ANIMATION")
            layout.operator("hffne.relight_photo", icon="LIGHT_POINT")
            layout.operator("hffne.view_photo", icon="CAMERA_DATA")
        card = _card(context)
        if relight.find_node(card) is not None:
            for name, *_ in (relight.COLOR, *relight.SLIDERS):
                layout.prop(card.data.materials[0].hffne_relight, key(name), slider=True)


def _card(context):
    """The relit photo that is selected, or whose light is."""
    obj = context.object
    if obj is not None and obj.type == "EMPTY":
        obj = obj.parent
    return obj
