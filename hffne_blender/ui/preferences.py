# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's preferences: the engine's installation, its device and model."""

import bpy

from .. import preferences
from ..system.required import required
from . import engine_setup


class HFFNE_Preferences(preferences.EngineProperties, bpy.types.AddonPreferences):
    """Blender's class of the preferences; `preferences` has the properties and reads them."""

    bl_idname = preferences.PACKAGE

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.use_property_split = True
        layout.prop(self, "engine_python")
        problem = preferences.path_problem(self.engine_python) if self.engine_python else ""
        if problem:
            layout.label(text=problem, icon="ERROR")
        layout.prop(self, "wheels_folder")
        layout.prop(self, "build")
        engine_setup.draw(layout, context, lambda place, text, icon: place.label(text=text, icon=icon))
        engine_setup.draw_maintenance(layout, context)
        layout.prop(self, "device")
        layout.prop(self, "model")
        if self.model == "paper":
            column = layout.column(align=True)
            column.prop(self, "exemplar_file")
            column.prop(self, "refiner_file")
            column.operator("hffne.import_weights")
            column.label(text="For research only, under the terms of their authors", icon="INFO")
        layout.prop(self, "weights")
        layout.prop(self, "coarse_file")
        layout.prop(self, "idle_minutes", text="Stop After (Minutes)")
        layout.prop(self, "frame_result")
        row = layout.row(align=True)
        row.operator("hffne.show_log", icon="TEXT")
        row.operator("hffne.show_log", text="", icon="COPYDOWN").copy = True
        row.operator("hffne.write_report")
