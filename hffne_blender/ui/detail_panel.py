# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels of the selected face: its sliders, which act at once, and its lights and cameras."""

import bpy

from .. import sliders
from ..operators.bases import viewport
from ..scene import detail_nodes, head, material, shape_keys, skin_nodes
from ..scene.access import first_material
from ..studio import place, relight
from ..studio.place import face_at
from ..system.required import required
from .layouts import SidebarPanel, draw_text

# Sliders without effect on a face whose detail has no separate scales.
OF_BANDS = ("Fine", "Medium", "Smoothing")


def active_face(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active object if it is a face with its sliders or stands around one, such as a light; else None."""
    return face_at(context.object)


class HFFNE_PT_detail(SidebarPanel, bpy.types.Panel):
    """The sliders of the face's detail, export and baking."""

    bl_idname = "HFFNE_PT_detail"
    bl_label = "Detail"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return active_face(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.use_property_split = True
        # Animation keys are set in the Shader Editor, see sliders.
        layout.use_property_decorate = False
        obj = required(active_face(context))
        skin = first_material(obj)
        values, displaced, bands = sliders.of_face(skin), material.is_displaced(obj), detail_nodes.has_bands(skin)
        draw_show_detail(layout, context, "Show Detail")
        expression = shape_keys.photo_expression(obj)
        if expression is not None:
            # The name inside the slider: beside it there is no room for all of it.
            column = layout.column()
            column.use_property_split = False
            column.prop(expression, "value", text=expression.name, slider=True)
        for name, *_ in detail_nodes.SLIDERS:
            if (bands or name not in OF_BANDS) and not detail_nodes.unavailable_reason(skin, name):
                row = layout.row()
                row.enabled = name == "Strength" or not displaced
                row.prop(values, sliders.key(name), slider=True)
        if displaced:
            draw_text(context, layout, "The whole height map moves the surface: only Strength has an effect", "INFO")
        for name, *_ in skin_nodes.SLIDERS:
            if not skin_nodes.unavailable_reason(skin, name):
                layout.prop(values, sliders.key(name), slider=True)
        if material.can_displace(skin):
            row = layout.row(align=True)
            for relief, label in (("NORMAL", "Normals"), ("DISPLACEMENT", "Displacement")):
                row.operator(
                    "hffne.set_detail", text=label, depress=displaced == (relief == "DISPLACEMENT")
                ).relief = relief
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("hffne.export_character", icon="EXPORT")
        layout.operator("hffne.export_maps", icon="IMAGE_DATA")
        layout.operator("hffne.bake", icon="RENDER_STILL")
        if not head.is_head(obj):
            layout.operator("hffne.make_head", icon="USER")
        layout.operator("hffne.mark_as_asset", icon="ASSET_MANAGER")


class HFFNE_PT_look(SidebarPanel, bpy.types.Panel):
    """Lights, turntable, relighting and the photo's camera."""

    bl_idname = "HFFNE_PT_look"
    bl_label = "Lighting and Cameras"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return active_face(context) is not None or relight.find_node(_card(context)) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.use_property_split = True
        # Animation keys are set in the Shader Editor, see sliders.
        layout.use_property_decorate = False
        if active_face(context) is not None:
            layout.operator_menu_enum("hffne.add_lights", "preset", icon="LIGHT_AREA")
            draw_show_detail(layout, context, "Show Lights", scene_lights=True)
            row = layout.row(align=True)
            row.operator("hffne.add_turntable", icon="CON_CAMERASOLVER")
            row.operator_context = "INVOKE_DEFAULT"
            row.operator("hffne.render_turntable", text="", icon="RENDER_ANIMATION")
            layout.operator("hffne.relight_photo", icon="LIGHT_POINT")
            layout.operator("hffne.view_photo", icon="CAMERA_DATA")
            layout.operator("hffne.restore_scene", icon="LOOP_BACK")
        card = _card(context)
        if card is not None and relight.find_node(card) is not None:
            values = sliders.of_relit_photo(first_material(card))
            for name, *_ in (relight.COLOR, *relight.SLIDERS):
                layout.prop(values, sliders.key(name), slider=True)


def draw_show_detail(
    layout: bpy.types.UILayout, context: bpy.types.Context, text: str, scene_lights: bool = False
) -> None:
    """The button that switches the viewport to materials, pressed while it shows them."""
    view = context.space_data
    shown = isinstance(view, bpy.types.SpaceView3D) and viewport.shows_detail(view, scene_lights)
    button = layout.operator("hffne.show_detail", text=text, icon="SHADING_TEXTURE", depress=shown)
    button.scene_lights = scene_lights


def _card(context: bpy.types.Context) -> bpy.types.Object | None:
    """The relit photo of the selected face, or the selected one, also when its light is selected."""
    obj, face = context.object, active_face(context)
    if face is not None and face == obj:
        cards = place.of_face(required(context.scene), face, relight.KIND)
        obj = next((card for card in cards if relight.find_node(card) is not None), None)
    elif obj is not None and obj.type == "EMPTY":
        obj = obj.parent
    return obj
