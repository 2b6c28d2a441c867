# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.check_engine`: run the engine's own diagnosis."""

import bpy

from .. import preferences
from ..engine import install, install_work, launch
from .bases.installation import Installs


class HFFNE_OT_check_engine(Installs, bpy.types.Operator):
    """Check the engine's installation and report what is wrong"""

    bl_idname = "hffne.check_engine"
    bl_label = "Check"
    bl_options = {"INTERNAL"}

    def make_work(self, context: bpy.types.Context) -> install_work.Work:
        base = preferences.engine_folder() or bpy.app.tempdir
        python = preferences.find_python(context)
        if launch.refusal(python):
            raise ValueError(launch.refusal(python))
        return install.Check(base, python)
