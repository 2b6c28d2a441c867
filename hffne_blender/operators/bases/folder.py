# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that write files into a folder."""

import os

import bpy

from ...system.required import required
from .types import OperatorMixin, OperatorResult


class IntoFolder(OperatorMixin):
    """An operator that writes into its property `directory`; a file browser opens when that is not given."""

    directory: str

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if self.properties.is_property_set("directory") or bpy.app.background:
            return self.execute(context)
        required(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    def folder(self) -> str | None:
        """Its path; None, after a report, when it does not exist."""
        folder = bpy.path.abspath(self.directory)
        if folder and os.path.isdir(folder):
            return folder
        self.report({"ERROR"}, f"There is no folder '{folder}'. Choose one that exists.")
        return None
