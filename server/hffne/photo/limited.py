# SPDX-License-Identifier: GPL-3.0-or-later
"""Decodes a photo in a child process with limits on memory and time: a decoder that a file misleads ends with it.

Linux and macOS limit the processor time; Linux limits the address space too. Everywhere the wall clock is limited.
"""

import json
import os
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from hffne.errors import DamagedPhotoError, HffneError, PhotoTooComplexError, PhotoTooLargeError
from hffne.isolation import child_environment, neutral_folder, python_command
from hffne.parent_watch import VARIABLE

# Bytes of address space, of which the largest photos that are taken need half; seconds.
MEMORY = 4 << 30
PROCESSOR_SECONDS = 60
# Where the processor time is limited, this is for a drive that does not answer: a busy machine may take long.
WALL_SECONDS = 90 if sys.platform == "win32" else 300
HEAD = struct.Struct("<I")
_MOST_TEXT = 1 << 16

_waits: dict[int, float] = {}
_waited = 0.0


def waited() -> float:
    """Seconds that this process has waited for decoders: they work, and end in time, while it uses no processor."""
    now = time.monotonic()
    return _waited + sum(now - since for since in list(_waits.values()))


def decode(path: Path) -> tuple[np.ndarray, list[str]]:
    """(pixels (H, W, 3) uint8, notices) of a photo, as `load.decode_file` gives them. Raises what that raises."""
    child = subprocess.Popen(
        [
            *python_command(sys.executable, "hffne.photo.decode_child", [place for place in sys.path if place]),
            str(path.absolute()),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=neutral_folder(),
        env={**child_environment(), VARIABLE: str(os.getpid()), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0,
    )
    late = threading.Event()

    def stop() -> None:
        late.set()
        child.kill()

    global _waited
    timer = threading.Timer(WALL_SECONDS, stop)
    timer.start()
    _waits[child.pid] = time.monotonic()
    try:
        answer = _read(child)
    finally:
        timer.cancel()
        _waited += time.monotonic() - _waits.pop(child.pid)
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    if answer is not None:
        return answer
    # -24 is SIGXCPU: the processor time is used up.
    if late.is_set() or child.returncode == -24:
        raise PhotoTooComplexError(f"'{path}' takes longer than {PROCESSOR_SECONDS} s to read.")
    raise DamagedPhotoError(f"'{path}' is damaged: its decoder stopped.")


def _read(child: "subprocess.Popen[bytes]") -> tuple[np.ndarray, list[str]] | None:
    """What the child sends, None where it ended before. Raises the error that it sends."""
    stream = child.stdout
    assert stream is not None
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        child.wait(WALL_SECONDS)
        return None
    text = stream.read(min(HEAD.unpack(head)[0], _MOST_TEXT))
    try:
        said = json.loads(text)
    except ValueError:
        return None
    if "error" in said:
        raise HffneError.from_dict(said["error"])
    try:
        pixels = np.empty((*said["size"], 3), np.uint8)
    except MemoryError:
        raise PhotoTooLargeError("There is not enough memory for the photo.") from None
    rest = pixels.data.cast("B")
    while rest:
        count = stream.readinto(rest)  # type: ignore[attr-defined]
        if not count:
            return None
        rest = rest[count:]
    return pixels, [str(notice) for notice in said["notices"]]
