# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.show_install_log`: the log of the engine's installation as a text."""

import bpy

from .. import preferences
from ..engine import installed, session
from .bases.text_viewer import ShowsLog
from .bases.types import OperatorResult

TEXT_NAME = "HFFNE Install Log"


class HFFNE_OT_show_install_log(ShowsLog, bpy.types.Operator):
    """Open the log of the engine's installation in a Text Editor"""

    bl_idname = "hffne.show_install_log"
    bl_label = "Install Log"
    bl_options = {"INTERNAL"}

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return "Copy the log of the engine's installation to the clipboard" if properties.copy else ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        # There may be a log of an installation that an earlier Blender started.
        return bool(_log())

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        return self.show_or_copy(context, TEXT_NAME, _log())


def _log() -> str:
    work = session.state.installation
    return work.log() if work is not None else installed.last_log(preferences.engine_folder())
