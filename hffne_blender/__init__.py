# SPDX-License-Identifier: GPL-3.0-or-later
"""HFFNE for Blender: one photo in, one face object with a detailed normal map.

Layers look one way only: `engine` (no bpy: the process and its frames) <- `scene`
(builds data-blocks from the engine's arrays) <- `operators` <- `ui`. Nothing that
needs bpy is imported before `register()`, so that the build command and the
engine client also work in a Python without Blender.
"""

import atexit


def _parts():
    from . import batch, operators, settings, sliders, ui

    return settings, sliders, batch, operators, ui


def register():
    import bpy

    for part in _parts():
        part.register()
    if not bpy.app.binary_path:
        # Classes still registered when Python ends make Blender as a module hang; the
        # application unregisters by itself.
        atexit.register(unregister)


def unregister():
    from .engine import session

    atexit.unregister(unregister)
    session.close()
    for part in reversed(_parts()):
        part.unregister()
