# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of photos as names of files: what an object store calls its objects need not be one."""

import os
import re

# Windows: letters that have a meaning of their own, a dot or space at the end, and its devices with any ending.
_FOR_WINDOWS = re.compile(
    r'.*[<>:"\\|?*\x00-\x1f].*|.*[. ]|(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?', re.IGNORECASE | re.DOTALL
)


def is_file_name(name: str, windows: bool = os.name == "nt") -> bool:
    """Whether a relative name with slashes can be a file below a folder: it leaves none, and the system allows it."""
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") for part in parts):
        return False
    return not windows or not any(_FOR_WINDOWS.fullmatch(part) for part in parts)


def copy_name(name: str) -> str:
    """The name of a photo's copy on this machine: its own where a file can have it."""
    last = name.rpartition("/")[2]
    return last if is_file_name(last) else "photo." + re.sub(r"[^A-Za-z0-9]", "", last.rpartition(".")[2])
