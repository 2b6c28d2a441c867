# SPDX-License-Identifier: GPL-3.0-or-later
"""What cases share: the project on the Python path, an empty scene, the selection, and printing a case's result."""

import json
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS.parent)]

import bpy

import hffne_blender


def start():
    """An empty file with the extension enabled."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    hffne_blender.register()


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
    hffne_blender.unregister()
    print("RESULT " + json.dumps(result, default=float), flush=True)
