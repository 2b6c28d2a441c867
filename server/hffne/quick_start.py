# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading of large libraries without the garbage collector, which would look through all that they make, again and
again: a fifth of the time that PyTorch takes."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Load within this. What is there at its end is never looked at again, so it is for programs, not for libraries."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
