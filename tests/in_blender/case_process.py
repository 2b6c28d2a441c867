# SPDX-License-Identifier: GPL-3.0-or-later
"""What cases share: the project on the Python path, an empty scene, the selection, and printing a case's result.

`python SOME_cases.py NAME [ARGUMENT...]` runs the function `case_NAME` and prints its result as JSON. Each case has a
process of its own, because bpy and torch in one process disturb each other, and because a case must not find what
another one left.
"""

import json
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS.parent)]

import bpy

import hffne_blender


def empty():
    """An empty file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


def start():
    """An empty file with the extension enabled; `main` disables it."""
    global _started
    empty()
    hffne_blender.register()
    _started = True


_started = False


def counts(kinds=("objects", "meshes", "images", "materials")):
    """How many data-blocks of some kinds there are."""
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds}


def choose(obj):
    """Select one object and make it the active one."""
    for other in bpy.context.selected_objects:
        other.select_set(False)
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj


def main(cases):
    """Run the function `case_NAME` of `cases` (a module's globals) and print its result, see blender_process.py."""
    name, *arguments = sys.argv[1:]
    result = cases[f"case_{name}"](*arguments)
    if _started:
        hffne_blender.unregister()
    print("RESULT " + json.dumps(result, default=float), flush=True)
