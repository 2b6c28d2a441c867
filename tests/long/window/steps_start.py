# SPDX-License-Identifier: GPL-3.0-or-later
"""The first steps: start, install, what an idle window costs, drop a photo, choose a face."""

import os
import time

from display import Failed


def step_01_start(test):
    test.record("blender", test.blender.evaluate("answer = bpy.app.version_string", timeout=180))
    time.sleep(5)


def step_02_install(test):
    options = f"filepath={str(test.zip)!r}, repo='user_default', enable_on_install=True"
    test.blender.evaluate(f"bpy.ops.extensions.package_install_files({options})", timeout=180)
    test.blender.evaluate(
        "bpy.data.objects.remove(bpy.data.objects['Cube'])\n"
        "view = place()['area'].spaces.active\n"
        "view.shading.type = 'SOLID'; view.shading.color_type = 'TEXTURE'\n"
        "view.overlay.show_floor = view.overlay.show_cursor = False\n"
        "bpy.ops.ed.undo_push(message='start')\n"
        "watch.time_ticks(part('operators.generate').HFFNE_OT_generate)"
    )
    # The key for the sidebar, with the mouse over the viewport.
    left, top, width, height = test.blender.evaluate("answer = rectangle(place()['region'])")
    test.screen.move(left + width / 3, top + height / 2)
    time.sleep(1)
    test.screen.key("n")
    test.blender.until("place()['area'].spaces.active.show_region_ui", 20)
    test.blender.evaluate("place(region='UI')['region'].active_panel_category = 'Face From Photo'")
    # Wide enough for the texts, as a user would drag it.
    test.picture("01_without_engine", 3)
    own = "bpy.context.preferences.addons[package()].preferences"
    test.blender.evaluate(f"{own}.engine_python = {str(test.engine)!r}")
    test.picture("02_new")
    found = test.blender.buttons()
    test.expect("buttons of the new panel", any("generate" in name for name in found), sorted(found))


def step_03_idle_stalls(test):
    """What the window costs by itself here, to compare with."""
    test.blender.evaluate("watch.start()")
    for _ in range(20):
        test.blender.evaluate("part('operators.bases.windows').redraw_sidebars(bpy.context)")
        time.sleep(0.1)
    test.record("stalls, idle with the panel redrawn", test.blender.evaluate("answer = watch.summary()"))
    # Any change of the scene has Blender draw the viewport several times, which smooths its edges.
    test.blender.evaluate("watch.start(); mesh = bpy.data.meshes.new('x'); bpy.data.meshes.remove(mesh)")
    time.sleep(5)
    test.record("stalls, idle with a mesh made and removed", test.blender.evaluate("answer = watch.summary()"))


def step_04_drop(test):
    """What the system's drop calls, over the viewport and over another editor."""
    code = (
        "with bpy.context.temp_override(**place({kind!r})):\n"
        "    answer = sorted(bpy.ops.wm.drop_import_file({mode!r}, directory={folder!r}, files=[{{'name': {name!r}}}]))"
    )
    folder, name = os.path.split(test.photos["two"])
    for kind in ("OUTLINER", "VIEW_3D"):
        try:
            chosen = test.blender.evaluate(
                code.format(kind=kind, mode="INVOKE_DEFAULT", folder=folder + os.sep, name=name)
            )
        except Failed as error:
            chosen = str(error).strip().splitlines()[-1]
        test.record(f"drop on {kind}", chosen)
        if kind == "OUTLINER":
            # An empty menu: the system's own drop asks beforehand.
            time.sleep(1)
            test.screen.key("Escape")
            time.sleep(1)
            test.expect(
                "the Outliner does not accept a photo",
                not test.blender.evaluate("answer = bpy.context.scene.hffne.photo"),
            )
    # Blender's own use of a picture is offered beside ours: the menu's letter chooses.
    test.picture("03_drop")
    test.screen.key("f")
    time.sleep(1)
    test.expect(
        "the dropped photo is the panel's",
        test.blender.evaluate("answer = bpy.context.scene.hffne.photo") == str(test.photos["two"]),
    )


def step_05_faces(test):
    test.blender.evaluate(f"bpy.context.scene.hffne.photo = {str(test.photos['two'])!r}")
    seconds = test.blender.until("len(bpy.context.window_manager.hffne_faces) == 2", 120)
    test.record("seconds to the faces, engine cold", round(seconds, 1))
    icons = test.blender.evaluate("answer = part('photo.detected_faces').icons()")
    test.expect("thumbnails", len(icons) == 2 and all(icons), icons)
    test.picture("04_faces", 3)
    test.blender.press("shown_face", columns=(0.75,))
    time.sleep(1)
    test.expect("the second face is chosen", test.blender.evaluate("answer = bpy.context.scene.hffne.face") == 2)
    test.picture("05_second_face")
