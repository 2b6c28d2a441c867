# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.install_engine`: make or repair the engine's own Python environment."""

import bpy

from .. import preferences
from ..engine import install, install_work, session, torch_builds
from .bases.installation import Installs


class HFFNE_OT_install_engine(Installs, bpy.types.Operator):
    """Create the engine's own Python environment in the extension's user folder; Blender's Python is not changed"""

    bl_idname = "hffne.install_engine"
    bl_label = "Install Engine"
    bl_options = {"INTERNAL"}

    repair: bpy.props.BoolProperty(
        name="Repair", description="Rebuild the environment", default=False, options={"SKIP_SAVE"}
    )
    wheels: bpy.props.StringProperty(
        name="Wheels",
        description="Folder of wheels to install from, without network access; empty uses the one in the preferences",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )
    build: preferences.build_property(
        description="PyTorch build to install; Automatic uses the one in the preferences", options={"SKIP_SAVE"}
    )

    def make_work(self, context: bpy.types.Context) -> install_work.Work:
        base = preferences.engine_folder()
        wheel = preferences.engine_wheel()
        if not base or not wheel:
            raise ValueError("Only the extension installed from its zip can install the engine.")
        wheels = self.wheels or preferences.get(context).wheels_folder
        if wheels.startswith("//"):
            raise ValueError("The folder of wheels cannot be beside a .blend: choose it by its whole path.")
        # Since Blender 4.2 the user decides whether extensions may use the network.
        if not wheels and not bpy.app.online_access:
            raise ValueError("Allow online access in the preferences (System > Network), or choose a folder of wheels.")
        build = preferences.engine_build(context) if self.build == "AUTO" else self.build.lower()
        if not torch_builds.exists(build):
            raise ValueError(
                f"There is no PyTorch for {torch_builds.BUILDS[build]} on this system. Choose another PyTorch Build."
            )
        session.close()
        return install.Install(base, wheel, wheels, self.repair, build=build)
