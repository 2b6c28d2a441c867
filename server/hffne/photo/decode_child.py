# SPDX-License-Identifier: GPL-3.0-or-later
"""The child of `limited`: limits itself, decodes one photo and writes it to stdout."""

import json
import os
import sys
from pathlib import Path

from hffne.errors import HffneError
from hffne.parent_watch import call_when_parent_ends
from hffne.photo.limited import HEAD, MEMORY, PROCESSOR_SECONDS
from hffne.photo.load import decode_file


def _limit() -> None:
    """Limit this process's memory and processor time, where the system can."""
    if sys.platform == "win32":
        return
    import resource

    for name, most in (("RLIMIT_CORE", 0), ("RLIMIT_CPU", PROCESSOR_SECONDS), ("RLIMIT_AS", MEMORY)):
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        try:
            _, hard = resource.getrlimit(kind)
            soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (soft, hard))
        except (OSError, ValueError):
            pass  # macOS refuses the address space


def main() -> int:
    """Decode the photo named by the argument and write it to stdout: a length, JSON, and the pixels."""
    _limit()
    call_when_parent_ends(lambda: os._exit(1))
    out = sys.stdout.buffer
    said: dict[str, object]
    pixels = None
    try:
        pixels, notices = decode_file(Path(sys.argv[1]))
        said = {"size": pixels.shape[:2], "notices": notices}
    except HffneError as error:
        said = {"error": error.as_dict()}
    text = json.dumps(said).encode()
    out.write(HEAD.pack(len(text)) + text)
    if pixels is not None:
        out.write(pixels.data.cast("B"))
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
