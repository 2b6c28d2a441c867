# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test (tests/long/window), which CI does not run, presses every button of panels, menus and preferences."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Which argument of a layout's function says what the button is.
ARGUMENT = {"operator": 0, "operator_menu_enum": 0, "prop": 1, "prop_enum": 1, "_draw_path": 1}
# Buttons that no step presses, and why. Those in loops over a registry (sliders, maps, output) are pressed in a loop.
NOT_PRESSED = {
    "import_weights": "it is shown for files that are not ours to ship",
}


def calls(tree):
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def drawn():
    """{button: file} of the extension's interface."""
    found = {"output_preset_add": "panel.py"}
    for path in sorted((ROOT / "hffne_blender" / "ui").glob("*.py")):
        for call in calls(ast.parse(path.read_text("utf-8"))):
            number = ARGUMENT.get(getattr(call.func, "attr", ""))
            if number is not None and len(call.args) > number and isinstance(call.args[number], ast.Constant):
                found[call.args[number].value.removeprefix("hffne.")] = path.name
    return found


def named():
    """All texts of the steps that may say which button to press: without code for Blender and descriptions."""
    for path in (ROOT / "tests" / "long" / "window").glob("steps_*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        about = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
        code = re.compile(r"bpy\.|part\(|answer =")
        yield from (node.value for node in texts if id(node) not in about and not code.search(node.value))


def test_every_button_is_named_by_a_step_of_the_window_test():
    buttons, texts = drawn(), "\n".join(named())
    missing = {name for name in buttons if not re.search(rf"(?<![a-z_]){re.escape(name)}(?![a-z_])", texts)}
    assert len(buttons) > 50
    assert not missing - set(NOT_PRESSED), {name: buttons[name] for name in missing - set(NOT_PRESSED)}
