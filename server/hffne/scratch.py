# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary files and folders of a run: private, removed at its end, or by the next run when it was killed.

Standard library only: the engine and the extension have the same file.
"""

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

PREFIX, SUFFIX = ".hffne-", ".partial"
# Seconds. Where the system has no file locks, an older file counts as left over.
DAY = 24 * 3600


class Scratch:
    """A new empty file (mode 0600) or folder (0700) in `place`; leftovers of killed runs there are removed.

    path  the file or folder

    While it is open it is locked, by a lock that ends with the process, so that others keep it. Raises OSError.
    """

    def __init__(self, place: str | Path, folder: bool = False) -> None:
        while True:
            if folder:
                self.path = Path(tempfile.mkdtemp(SUFFIX, PREFIX, place))
            else:
                descriptor, name = tempfile.mkstemp(SUFFIX, PREFIX, place)
                os.close(descriptor)
                self.path = Path(name)
            self._lock = _lock(self.path, wait=True)
            # Another run may have taken it for a leftover before it was locked.
            if self.path.exists():
                break
            self.close()
        _sweep(self.path)

    def close(self) -> None:
        """Remove it, unless it was renamed. Safe to call twice."""
        _remove(self.path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()


def _sweep(own: Path) -> None:
    """Remove leftovers of killed runs beside `own`."""
    now = own.stat().st_mtime
    for path in own.parent.glob(f"{PREFIX}*{SUFFIX}"):
        if path == own:
            continue
        try:
            if fcntl is None:
                if now - path.lstat().st_mtime > DAY:
                    _remove(path)
                continue
            lock = _lock(path, wait=False)
            if lock is not None:
                _remove(path)
                os.close(lock)
        except OSError:
            pass  # another user's, or already removed by another run


def _lock(path: Path, wait: bool) -> int | None:
    """A descriptor that keeps `path` locked, or None where there are no locks, or another process has it."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_uid == os.getuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _remove(path: Path) -> None:
    try:
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    except OSError:
        pass
