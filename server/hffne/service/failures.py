# SPDX-License-Identifier: GPL-3.0-or-later
"""Unforeseen exceptions as errors that can be shown; their tracebacks go to the log only."""

import sys

from hffne.errors import (
    FileAccessError,
    HffneError,
    IncompleteInstallationError,
    InternalError,
    NotEnoughMemoryError,
)

_MAX_TEXT = 300


def explain(error: BaseException) -> HffneError:
    """The error to show for an exception."""
    if isinstance(error, HffneError):
        return error
    if is_out_of_memory(error):
        return NotEnoughMemoryError("There is not enough memory for this photo.")
    text = " ".join(str(error).split())[:_MAX_TEXT]
    if isinstance(error, OSError):
        return FileAccessError(f"A file cannot be used: {text}")
    if isinstance(error, ImportError):
        return IncompleteInstallationError(
            f"The engine's environment is incomplete: {text}",
            hint=f'Install it again, in the project\'s folder: "{sys.executable}" -m pip install .',
        )
    return InternalError(f"The engine failed: {type(error).__name__}: {text}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was used up; torch's and OpenCV's errors are recognized by name and text."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return any(
        words in text for words in ("out of memory", "not enough memory", "allocate memory", "insufficient memory")
    )
