# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps after the first face: release the engine, the panels below, apply, merge, the queue, quit."""

import os
import time

from checks import alive
from clicking import show
from display import Failed

# Pixels from a button to the heading of a panel below it: of Lighting and Cameras, of My Own Character.
BELOW_ASSET, BELOW_GENERATE = 34, 88
# From where a dialog opens to its heading.
ABOVE_FIELD = 33


def step_13_release(test):
    test.blender.evaluate("process = session().state.client._process")
    # It is in the menu of the engine's line.
    test.blender.evaluate(
        "with bpy.context.temp_override(**place()):\n    bpy.ops.hffne.release_engine('INVOKE_DEFAULT')"
    )
    seconds = test.blender.until("process.poll() is not None", 30)
    test.expect("released", True, round(seconds, 1))
    test.picture("17_released")


def step_14_lighting_panel(test):
    """The panel of lights and turntables: closed at first, below the face's sliders."""
    test.blender.evaluate(
        "chosen = bpy.context.scene.hffne; chosen.source = 'FILE'; session().forget_error()\n"
        f"chosen.photo = {str(test.photos['one'])!r}\n"
        "obj = next(o for o in bpy.data.objects if o.type == 'MESH')\n"
        "bpy.context.view_layer.objects.active = obj; obj.select_set(True)"
    )
    test.blender.until("session().device()", 180)
    test.scroll(down=True)
    x, y = test.blender.find("hffne.mark_as_asset")
    test.screen.click(x, y + BELOW_ASSET)
    time.sleep(1)
    test.scroll(down=True)
    found = test.blender.buttons()
    test.expect(
        "buttons of the panel Lighting and Cameras", any("add_turntable" in name for name in found), sorted(found)
    )
    test.picture("18_look")
    test.scroll(down=False)


def step_15_apply(test):
    """The detail on a head of the user's own, here the face's shape with nothing else of it."""
    test.blender.evaluate(
        "obj = next(o for o in bpy.data.objects if o.type == 'MESH')\n"
        "head = obj.copy(); head.data = obj.data.copy(); head.name = 'Head'; head.data.materials.clear()\n"
        "for block in (head, head.data):\n"
        "    for key in list(block.keys()):\n"
        "        del block[key]\n"
        "bpy.context.collection.objects.link(head); head.location.x -= 0.3; obj.select_set(False)\n"
        "bpy.context.view_layer.objects.active = head; head.select_set(True)"
    )
    x, y = test.blender.find("hffne.generate")
    x, y = test.unfold("hffne.apply_to_mesh", (x, y + BELOW_GENERATE))
    test.picture("19_character")
    for attempt in (1, 2, 3):
        test.screen.click(x, y)
        test.picture("20_apply_dialog")
        # To the dialog's heading: over one of its fields the key would be the field's.
        test.screen.move(x - 100, y - ABOVE_FIELD)
        time.sleep(0.5)
        test.screen.key("Return")
        try:
            test.blender.until("session().running()", 20)
            break
        except Failed:
            # The dialog did not come, or the key was lost.
            if attempt == 3:
                raise
            test.screen.key("Escape")
            time.sleep(1)
    test.record("stages of applying", test.stages("21_applying"))
    test.expect(
        "maps of the head", test.blender.evaluate("answer = sorted(part('scene.export').maps_of(head))") == ["normal"]
    )
    test.blender.evaluate(
        "with bpy.context.temp_override(**place()):\n"
        "    bpy.ops.view3d.view_selected()\n"
        "view = place()['area'].spaces.active; view.shading.type = 'MATERIAL'"
    )
    test.picture("22_applied", test.shader_seconds)
    test.blender.evaluate("view.shading.type = 'SOLID'", timeout=180)


def step_16_merge(test):
    """Two photos of one person, chosen in Blender's file browser."""
    folder = test.copies("person", ("left", "right"))
    show(test, "HFFNE_PT_face", "HFFNE_PT_batch")
    test.scroll(down=True)
    test.blender.press("hffne.merge_photos")
    test.blender.until("browser()", 20)
    test.blender.evaluate(f"browser()['area'].spaces.active.params.directory = {os.fsencode(folder)!r}")
    time.sleep(3)
    test.blender.evaluate("with bpy.context.temp_override(**browser()):\n    bpy.ops.file.select_all(action='SELECT')")
    test.picture("23_merge_browser", 2)
    # What the browser's own button does.
    test.blender.evaluate("bpy.app.timers.register(accept, first_interval=0)")
    test.blender.until("session().running()", 20)
    test.record("stages of merging", test.stages("24_merging"))
    made = test.blender.evaluate("answer = bpy.context.view_layer.objects.active.name")
    test.expect("merged", made not in ("Head", "astronaut"), made)
    test.picture("25_merged", 3)


def step_17_queue(test):
    """A folder of photos, cancelled by Esc after the first, then resumed."""
    folder = test.copies("queue", ("a", "b", "c"))
    run = "with bpy.context.temp_override(**place()):\n    bpy.ops.hffne.batch_run('INVOKE_DEFAULT'{})"
    states = "[item.state for item in bpy.context.scene.hffne_batch.items]"
    before = test.blender.evaluate("answer = len(bpy.data.objects)")
    test.blender.evaluate(run.format(f", directory={str(folder)!r}"))
    test.blender.until(f"{states} == ['DONE', 'RUNNING', 'WAITING']", 120)
    test.picture("26_queue", 0)
    test.screen.key("Escape")
    test.blender.until("not session().running()", 30)
    time.sleep(1)
    left = test.blender.evaluate(f"answer = {states}")
    test.expect("the queue cancelled by Esc", left == ["DONE", "WAITING", "WAITING"], left)
    test.blender.evaluate(run.format(""))
    test.blender.until(f"{states} == ['DONE'] * 3", 300)
    made = test.blender.evaluate(f"answer = len(bpy.data.objects) - {before}")
    test.expect("the queue's faces", made == 3, made)
    test.picture("27_queue_done")


def step_99_quit(test):
    test.blender.evaluate("bpy.context.scene.hffne.source = 'FILE'")
    test.blender.until("session().alive()", 30)
    engine = test.blender.evaluate("answer = session().state.client.pid")
    test.blender.evaluate("bpy.app.timers.register(lambda: bpy.ops.wm.quit_blender() and None, first_interval=0.5)")
    test.expect("ended", test.blender.process.wait(60) == 0)
    time.sleep(3)
    test.expect("the engine ended with Blender", not alive(engine))
