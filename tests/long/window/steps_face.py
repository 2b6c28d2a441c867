# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps about one face: cancel, generate, undo, shape keys, render, an error, an open image and the clipboard."""

import shutil
import subprocess
import time

# A place in the 3D viewport, and of F9's options when they are opened there, the check box of the last map.
OVER_VIEW, LAST_BOX, ROW = (300, 400), (430, 773), 23


def step_06_cancel_by_button(test):
    test.blender.evaluate("bpy.context.scene.hffne.face = 0; bpy.context.scene.hffne.texture_size = '4096'")
    test.blender.press("hffne.generate")
    test.blender.until("session().running()", 20)
    time.sleep(0.5)
    test.picture("06_progress", 0)
    status = test.blender.evaluate("answer = [session().state.task.message, session().state.task.progress]")
    test.record("status", status)
    if test.blender.evaluate("answer = session().running()"):
        # Where Generate was, the bar is now, with the X at its end.
        test.blender.press("hffne.cancel", columns=(0.9,))
    test.blender.until("not session().running()", 30)
    # The engine may have been done already, and the building of the face was cancelled.
    names = test.mesh_names()
    test.expect("cancelled by its button", names == [], names)
    test.picture("07_cancelled")


def step_07_cancel_by_key(test):
    test.blender.press("hffne.generate")
    test.blender.until("session().running()", 20)
    test.screen.key("Escape")
    seconds = test.blender.until("not session().running()", 30)
    names = test.mesh_names()
    test.expect("cancelled by Esc", names == [], [names, round(seconds, 2)])


def step_08_generate(test):
    test.blender.evaluate(
        f"chosen = bpy.context.scene.hffne; chosen.texture_size = '1024'; chosen.photo = {str(test.photos['one'])!r}"
    )
    test.blender.until("len(bpy.context.window_manager.hffne_faces) == 1", 120)
    time.sleep(2)
    place = test.blender.find("hffne.generate")
    test.blender.evaluate("watch.start()")
    test.screen.click(*place)
    test.blender.until("session().running()", 20)
    begin = time.monotonic()
    test.record("stages", test.stages("08_generating"))
    test.record("seconds to the face, engine warm", round(time.monotonic() - begin, 1))
    # The first display of the textures, too: the "idle" part of it.
    time.sleep(4)
    test.record("stalls while generating", test.blender.evaluate("answer = watch.summary()", timeout=120))
    # What of it is the decoding of a texture, without the drawing of the window.
    decoding = test.blender.evaluate(
        "answer = {}\n"
        "for image in bpy.data.images:\n"
        "    if image.packed_file and not image.has_data:\n"
        "        begin = time.perf_counter(); image.pixels[0]; decoded = time.perf_counter(); image.gl_load()\n"
        "        uploaded = time.perf_counter()\n"
        "        seconds = (decoded - begin, uploaded - decoded)\n"
        "        answer[image.name] = [image.size[0], *(round(1000 * value) for value in seconds)]",
        timeout=120,
    )
    test.record("milliseconds to decode a texture and to upload it to the graphics card", decoding)
    names = test.mesh_names()
    test.expect("one face", names == [test.photos["one"].stem], names)
    test.blender.evaluate(
        "with bpy.context.temp_override(**place()):\n"
        "    bpy.ops.view3d.view_axis(type='FRONT'); bpy.ops.view3d.view_selected()"
    )
    test.picture("09_face", 4)


def step_09_undo(test):
    """Back to before the face, and forth to it: one step, and one for each change by F9."""
    left, top, width, height = test.blender.evaluate("answer = rectangle(place()['region'])")
    test.screen.move(left + width / 3, top + height / 2)
    time.sleep(2)
    for key, done in (("ctrl+z", lambda: not test.mesh_names()), ("ctrl+shift+z", test.mesh_names)):
        for _ in range(3):
            test.screen.key(key)
            time.sleep(5)
            if done():
                break
        test.expect(f"faces undone or redone with {key}", bool(done()))
    test.picture("11_redone", 3)


def step_08_options(test):
    """F9: other choices of maps are built in the background, in the place of the first face, from the same options."""
    # Those of the skin: the parts of the mouth have a shading of their own, always.
    left_out = ("texture_roughness", "texture_occlusion")
    found = f"answer = [image.name for image in bpy.data.images if image.name.endswith({left_out!r})]"
    test.screen.move(*OVER_VIEW)
    time.sleep(1)
    test.screen.key("F9")
    test.picture("11_options", 2)
    maps = test.blender.evaluate("answer = [name for name, *_ in part('settings').MAPS]")
    rows = {name: LAST_BOX[1] - ROW * above for above, name in enumerate(reversed(maps))}
    for step, name in enumerate(("ROUGHNESS", "OCCLUSION", "HEIGHT")):
        # Beside the boxes first: a click on one that the mouse was over during the last run may be lost.
        beside = (LAST_BOX[0] + 15, rows["ALBEDO"] - ROW / 2)
        test.click_until((LAST_BOX[0], rows[name]), "session().running()", beside)
        test.expect(f"the face stays while F9 runs, {step + 1}", len(test.mesh_names()) == 1)
        if step == 2:
            test.picture("11_options_cancelled", 0)
            test.screen.key("Escape")
            test.blender.until("not session().running()", 20)
        else:
            test.record(f"stages of F9, {step + 1}", test.stages("11_options_running"))
        time.sleep(1)
    test.picture("11_options_done", 1)
    test.screen.move(OVER_VIEW[0] - 200, OVER_VIEW[1])
    test.screen.key("Escape")
    time.sleep(1)
    names, maps = test.mesh_names(), test.blender.evaluate(found)
    test.expect("one face, without the maps that F9 left out", (len(names), maps) == (1, []), [names, maps])
    kept = test.blender.evaluate("answer = any(i.name.endswith('texture_height') and i.users for i in bpy.data.images)")
    test.expect("the map that the cancelled F9 would have left out", kept)


