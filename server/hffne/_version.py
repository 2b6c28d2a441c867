# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's version, from addon_manifest.toml; packaging copies it from there."""

import re
from pathlib import Path


def _version() -> str:
    manifest = Path(__file__).resolve().parents[2] / "addon_manifest.toml"
    if manifest.is_file():
        # Run from the sources: an installed distribution's version may be older.
        found = re.search(r'^version\s*=\s*"([^"]+)"', manifest.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found.group(1)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("hffne")
    except PackageNotFoundError:
        return "0"


__version__ = _version()
