# SPDX-License-Identifier: GPL-3.0-or-later
"""HFFNE for Blender: one photo in, one face object with a detailed normal map.

No module imports one of a higher layer; docs/architecture.md has the table. Nothing that needs bpy is imported before
`register()`, so that the build command and the engine client also work in a Python without Blender.
"""

import atexit
from types import ModuleType


def _parts() -> tuple[ModuleType, ...]:
    """The modules that register classes, in the order of registration."""
    from . import batch, operators, settings, sliders, ui

    return settings, sliders, batch, operators, ui


def register() -> None:
    """Register the extension with Blender."""
    import bpy

    for part in _parts():
        part.register()
    if not bpy.app.binary_path:
        # Classes still registered when Python ends make the bpy module hang; the application unregisters by itself.
        atexit.register(unregister)


def unregister() -> None:
    """Stop the engine and undo `register`."""
    from .engine import session

    atexit.unregister(unregister)
    session.close()
    for part in reversed(_parts()):
        part.unregister()
