# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel for correcting the fit of the selected face with pins."""

import bpy

from .. import settings
from ..engine import session
from ..pins import editing, photo_region, stored
from ..scene import camera
from ..system.required import required
from .layouts import SidebarPanel, draw_progress, draw_text


class HFFNE_PT_pins(SidebarPanel, bpy.types.Panel):
    """Points of the face that the artist holds where they are on the photo."""

    bl_idname = "HFFNE_PT_pins"
    bl_label = "Fit"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return editing.face(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        obj, chosen, on = required(editing.face(context)), settings.of(context), editing.is_on(context)
        layout.operator_context = "INVOKE_DEFAULT"
        button = layout.operator("hffne.edit_pins", text="Done" if on else "Correct the Fit", icon="PINNED", depress=on)
        button.face = obj.name
        pins, photos = stored.load(obj), camera.by_photo(obj)
        if len(photos) > 1:
            row = layout.row(align=True)
            row.label(text="Over Photo")
            for number in photos:
                button = row.operator(
                    "hffne.edit_pins", text=str(number + 1), depress=on and number == camera.shown(obj)["photo"]
                )
                button.face, button.photo = obj.name, number + 1
        if on:
            layout.use_property_split = True
            layout.use_property_decorate = False
            layout.prop(chosen, "mirror_pins")
            layout.prop(chosen, "pin_photo", slider=True)
            text = "Drag points of the face over the photo; a right click removes a pin"
            if _is_beside(context, obj):
                text = "Look through the scene's camera: Numpad 0"
            draw_text(context, layout, text, icon="INFO")
        if on or pins:
            # Of one height with the bar in it, for what lies below must not move with each pin. The text stays, too:
            # Blender 4.3 draws one that comes in the place of a bar under the mouse as a bar.
            row = layout.split(factor=0.3)
            row.label(text=stored.counted(obj) if pins else "No pins")
            if session.running():
                draw_progress(row, session.state.task, scale=1)
            else:
                reset = row.row(align=True)
                reset.enabled = bool(pins)
                reset.operator("hffne.remove_pin", text="Reset", icon="LOOP_BACK").all = True
        if not session.running() and not stored.is_projected(obj):
            draw_text(context, layout, "The maps are not projected for these pins", icon="ERROR")
            layout.operator("hffne.project_maps", icon="UV")


def _is_beside(context: bpy.types.Context, obj: bpy.types.Object) -> bool:
    """Whether the viewport does not look through the photo's camera."""
    view = context.space_data
    region = view.region_3d if isinstance(view, bpy.types.SpaceView3D) else None
    return region is not None and photo_region.is_beside(context, region, obj)
