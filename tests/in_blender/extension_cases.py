# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about the extension itself: registering it twice, installing its zip, updating it."""

import sys
import time
from pathlib import Path

import bpy
import case_process
from case_process import empty
from recorded_layout import Layout

import hffne_blender


def case_register_twice():
    empty()
    for _ in range(2):
        hffne_blender.register()
        assert hasattr(bpy.types.Scene, "hffne") and hasattr(bpy.types, "HFFNE_OT_generate")
        hffne_blender.unregister()
    return {"gone": not hasattr(bpy.types.Scene, "hffne") and not hasattr(bpy.types, "HFFNE_OT_generate")}


def case_install(archive, python, photo):
    """The zip as a user installs it; the installed extension then does its work."""
    empty()
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    names = [name for name in bpy.context.preferences.addons.keys() if name.endswith("hffne_blender")]
    own = bpy.context.preferences.addons[names[0]].preferences
    own.engine_python = python
    bpy.ops.hffne.generate(photo=photo, texture_size="512", grid="32")
    result = {"name": names, "built": bpy.context.object.name, "idle": own.idle_minutes}
    import addon_utils

    addon_utils.disable(names[0], default_set=True)
    result["gone"] = not hasattr(bpy.types.Scene, "hffne")
    return result


def case_upgraded(archive):
    """The zip in a Blender without an engine of its own: the Python that it takes, and what the preferences draw."""
    empty()
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    module = sys.modules["bl_ext.user_default.hffne_blender"]
    drawn = []
    module.ui.engine_setup.draw(Layout(drawn), bpy.context, lambda place, words, icon: place.label(text=words))
    module.ui.engine_setup.draw_maintenance(Layout(drawn), bpy.context)
    result = {"python": module.preferences.find_python(bpy.context), "drawn": drawn}
    import addon_utils

    addon_utils.disable(module.__name__, default_set=True)
    return result


def case_half_install(archive):
    """An installation that was killed: what the panel and the preferences offer; and the choice of PyTorch's build."""
    empty()
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    module = sys.modules["bl_ext.user_default.hffne_blender"]
    own = bpy.context.preferences.addons[module.__name__].preferences
    base = Path(module.preferences.engine_folder())
    result = {}

    def draw(name):
        drawn = []
        for _ in range(50):
            if (
                not module.operators.bases.installation.half_installation(str(base))[0]
                or module.operators.bases.installation.half_installation(str(base))[1]
            ):
                break
            time.sleep(0.1)
        module.ui.engine_setup.draw(Layout(drawn), bpy.context, lambda place, words, icon: place.label(text=words))
        module.ui.engine_setup.draw_maintenance(Layout(drawn), bpy.context)
        result[name] = drawn

    draw("new")
    (base / "env" / "lib").mkdir(parents=True)
    (base / "env" / "lib" / "torch.so").write_bytes(bytes(300_000_000))
    draw("half")
    own.engine_python = sys.executable
    draw("half beside another")
    own.engine_python = ""
    own.build = "CPU"
    draw("cpu")
    own.build = "ROCM"
    result["build"] = module.preferences.engine_build(bpy.context)
    bpy.context.preferences.system.use_online_access = True
    # Far more than any disk here has, and a build that this system has not.
    module.engine.torch_builds.ROOM["rocm"] = 1e18
    for name, absent in (("room", False), ("absent", True)):
        if absent:
            module.engine.torch_builds.exists = lambda build: False
        try:
            result[name] = sorted(bpy.ops.hffne.install_engine())
        except RuntimeError as error:
            result[name] = str(error)
    result["removed"] = sorted(bpy.ops.hffne.remove_engine())
    result["left"] = sorted(path.name for path in base.iterdir() if path.is_dir())
    draw("after")
    import addon_utils

    addon_utils.disable(module.__name__, default_set=True)
    return result


if __name__ == "__main__":
    case_process.main(globals())
