# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's preferences: the engine's installation, its device and model."""

import bpy

from .. import preferences
from ..system.required import required
from . import engine_setup
from .layouts import draw_text


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
        self._draw_path(layout, "wheels_folder", folder=True)
        # Before the installation the choice stands beside its button.
        if preferences.find_python(context):
            layout.prop(self, "build")
        engine_setup.draw(layout, context, lambda place, text, icon: draw_text(context, place, text, icon))
        engine_setup.draw_maintenance(layout, context)
        layout.prop(self, "device")
        layout.prop(self, "model")
        if self.model == "paper":
            column = layout.column(align=True)
            self._draw_path(column, "exemplar_file")
            self._draw_path(column, "refiner_file")
            column.operator("hffne.import_weights")
            column.label(text="For research only, under the terms of their authors", icon="INFO")
        self._draw_path(layout, "weights", folder=True)
        self._draw_path(layout, "coarse_file")
        layout.prop(self, "idle_minutes", text="Stop After (Minutes)")
        layout.prop(self, "frame_result")
        row = layout.row(align=True)
        row.operator("hffne.show_log", icon="TEXT")
        row.operator("hffne.show_log", text="", icon="COPYDOWN").copy = True
        row.operator("hffne.write_report")

    def _draw_path(self, layout: bpy.types.UILayout, name: str, folder: bool = False) -> None:
        """A path with what is wrong with it."""
        layout.prop(self, name)
        problem = preferences.missing_problem(getattr(self, name), folder)
        if problem:
            layout.label(text=problem, icon="ERROR")
