# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory a process takes, in MB, without a package for it."""

import subprocess
import sys
from pathlib import Path


def peak_memory():
    """The largest resident size of this process so far, or None where the system does not tell."""
    # Not getrusage: on Linux it starts from the size of the process that started this one.
    found = _status("self", "VmHWM")
    if found is not None:
        return found
    if sys.platform == "win32":
        return _windows()[0]
    try:
        import resource

        unit = 1024**2 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    except ImportError:
        return None


def memory_of(pid):
    """(resident now, the largest so far) of another process; None for what the system does not tell."""
    now, peak = _status(pid, "VmRSS"), _status(pid, "VmHWM")
    if now is None and sys.platform == "darwin":
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
        now = int(said.stdout) / 1024 if said.stdout.strip() else None
    if now is None and sys.platform == "win32":
        peak, now = _windows(pid)
    return now, peak


def _status(pid, key):
    try:
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def _windows(pid=None):
    """(peak, now) of a process, this one by default."""
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "pagefile", "peak_pagefile")
        ]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    kernel = ctypes.WinDLL("kernel32")
    kernel.GetCurrentProcess.restype = kernel.OpenProcess.restype = wintypes.HANDLE
    query = kernel.K32GetProcessMemoryInfo
    query.argtypes = [wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD]
    # 0x1000: the right to ask for little.
    process = kernel.GetCurrentProcess() if pid is None else kernel.OpenProcess(0x1000, False, pid)
    try:
        if not process or not query(process, counters, counters.cb):
            return None, None
        return counters.peak / 1024**2, counters.now / 1024**2
    finally:
        if pid is not None and process:
            kernel.CloseHandle(wintypes.HANDLE(process))
