# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact versions of the engine's packages, with hashes, which the extension's zip has beside the engine's wheel."""

import re
from pathlib import Path


def name_for(python: str) -> str:
    """The lock's file name for a Python such as "3.11"."""
    return f"engine-{python}.lock"


def lock_for(wheel: Path, environment: Path) -> Path | None:
    """The lock beside the engine's wheel for the Python of an environment; None without one for its version."""
    try:
        settings = (environment / "pyvenv.cfg").read_text("utf-8")
    except OSError:
        return None
    version = re.search(r"(?m)^version(?:_info)? *= *(\d+\.\d+)", settings)
    lock = wheel.with_name(name_for(version[1])) if version else None
    return lock if lock and lock.is_file() else None
