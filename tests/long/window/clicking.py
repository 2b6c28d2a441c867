# SPDX-License-Identifier: GPL-3.0-or-later
"""Clicking the buttons of a table, each with what it must change; what steps_buttons.py and steps_editors.py share."""

import time

from application import AWAY
from display import SIZE, Failed
from steps_guide import PANELS

# Dialogs, file browsers and Text Editors that a button has opened, and messages below the mouse.
TIDY = """
shown = bpy.context.window_manager.windows
if browser():
    with bpy.context.temp_override(**browser()):
        bpy.ops.file.cancel()
for window in list(shown)[1:]:
    with bpy.context.temp_override(window=window):
        bpy.ops.wm.window_close()
"""
# Pixels from where a dialog opens to its heading, where a key is nobody's but the dialog's.
TO_HEADING = (-100, -33)
# Pixels from the first row of Output to its heading.
ABOVE_ROW = 31
# A click may be lost while Blender is busy.
TRIES = 3


def show(test, *panels):
    """Open these panels and close all others."""
    test.blender.evaluate(PANELS + f"show{panels!r}")
    time.sleep(3)


def press_each(test, rows, columns=(0.5, 0.8), then=None, **where):
    """Press the button of each row: (a part of what it does, how, an expression that gives something else then).

    how   "wheel" turns the wheel over a value; a tuple: keys after the click, where "text:..." is typed, "click:x,y"
          clicks that far from the button, and "heading" moves the mouse to a dialog's heading
    then  called with each row's name after it
    """
    found = {}
    for name, how, expression in rows:
        place = _locate(test, found, name, columns, where)
        if place is None:
            test.expect(f"button {name}", False, sorted(found))
        else:
            press_at(test, place, name, how, expression)
            if then:
                then(name)


def _locate(test, found, name, columns, where):
    """Where a button is: as `found` before, if nothing has moved since; None where there is no such button."""
    for again in (False, True):
        if again:
            found.clear()
            found.update(test.blender.buttons(columns=columns, **where))
        place = next((place for what, place in found.items() if name in what), None)
        if again or place is None:
            continue
        test.screen.move(*place)
        kind, region = where.get("kind", "VIEW_3D"), where.get("region", "UI")
        try:
            test.blender.until(f"{name!r} in under_mouse({kind!r}, {region!r})", 4)
            here = True
        except Failed:
            here = False
        # A button that was asked what it does takes no click until the mouse has left it.
        test.screen.move(*AWAY)
        time.sleep(0.5)
        if here:
            break
    return place


def press_at(test, place, name, how, expression):
    """Press what is at this place, see `press_each`. What changes nothing is tried again."""
    before = test.blender.evaluate(f"answer = {expression}")
    for attempt in range(1, TRIES + 1):
        if attempt > 1:
            test.screen.move(*AWAY)
            time.sleep(0.5)
        if how == "wheel":
            _turn(test, place, attempt)
        else:
            test.screen.click(*place)
            _type(test, place, how)
        try:
            test.blender.until(f"session().running() or ({expression}) != {before!r}", 10)
            # Work in the background: its end counts, and Esc would cancel it.
            test.blender.until("not session().running()", 300)
            test.blender.until(f"({expression}) != {before!r}", 5)
            test.expect(f"button {name}", True, test.blender.evaluate(f"answer = str({expression})[:80]"))
            break
        except Failed:
            if attempt == TRIES:
                test.expect(f"button {name}", False, f"{expression} stayed {before}")
                test.picture("failed_button_" + "".join(c if c.isalnum() else "_" for c in name), 0)
            test.screen.key("Escape")
    test.blender.until("not session().running() and not session().installing()", 300)


def down_the_list(y, above, below):
    """Pixels down from the button of the list of presets: it opens toward the larger part of the window."""
    return above if y > SIZE[1] / 2 else below


def tidy(test):
    """Close what buttons have opened."""
    time.sleep(1)
    test.blender.evaluate(TIDY)
    time.sleep(1)


def _turn(test, place, attempt):
    test.screen.move(place[0] - 4, place[1])
    time.sleep(0.3)
    test.screen.move(*place)
    time.sleep(0.5)
    test.screen.tool("keydown", "ctrl")
    # The other way where the value is at its end.
    test.screen.tool("click", 4 if attempt % 2 else 5)
    test.screen.tool("keyup", "ctrl")


def _type(test, place, keys):
    for key in keys:
        time.sleep(0.8)
        if key == "heading":
            test.screen.move(place[0] + TO_HEADING[0], place[1] + TO_HEADING[1])
        elif key.startswith("click:"):
            across, down = map(int, key.removeprefix("click:").split(","))
            test.screen.click(place[0] + across, place[1] + down)
        elif key.startswith("text:"):
            test.screen.tool("type", key.removeprefix("text:"))
        else:
            test.screen.key(key)
