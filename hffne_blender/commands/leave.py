# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a program that runs in Blender."""

import os
import shutil
import sys
from typing import NoReturn

import bpy


def leave(status: int) -> NoReturn:
    """End this program with an exit status.

    Blender as a Python module at times waits for ever, or crashes (4.2), when Python takes itself down after its work:
    there the process ends at once.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if not bpy.app.binary_path:
        shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
        os._exit(status)
    sys.exit(status)
