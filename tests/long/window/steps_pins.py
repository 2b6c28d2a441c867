# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps about pins: the fit corrected with the mouse over the photo, undone, cancelled, removed; what a drag costs."""

import time

# What a landmark's place in the window and the file say; `place()` and `part()` are those of inside.py.
HERE = """
import numpy as np
obj = next(o for o in bpy.data.objects if o.type == 'MESH')
stored, region_of = part('pins.stored'), part('pins.photo_region').PhotoRegion
def on_screen(pixels):
    found = place()
    region = region_of(obj, found['region'], found['area'].spaces.active.region_3d)
    x, y = region.of_photo(np.array([pixels]))[0]
    return [found['region'].x + x, bpy.context.window_manager.windows[0].height - found['region'].y - y]
def landmark(number):
    face = part('pins.pinned_face').PinnedFace(obj)
    points = part('scene.built_shape').points(obj)
    return face.pixels(face.landmarks(points))[number].tolist()
"""


def _ask(test, code, timeout=60):
    return test.blender.evaluate(HERE + code, timeout=timeout)


def _drag(test, start, offset, steps=6):
    """Drag with the left button from a place of the window."""
    x, y = start
    test.screen.move(x, y)
    time.sleep(0.5)
    test.screen.tool("mousedown", 1)
    for step in range(1, steps + 1):
        test.screen.move(x + offset[0] * step / steps, y + offset[1] * step / steps)
        time.sleep(1)


def _drop(test):
    test.screen.tool("mouseup", 1)
    time.sleep(1)
    test.blender.until("not session().running()", 240)


def step_30_pins_begin(test):
    """The button: the photo's camera, the tool and the photo over the face."""
    test.prepare()
    if test.photos["one"].stem not in test.mesh_names():
        test.blender.evaluate(
            f"bpy.ops.hffne.generate(photo={str(test.photos['one'])!r}, base='HEAD', texture_size='1024')", timeout=400
        )
    _ask(test, "obj.select_set(True); bpy.context.view_layer.objects.active = obj\n"
               "bpy.ops.ed.undo_push(message='pins')")  # fmt: skip
    test.blender.evaluate("with bpy.context.temp_override(**place()):\n    bpy.ops.hffne.edit_pins('INVOKE_DEFAULT')")
    test.blender.until("part('pins.overlay')._state.photos", 240)
    test.picture("30_pins", 5)
    tool = _ask(test, "with bpy.context.temp_override(**place()): answer = part('pins.editing').is_on(bpy.context)")
    test.expect("the tool is chosen", tool)


def step_31_pins_drag(test):
    """A drag moves the face at once, and the maps follow; its time for each move of the mouse."""
    begin = _ask(test, "answer = on_screen(landmark(8))")
    test.blender.evaluate(
        "times = []\nchange = part('pins.shape_change').ShapeChange\nplain = change.show\n"
        "def timed(self, pins, whole=False):\n"
        "    begin, busy = time.perf_counter(), time.thread_time(); plain(self, pins, whole)\n"
        "    bpy.context.view_layer.update()\n"
        "    times.append([1000 * (time.perf_counter() - begin), 1000 * (time.thread_time() - busy)])\n"
        "change.show = timed"
    )
    _drag(test, begin, (0, 40))
    test.picture("31_dragged", 2)
    _drop(test)
    times = _ask(test, "answer = [[round(t) for t in each] for each in times]")
    test.record("milliseconds for each move, refit and evaluation: by the clock, of the processor", times)
    test.blender.evaluate("change.show = plain")
    found = _ask(test, "answer = [len(stored.load(obj)), stored.is_projected(obj), landmark(8)]")
    test.expect("one pin, with its maps", found[:2] == [1, True], found)
    test.picture("31_projected", 4)


def step_32_pins_undo(test):
    before = _ask(test, "answer = landmark(8)")
    left, top, width, height = test.blender.evaluate("answer = rectangle(place()['region'])")
    test.screen.move(left + width / 5, top + height / 2)
    time.sleep(1)
    test.screen.key("ctrl+z")
    time.sleep(3)
    found = _ask(test, "answer = [len(stored.load(obj)), stored.is_projected(obj), landmark(8)]")
    test.expect("one step back", found[:2] == [0, True] and before[1] - found[2][1] > 3, found)
    test.picture("32_undone", 2)
    test.screen.key("ctrl+shift+z")
    time.sleep(3)
    again = _ask(test, "answer = [len(stored.load(obj)), landmark(8)]")
    test.expect("one step forth", again[0] == 1 and abs(again[1][1] - before[1]) < 0.01, again)


def step_33_pins_cancel(test):
    """Esc while the button is down leaves the face as it was."""
    before = _ask(test, "answer = landmark(48)")
    _drag(test, _ask(test, "answer = on_screen(landmark(48))"), (-30, 0))
    test.blender.until(f"abs(landmark(48)[0] - {before[0]}) > 2", 30)
    during = _ask(test, "answer = landmark(48)")
    test.screen.key("Escape")
    time.sleep(1)
    test.screen.tool("mouseup", 1)
    time.sleep(1)
    after = _ask(test, "answer = [landmark(48), len(stored.load(obj))]")
    moved = abs(during[0] - before[0])
    test.expect("cancelled by Esc", moved > 2 and after[1] == 1 and abs(after[0][0] - before[0]) < 1e-3, [moved, after])


def step_34_pins_mirrored_and_removed(test):
    _ask(test, "bpy.context.scene.hffne.mirror_pins = True")
    _drag(test, _ask(test, "answer = on_screen(landmark(3))"), (-25, 0))
    _drop(test)
    test.picture("34_mirrored", 4)
    count = _ask(test, "answer = len(stored.load(obj))")
    place = _ask(test, "answer = on_screen(stored.load(obj)[-1].at)")
    test.screen.move(*place)
    time.sleep(0.5)
    test.screen.tool("click", 3)
    time.sleep(1)
    test.blender.until("not session().running()", 240)
    left = _ask(test, "answer = len(stored.load(obj))")
    test.expect("a pin removed with the right button", (count, left) == (2, 1), [count, left])
    test.picture("35_removed", 3)
    _ask(test, "bpy.context.scene.hffne.mirror_pins = False")


def step_35_pins_done(test):
    test.blender.evaluate("with bpy.context.temp_override(**place()):\n    bpy.ops.hffne.edit_pins('INVOKE_DEFAULT')")
    test.picture("36_done", 3)
    off = _ask(test, "with bpy.context.temp_override(**place()): answer = not part('pins.editing').is_on(bpy.context)")
    test.expect("the usual tool again", off)
