# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an installed engine: where they lie, whether they are complete, and how much room they take.

`base` is the extension's folder for the engine; its environment lies in `base`/env, its downloads in `base`/cache.
"""

import contextlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

# Written last: an environment without it is not complete.
STAMP = "hffne-installed.json"
# Written first: the build that an interrupted installation was for.
BEGUN = "hffne-begun.json"

# The folder of a version among Blender's user folders.
_BLENDER = re.compile(r"\d+\.\d+")


def environment_folder(base: str | Path) -> Path:
    """The folder of the engine's environment."""
    return Path(base) / "env"


def python_in(folder: str | Path) -> Path:
    """The Python of an environment."""
    return Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def installed_python(base: str | Path) -> str:
    """The path of the Python of a complete environment, or ""; the Python that it was made from may be gone."""
    if not base:
        return ""
    folder = environment_folder(base)
    return str(python_in(folder)) if (folder / STAMP).is_file() else ""


def of_other_blenders(base: str | Path, version: str) -> list[tuple[str, str]]:
    """[(Blender's version, Python)] of complete engines of `version` that other Blenders made, the newest first.

    Blender's user folders have its version in their path, so that after an upgrade the extension, copied or installed
    again, begins without an engine. An engine whose own Blender was removed has lost its Python and is not listed.
    """
    parts = Path(base).parts
    own = max((k for k, part in enumerate(parts) if _BLENDER.fullmatch(part)), default=None)
    if own is None:
        return []
    names = [folder.name for folder in Path(*parts[:own]).glob("*.*") if _BLENDER.fullmatch(folder.name)]
    engines = []
    for name in sorted(set(names) - {parts[own]}, key=lambda name: [int(n) for n in name.split(".")], reverse=True):
        other = Path(*parts[:own], name, *parts[own + 1 :])
        if state(other).get("version") == version and _has_its_base(environment_folder(other)):
            engines.append((name, installed_python(other)))
    return engines


def state(base: str | Path) -> dict[str, Any]:
    """What the last complete installation wrote ("version", "build", "bytes"), or {}."""
    try:
        facts = json.loads((environment_folder(base) / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def is_half(base: str | Path) -> bool:
    """Whether an interrupted installation or removal has left an incomplete environment, or downloads."""
    if not base:
        return False
    folder = environment_folder(base)
    return (folder.exists() and not (folder / STAMP).is_file()) or (Path(base) / "cache").exists()


def last_log(base: str | Path) -> str:
    """The log of the last installation, also of one that another Blender process began, or ""."""
    try:
        return (Path(base) / "install.log").read_text("utf-8", "replace") if base else ""
    except OSError:
        return ""


def version_of(wheel: str | Path) -> str:
    """The version in a wheel's file name."""
    return Path(wheel).name.split("-")[1]


def build_in(folder: Path) -> str:
    """The build of torch that an environment has, or was begun for, or ""."""
    for name in (STAMP, BEGUN):
        try:
            return str(json.loads((folder / name).read_text("utf-8"))["build"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return ""


def free_bytes(base: str | Path) -> int:
    """Free bytes of the disk on which `base` is or will be."""
    place = Path(base)
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def size_of(folder: str | Path) -> int:
    """Bytes of the files below `folder`."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size
    return total


def remove(base: str | Path) -> None:
    """Delete the environment and the downloads. Raises OSError when something is still in use."""
    folder = environment_folder(base)
    # The stamp first: whatever else stays, the rest does not count as complete any more.
    (folder / STAMP).unlink(missing_ok=True)
    for place in (folder, Path(base) / "cache"):
        if place.exists():
            shutil.rmtree(place)


def _has_its_base(folder: Path) -> bool:
    """Whether the Python from which a virtual environment was made still exists."""
    try:
        home = re.search(r"(?m)^home *= *(.+)$", (folder / "pyvenv.cfg").read_text("utf-8"))
    except OSError:
        return False
    return home is not None and os.path.isdir(home.group(1).strip()) and python_in(folder).exists()
