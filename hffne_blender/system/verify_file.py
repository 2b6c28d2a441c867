# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a file that Blender wrote whole? On a full disk it says of a cut PNG or compressed .blend that it was saved."""

import os

# How such a file begins and how it ends: PNG's last chunk; the seek table behind the Zstandard frames of a .blend.
ENDS = (
    (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    (b"\x28\xb5\x2f\xfd", b"\xb1\xea\x92\x8f"),
)


def verify_complete(path):
    """Raise OSError when the file is missing, empty, or a PNG or compressed .blend without its end."""
    with open(path, "rb") as stream:
        head = stream.read(8)
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - 8))
        tail = stream.read()
    if not size or any(head.startswith(begin) and not tail.endswith(end) for begin, end in ENDS):
        raise OSError(f"'{os.path.basename(path)}' could not be written whole; is the disk full?")
