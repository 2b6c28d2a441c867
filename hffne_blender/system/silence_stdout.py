# SPDX-License-Identifier: GPL-3.0-or-later
"""Silences what Blender's own C code prints to stdout, hundreds of lines per render."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


@contextlib.contextmanager
def silence_stdout() -> Iterator[TextIO]:
    """Redirect file descriptor 1 to nowhere for the time of a `with`; stderr still shows errors.

    Yields a text stream that writes to the real stdout.
    """
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:
        # A program with a window may have no stdout: there is nothing to silence.
        yield sys.stdout
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        with open(os.dup(kept), "w", encoding="utf-8", errors="replace", buffering=1) as stream:
            yield stream
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)