def step_10_keys(test):
    """A head's shape keys: the photo's expression in the panel, and some of ARKit's."""
    names = test.blender.evaluate(
        "obj = next(o for o in bpy.data.objects if o.type == 'MESH'); obj.select_set(True)\n"
        "bpy.context.view_layer.objects.active = obj\n"
        "keys = obj.data.shape_keys.key_blocks; answer = list(keys.keys())"
    )
    shown = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthSmileRight")
    test.expect("shape keys", names[:2] == ["Basis", "Photo Expression"] and set(shown) <= set(names), len(names))
    found = test.blender.buttons()
    test.expect("a slider of the photo's expression", any("Photo Expression" in name for name in found), sorted(found))
    test.blender.evaluate(f"keys['Photo Expression'].value = 0\nfor name in {shown!r}:\n    keys[name].value = 1")
    test.picture("11_keys", 3)
    test.blender.evaluate(f"keys['Photo Expression'].value = 1\nfor name in {shown!r}:\n    keys[name].value = 0")


def step_10_look(test):
    test.blender.evaluate(
        "with bpy.context.temp_override(**place()):\n"
        "    obj = next(o for o in bpy.data.objects if o.type == 'MESH'); obj.select_set(True)\n"
        "    bpy.context.view_layer.objects.active = obj\n"
        "    bpy.ops.hffne.add_lights(preset='REMBRANDT')\n"
        "    bpy.ops.hffne.set_detail(clay=1)\n"
        "view.overlay.show_overlays = False\n"
        "watch.start(); view.shading.type = 'RENDERED'"
    )
    # Software takes its time to compile the shaders.
    test.picture("12_clay", test.shader_seconds)
    test.record("stalls of the first render", test.blender.evaluate("answer = watch.summary()", timeout=180))
    test.blender.evaluate("view.shading.type = 'SOLID'; view.overlay.show_overlays = True", timeout=180)


def step_10_show_detail(test):
    """The button, until the shaders are there; the face from the front, turned and from the side."""
    # In its colors, whatever an earlier step has left.
    test.blender.evaluate("bpy.ops.hffne.set_detail(clay=0)")
    test.scroll(down=False)
    test.blender.press("hffne.show_detail")
    test.blender.until("place()['area'].spaces.active.shading.type == 'MATERIAL'", 20)
    time.sleep(test.shader_seconds)
    turn = (
        "import mathutils; region = place()['area'].spaces.active.region_3d\n"
        "region.view_rotation = mathutils.Euler((1.5708, 0, {angle})).to_quaternion(); answer = region.view_perspective"
    )
    for name, angle in (("front", 0), ("45_degrees", 0.785), ("side", 1.5708)):
        test.blender.evaluate(turn.format(angle=angle), timeout=180)
        test.picture(f"12_detail_{name}", 5)
    test.blender.evaluate(turn.format(angle=0) + "\nplace()['area'].spaces.active.shading.type = 'SOLID'", timeout=180)


def step_11_error(test):
    test.blender.evaluate(f"bpy.context.scene.hffne.photo = {str(test.photos['none'])!r}")
    test.blender.until("part('photo.detected_faces').state.message", 60)
    test.picture("13_no_face", 2)
    test.blender.press("hffne.generate")
    test.blender.until("session().state.last_error", 60)
    test.expect("the error's code", test.blender.evaluate("answer = session().state.last_error['code']") == "no_face")
    test.picture("14_error", 2)
    # The popup with the report.
    test.screen.key("Escape")
    test.screen.move(200, 300)
    time.sleep(1)


def step_12_image(test):
    """An image that is open, and the clipboard."""
    test.blender.evaluate(
        f"chosen = bpy.context.scene.hffne; image = bpy.data.images.load({str(test.photos['one'])!r}); image.pack()\n"
        "chosen.image = image; chosen.source = 'IMAGE'"
    )
    test.blender.until("len(bpy.context.window_manager.hffne_faces) == 1", 60)
    test.picture("15_open_image", 2)
    test.expect("nothing is left in the temporary folder", test.blender.evaluate(
        "import os; answer = [n for n in os.listdir(bpy.app.tempdir) if n.startswith('hffne_')]") == [])  # fmt: skip
    if shutil.which("xclip") is None:
        test.record("paste", "not tried: xclip is not installed")
        return
    if not test.blender.evaluate("answer = part('photo.clipboard').available()"):
        test.record("paste", "not tried: this Blender cannot read images from the clipboard here")
        return
    # Before the copy: looking for buttons uses the clipboard.
    place = test.blender.find("hffne.paste_photo", columns=(0.9,))
    # Another program's copy. It stays to hand the picture over, so its output must not be waited for.
    command = ["xclip", "-selection", "clipboard", "-t", "image/png", "-i", str(test.photos["one"])]
    subprocess.run(
        command, env=test.screen.environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    test.screen.click(*place)
    time.sleep(3)
    facts = test.blender.evaluate(
        "areas = bpy.context.window_manager.windows[0].screen.areas\n"
        "packed = bool(chosen.image.packed_file)\n"
        "answer = [chosen.image.name, list(chosen.image.size), packed], [area.type for area in areas]"
    )
    test.expect("pasted", test.blender.evaluate("answer = chosen.image != image"), facts)
    test.picture("16_pasted", 2)
