# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that a file which Blender wrote is complete: on a full disk it reports a truncated PNG or .blend as saved."""

import os

# The first and the last bytes of such files: PNG's last chunk; the seek table after the Zstandard frames of a .blend.
ENDS = (
    (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    (b"\x28\xb5\x2f\xfd", b"\xb1\xea\x92\x8f"),
)


def verify_complete(path: str | os.PathLike[str]) -> None:
    """Raise OSError when the file is missing, empty, or a PNG or compressed .blend without its end."""
    with open(path, "rb") as stream:
        head = stream.read(8)
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - 8))
        tail = stream.read()
    if not size or any(head.startswith(begin) and not tail.endswith(end) for begin, end in ENDS):
        raise OSError(f"'{os.path.basename(path)}' could not be written completely; is the disk full?")
