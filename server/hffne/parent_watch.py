# SPDX-License-Identifier: GPL-3.0-or-later
"""Notice that the process which started the engine has ended, for whatever reason.

The end of stdin shows that as well, but not where another child of that process has inherited the pipe.
"""

import os
import sys
import threading
import time
from collections.abc import Callable

# The client sets this variable to its own process id.
VARIABLE = "HFFNE_CLIENT_PID"

_SYNCHRONIZE = 0x00100000
_INFINITE = 0xFFFFFFFF


def call_when_parent_ends(callback: Callable[[], object], seconds: float = 1.0) -> threading.Thread | None:
    """Call `callback()` once, from a thread, when the process named by HFFNE_CLIENT_PID ends.

    seconds: the interval between two checks on POSIX. Returns the thread, or None where that process cannot be
    watched: not named, or not this one's parent (a wrapper stands between them). Windows can watch any process;
    elsewhere process ids are soon used again, and the end of stdin has to suffice.
    """
    try:
        pid = int(os.environ.get(VARIABLE, ""))
    except ValueError:
        return None
    wait = _windows_wait(pid) if sys.platform == "win32" else _posix_wait(pid, seconds)
    if wait is None:
        return None

    def run() -> None:
        wait()
        callback()

    thread = threading.Thread(target=run, name="parent-watch", daemon=True)
    thread.start()
    return thread


def _posix_wait(pid: int, seconds: float) -> Callable[[], object] | None:
    """A function that returns when the parent `pid` has ended, or None when `pid` is not the parent."""
    if os.getppid() != pid:
        return None

    def wait() -> None:
        while os.getppid() == pid:
            time.sleep(seconds)

    return wait


def _windows_wait(pid: int) -> Callable[[], object] | None:
    """The same on Windows, for any process."""
    if sys.platform != "win32":
        return None
    import ctypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.WaitForSingleObject.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    handle = kernel.OpenProcess(_SYNCHRONIZE, False, pid)
    if not handle:
        return None
    return lambda: kernel.WaitForSingleObject(handle, _INFINITE)
