# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that press, with the mouse, what is not in the sidebar of a face: preferences, installation, the Add menu."""

import time

from clicking import press_at, press_each, show, tidy
from steps_buttons import BELOW_GENERATE, BROWSER, TEXTS

OWN = "bpy.context.preferences.addons[package()].preferences."
WHERE = {"kind": "PREFERENCES", "region": "WINDOW"}

PROPERTIES = (
    *("engine_python", "wheels_folder", "build", "device", "model", "exemplar_file", "refiner_file"),
    *("weights", "coarse_file", "idle_minutes", "frame_result"),
)


def step_50_buttons_preferences(test):
    """Opened from the menu of the engine's line."""
    test.prepare()
    show(test, "HFFNE_PT_face")
    _, y = test.blender.find("hffne.generate")
    left, _, width, _ = test.blender.evaluate("answer = rectangle(place(region='UI')['region'])")
    menu = (left + width - 46, y + BELOW_GENERATE)
    press_at(test, menu, "preferences.addon_show of the menu", ("p",), "len(bpy.context.window_manager.windows)")
    test.picture("80_preferences", 3)
    said = "session().state.installation.message if session().state.installation else ''"
    press_each(test, [("hffne.check_engine", (), said)], (0.6,), **WHERE)
    test.picture("81_checked", 2)
    before = test.blender.evaluate(f"answer = {{name: getattr({OWN[:-1]}, name) for name in {PROPERTIES!r}}}")
    try:
        _change_preferences(test)
    finally:
        test.blender.evaluate(f"for name, value in {before!r}.items():\n    setattr({OWN[:-1]}, name, value)")
        tidy(test)
    test.blender.until("not session().installing()", 300)


def _change_preferences(test):
    """Every property, by the mouse and the keys."""

    def typed(name, text):
        return f"preferences.{name}", ("ctrl+a", f"text:{text}", "Return"), OWN + name

    def turned(name):
        return f"preferences.{name}", "wheel", OWN + name

    # The window may be too small for all of it.
    _wheel(test, down=True)
    press_each(test, [turned("idle_minutes"), ("preferences.frame_result", (), OWN + "frame_result")], (0.6,), **WHERE)
    _wheel(test, down=False)
    rows = [turned("device"), turned("build")]
    rows += [typed(name, test.out) for name in ("wheels_folder", "weights", "coarse_file", "engine_python")]
    press_each(test, rows, (0.6,), **WHERE)
    test.picture("82_preferences_changed", 2)
    press_each(test, [typed("engine_python", test.engine), turned("model")], (0.6,), **WHERE)
    press_each(test, [typed("exemplar_file", test.out), typed("refiner_file", test.out)], (0.6,), **WHERE)
    test.picture("83_published_model", 2)


def _wheel(test, down):
    """Scroll the preferences some way, over their left margin, where the wheel turns no value."""
    left, top, width, height = test.blender.evaluate(f"answer = rectangle(place(**{WHERE!r})['region'])")
    test.screen.move(left + width * 0.1, top + height / 2)
    for _ in range(10):
        test.screen.tool("click", 5 if down else 4)
    time.sleep(2)


def step_51_buttons_install(test):
    """Without an engine: an installation is begun, cancelled, looked at and removed."""
    test.prepare()
    test.blender.evaluate(
        f"engine = {OWN}engine_python; {OWN}engine_python = ''; session().close()\n"
        "bpy.context.preferences.system.use_online_access = False"
    )
    show(test, "HFFNE_PT_face")
    windows = "len(bpy.context.window_manager.windows)"
    press_each(test, [("screen.userpref_show", (), windows)])
    tidy(test)
    test.blender.evaluate("bpy.context.preferences.system.use_online_access = True")
    time.sleep(1)
    test.screen.click(*test.blender.find("hffne.install_engine"))
    test.blender.until("session().installing()", 20)
    test.picture("84_installing", 2)
    test.blender.press("hffne.cancel_install", columns=(0.9,))
    test.blender.until("not session().installing()", 60)
    test.picture("85_install_cancelled", 2)
    state = test.blender.evaluate("answer = session().state.installation.state")
    test.expect("the installation cancelled by its button", state != "done", state)
    press_each(test, [("hffne.show_install_log()", (), TEXTS)], (0.3,))
    test.picture("86_install_log", 2)
    tidy(test)
    half = "bool(part('operators.bases.installation').half_installation(part('preferences').engine_folder())[0])"
    if test.blender.evaluate(f"answer = {half}"):
        press_each(test, [("hffne.remove_engine", ("Return",), half)], (0.3, 0.75))
    test.blender.evaluate(f"{OWN}engine_python = engine")
    test.picture("87_engine_back", 2)


def step_52_buttons_add_menu(test):
    """Add > Mesh > Face From Photo, found by typing in the Add menu."""
    left, top, width, height = test.blender.evaluate("answer = rectangle(place()['region'])")
    keys = ("shift+a", "text:face from", "Return")
    press_at(test, (left + width / 3, top + height / 2), "hffne.open_photo of the menu Add", keys, BROWSER)
    test.picture("88_add", 2)
    tidy(test)
