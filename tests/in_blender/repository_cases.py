# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension from a repository: `python repository_cases.py ADDRESS FOLDER NEXT PLACE`, or a Blender with --python.

Adds the repository at ADDRESS (served from FOLDER), installs the extension, updates it to what is in NEXT, and
removes it. PLACE: a folder for the repository's own files. Prints JSON.
"""

import json
import shutil
import sys
from pathlib import Path

import bpy

NAME = "bl_ext.hffne_test.hffne_blender"


def version():
    manifest = Path(sys.modules[NAME].__file__).with_name("blender_manifest.toml").read_text("utf-8")
    return next(line for line in manifest.splitlines() if line.startswith("version")).split('"')[1]


def main(address, folder, following, place):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.system.use_online_access = True
    repositories = bpy.context.preferences.extensions.repos
    repository = repositories.new(name="HFFNE", module="hffne_test", remote_url=address, custom_directory=place)
    repository.use_remote_url = True
    index = list(repositories).index(repository)
    bpy.ops.extensions.repo_sync(repo_index=index)
    bpy.ops.extensions.package_install(repo_index=index, pkg_id="hffne_blender", enable_on_install=True)
    found = {"installed": version()}
    # What the user has: preferences, settings and a face of the scene, an engine.
    bpy.context.preferences.addons[NAME].preferences.engine_python = "/my/python"
    bpy.context.scene.hffne.texture_size = bpy.context.scene.hffne.texture_size  # raises where it is not there
    bpy.context.scene.hffne.photo = "/my/photo.jpg"
    face = bpy.data.objects.new("Face", bpy.data.meshes.new("Face"))
    bpy.context.scene.collection.objects.link(face)
    face["hffne_number"] = 7
    engine = Path(sys.modules[NAME].preferences.engine_folder()) / "env"
    engine.mkdir(parents=True)
    (engine / "kept").touch()

    for path in Path(following).iterdir():
        shutil.copy(path, folder)
    bpy.ops.extensions.repo_sync(repo_index=index)
    bpy.ops.extensions.package_upgrade_all()
    found["updated"] = version()
    found["preference"] = bpy.context.preferences.addons[NAME].preferences.engine_python
    found["setting"] = bpy.context.scene.hffne.photo
    found["face"] = bpy.data.objects["Face"]["hffne_number"]
    found["engine"] = (engine / "kept").exists()

    bpy.ops.extensions.package_uninstall(repo_index=index, pkg_id="hffne_blender")
    found["removed"] = NAME not in bpy.context.preferences.addons and not (Path(place) / "hffne_blender").exists()
    found["face after"] = bpy.data.objects["Face"]["hffne_number"]
    print("RESULT", json.dumps(found), flush=True)


if __name__ == "__main__":
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    main(*arguments)
