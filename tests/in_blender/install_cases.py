# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the real zip with Blender's own installer, then the engine: `python install_cases.py ZIP WHEELS|- PYTHON`.

With `-` for the folder of wheels it installs the real packages from the index. Prints JSON.
"""

import json
import shutil
import sys
from pathlib import Path

import bpy


def attempt(operator, **more):
    try:
        return sorted(operator(**more))
    except RuntimeError as error:
        return str(error)


def main(archive, wheels, other):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    module = sys.modules["bl_ext.user_default.hffne_blender"]
    own = bpy.context.preferences.addons[module.__name__].preferences
    base = Path(module.preferences.engine_folder())
    blenders = sorted(path.name for path in Path(bpy.__file__).parent.parent.iterdir())
    found = {"offline": attempt(bpy.ops.hffne.install_engine) if wheels != "-" else None}
    own.wheels_folder = "" if wheels == "-" else str(Path(wheels) / "missing")
    if wheels != "-":
        found["no folder"] = attempt(bpy.ops.hffne.install_engine)
        empty = Path(wheels) / "empty"
        empty.mkdir()
        found["lacking"] = attempt(bpy.ops.hffne.install_engine, wheels=str(empty))
        found["not whole"] = module.preferences.find_python(bpy.context)
        own.wheels_folder = wheels
        # Stands in for a folder that may not be written, which root may always.
        shutil.rmtree(base, ignore_errors=True)
        base.touch()
        found["no place"] = attempt(bpy.ops.hffne.install_engine)
        base.unlink()
    else:
        bpy.context.preferences.system.use_online_access = True
    found["installed"] = attempt(bpy.ops.hffne.install_engine)
    found["message"] = module.engine.session.state.installation.message
    python = module.preferences.find_python(bpy.context)
    found["python"] = Path(python).is_relative_to(base) if python else None
    found["state"] = module.engine.installed.state(base)
    found["check"] = attempt(bpy.ops.hffne.check_engine)
    found["log"] = module.engine.session.state.installation.log()[-1500:]
    if wheels == "-":
        found["built"] = attempt(bpy.ops.hffne.generate, photo=other, texture_size="512", grid="32")
        found["objects"] = [(obj.name, len(obj.data.vertices)) for obj in bpy.data.objects if obj.type == "MESH"]
    else:
        # The Blender that made it has gone: an upgrade.
        python = Path(python)
        python.unlink()
        found["upgraded"] = attempt(bpy.ops.hffne.check_engine)
        found["repaired"] = attempt(bpy.ops.hffne.install_engine, repair=True)
        found["works"] = python.exists()
        own.engine_python = other
        found["other"] = attempt(bpy.ops.hffne.check_engine)
        own.engine_python = ""
        found["removed"] = attempt(bpy.ops.hffne.remove_engine)
        found["left"] = sorted(path.name for path in base.iterdir())
    found["blender untouched"] = blenders == sorted(path.name for path in Path(bpy.__file__).parent.parent.iterdir())
    import addon_utils

    addon_utils.disable(module.__name__, default_set=True)
    return found


if __name__ == "__main__":
    print("RESULT " + json.dumps(main(*sys.argv[1:])))
