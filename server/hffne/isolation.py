# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps modules of other programs out of this one and of the processes that it starts.

A PYTHONPATH that a studio has set for its own tools, or an `argparse.py` beside a photo, must not take the place of a
module that the program needs. Nothing but `os` and `sys`, which Python has loaded before, is imported here.
"""

import os
import sys
from collections.abc import Sequence

# Runs a module as the program, with given folders first and without the working folder, which "-c" puts in front.
_RUN = "import sys; sys.path[:] = {places!r} + [p for p in sys.path if p]; import runpy; sys.argv[:1] = []; "
_RUN += "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"


def protect_path() -> None:
    """Take the working folder off `sys.path`, and put what PYTHONPATH names behind the installed packages.

    For a command's first line: `python -m` and PYTHONPATH put their folders first. A folder with this very package
    stays where it is, so that the program runs from its sources.
    """
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    last = [place for place in sys.path if place in named and place and not _has_package(place)]
    here = os.getcwd() if not hasattr(sys, "ps1") else None
    kept = [place for place in sys.path if place not in last]
    if kept and kept[0] in ("", here) and not _has_package(kept[0] or "."):
        kept = kept[1:]
    sys.path[:] = kept + last


def python_command(python: str, module: str, places: Sequence[str] = ()) -> list[str]:
    """The command line that runs a module in a Python with `places` as its first folders.

    Without PYTHONPATH and the other variables that Python reads, and without the working folder.
    """
    return [python, "-E", "-X", "utf8", "-c", _RUN.format(places=list(places)), module]


def child_environment() -> dict[str, str]:
    """This process's environment for a child, without what would mislead its Python."""
    environ = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT"):
        environ.pop(name, None)
    environ["PYTHONSAFEPATH"] = "1"
    return environ


def neutral_folder() -> str:
    """A working folder for children in which nobody puts modules: the root of the file system."""
    return os.path.abspath(os.sep)


def _has_package(place: str) -> bool:
    return any(os.path.isfile(os.path.join(place, name, "__init__.py")) for name in ("hffne", "hffne_blender"))
