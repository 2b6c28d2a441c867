# SPDX-License-Identifier: GPL-3.0-or-later
"""Silences what Blender's own C code prints to stdout, hundreds of lines a render."""

import contextlib
import os
import sys


@contextlib.contextmanager
def silence_stdout():
    """Send file descriptor 1 nowhere; errors go to stderr and are still seen.

    Yields a text stream that still reaches the old stdout.
    """
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:
        # No stdout at all, as in a windowed program: nothing to silence.
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
