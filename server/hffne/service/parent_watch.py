# SPDX-License-Identifier: GPL-3.0-or-later
"""Notice that the program which started the engine is gone, however it went.

The end of stdin tells that, too, but not where another child of that program has inherited the pipe.
"""

import os
import sys
import threading
import time

# Set by the client to its own process id.
VARIABLE = "HFFNE_CLIENT_PID"

_SYNCHRONIZE = 0x00100000
_FOREVER = 0xFFFFFFFF


def watch(gone, seconds=1.0):
    """Call `gone()` once, from a thread, when the process named by HFFNE_CLIENT_PID ends. Returns the thread or None.

    Where that process is not this one's parent (a wrapper stands between them) only Windows can watch it; elsewhere
    process ids are soon used again, and the end of stdin has to do.
    """
    try:
        pid = int(os.environ.get(VARIABLE, ""))
    except ValueError:
        return None
    wait = _windows(pid) if sys.platform == "win32" else _posix(pid, seconds)
    if wait is None:
        return None

    def run():
        wait()
        gone()

    thread = threading.Thread(target=run, name="parent", daemon=True)
    thread.start()
    return thread


def _posix(pid, seconds):
    if os.getppid() != pid:
        return None

    def wait():
        while os.getppid() == pid:
            time.sleep(seconds)

    return wait


def _windows(pid):
    import ctypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.WaitForSingleObject.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    handle = kernel.OpenProcess(_SYNCHRONIZE, False, pid)
    if not handle:
        return None
    return lambda: kernel.WaitForSingleObject(handle, _FOREVER)
