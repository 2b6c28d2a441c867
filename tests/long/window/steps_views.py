# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps about the pins' button Reset, a file that is saved and opened again, and pins over each of several photos."""

import json
import time

from display import Failed
from PIL import Image, ImageOps
from steps_guide import PANELS
from steps_pins import _ask, _drag, _drop


def step_34_pins_reset(test):
    """The button Reset: the shape that was found on the photo."""
    test.blender.evaluate(PANELS + "show('HFFNE_PT_face', 'HFFNE_PT_pins')")
    time.sleep(3)
    test.scroll(down=True)
    test.blender.press("remove_pin")
    test.blender.until("not session().running()", 240)
    found = _ask(
        test,
        "points = part('scene.built_shape').points(obj); layer = obj.data.attributes['hffne_found'].data\n"
        "answer = [len(stored.load(obj)), float(max((p.vector - type(p.vector)(q)).length\n"
        "    for p, q in zip(layer, points.tolist())))]",
    )
    test.expect("no pins, and the shape as found", found[0] == 0 and found[1] < 1e-6, found)
    test.picture("35_reset", 3)


def step_36_save_and_open_again(test):
    """The file keeps the face, and the next one is made from its panel as before."""
    before = test.mesh_names()
    path = test.out / "saved.blend"
    test.blender.evaluate(f"bpy.ops.wm.save_as_mainfile(filepath={str(path)!r})", timeout=120)
    test.blender.evaluate(f"bpy.ops.wm.open_mainfile(filepath={str(path)!r})", timeout=120)
    time.sleep(5)
    # The names of earlier steps stood for what was in the other file.
    test.blender.evaluate(
        "chosen = bpy.context.scene.hffne; view = place()['area'].spaces.active; view.show_region_ui = True"
    )
    time.sleep(2)
    test.blender.evaluate("place(region='UI')['region'].active_panel_category = 'Face From Photo'")
    test.expect("the face is in the file", test.mesh_names() == before, test.mesh_names())
    # An engine that had nothing to do for minutes has ended, and an opened file alone does not start it.
    if test.blender.evaluate("answer = session().alive()"):
        test.blender.until("len(bpy.context.window_manager.hffne_faces) == 1", 120)
    test.picture("37_opened", 5)
    test.blender.press("hffne.generate")
    test.blender.until("session().running()", 20)
    test.record("stages after opening", test.stages("38_generating_again"))
    test.expect("a second face", len(test.mesh_names()) == len(before) + 1, test.mesh_names())
    test.picture("38_second_face", 6)


def step_37_pins_over_each_photo(test):
    """Two photos of one person, one shape; a drag over the second one, chosen by its button."""
    side = test.out / "side.png"
    ImageOps.mirror(Image.open(test.photos["one"])).resize((640, 640)).save(side)
    photos = json.dumps([str(test.photos["one"]), str(side)])
    test.blender.evaluate(
        f"bpy.ops.hffne.merge_photos(photos={photos!r}, texture_size='1024', lod='GAME')", timeout=500
    )
    _ask(test, "bpy.ops.ed.undo_push(message='merged')")
    test.blender.evaluate(PANELS + "show('HFFNE_PT_face', 'HFFNE_PT_pins')")
    time.sleep(3)
    test.scroll(down=True)
    found = test.blender.buttons(columns=(0.55, 0.85))
    numbers = [place for name, place in sorted(found.items()) if "edit_pins" in name and "photo=2" in name]
    if len(numbers) != 1:
        raise Failed(f"No button for the second photo: {sorted(found)}")
    test.screen.click(*numbers[0])
    test.blender.until("part('pins.overlay')._state.photos", 240)
    test.picture("39_second_photo", 6)
    mine = HERE_OF_ACTIVE
    begin, before = _ask(test, mine + "answer = on_screen(landmark(8)), landmark(8)")
    _drag(test, begin, (0, 30), 3)
    _drop(test)
    pins = _ask(test, mine + "answer = [[pin.photo for pin in stored.load(obj)], stored.is_projected(obj)]")
    test.expect("one pin over the second photo", pins == [[1], True], pins)
    moved = _ask(test, mine + "answer = landmark(8)")[1] - before[1]
    test.expect("the chin has followed", moved > 3, moved)
    test.picture("40_second_pinned", 6)
    found = test.blender.buttons(columns=(0.55, 0.85))
    first = next(place for name, place in sorted(found.items()) if "edit_pins" in name and "photo=1" in name)
    test.screen.click(*first)
    time.sleep(3)
    test.blender.until("not session().running()", 120)
    test.picture("41_first_photo", 6)


# The active face instead of the first one.
HERE_OF_ACTIVE = "obj = bpy.context.view_layer.objects.active\n"
