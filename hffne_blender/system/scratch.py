# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders of a run in progress: private, gone at its end, and with the next run if it was killed.

Standard library only: the engine and the extension have the same file.
"""

import os
import shutil
import stat
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:
    fcntl = None

PREFIX, SUFFIX = ".hffne-", ".partial"
# Where the system has no such locks, this old is what nobody works on any more.
DAY = 24 * 3600


class Scratch:
    """A new empty file (mode 0600) or folder (0700) in `place`, at `path`; what killed runs left there is removed.

    While it is open a lock that ends with the process tells others that it is in use. Raises OSError.
    """

    def __init__(self, place, folder=False):
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

    def close(self):
        """Remove it, unless it was moved to its place. Safe to call twice."""
        _remove(self.path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        self.close()


def _sweep(own):
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
            pass  # somebody else's, or somebody else was quicker


def _lock(path, wait):
    """A descriptor that keeps `path` locked, or None where there are no locks, or another has it."""
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


def _remove(path):
    try:
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    except OSError:
        pass
