# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a path that should be a photo's."""

import os

from .errors import ExtensionError


def check(path: str, kind: type[ExtensionError] = ExtensionError) -> None:
    """Raise an error of this kind for a path at which there is no file; a folder is told as a folder."""
    if os.path.isfile(path):
        return
    if os.path.isdir(path):
        error = ExtensionError("photo_not_found", f"{path} is a folder.", "Choose a photo in it.")
    else:
        error = ExtensionError("photo_not_found", f"There is no file {path}.", "Check the path.")
    raise kind.from_dict(error.as_dict())
