# SPDX-License-Identifier: GPL-3.0-or-later
"""What a temporary file that cannot be written, as on a full disk, says to the user."""

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import ExtensionError

_HINT = "Make room on the disk, or choose another temporary folder in Blender's preferences."


@contextmanager
def needed(folder: str, kind: type[ExtensionError]) -> Iterator[None]:
    """Within it, OSError becomes the error `kind` with the code "file_error", the folder and a hint."""
    try:
        yield
    except OSError as problem:
        why = problem.strerror or str(problem)
        error = ExtensionError("file_error", f"A temporary file cannot be written to {folder} ({why}).", _HINT)
        raise kind.from_dict(error.as_dict()) from None
