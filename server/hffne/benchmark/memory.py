# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of a process in MB, without a further package."""

import subprocess
import sys
from pathlib import Path


def peak_memory() -> float | None:
    """The peak resident size of this process in MB, or None where the system does not report it."""
    # Not getrusage: on Linux it starts from the size of the process that started this one.
    peak = _linux("self", "VmHWM")
    if peak is not None:
        return peak
    if sys.platform == "win32":
        return _windows()[0]
    try:
        import resource

        unit = 1024**2 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    except ImportError:
        return None


def memory_of(pid: int) -> tuple[float | None, float | None]:
    """(current, peak) resident size of a process in MB; None for what the system does not report."""
    now, peak = _linux(pid, "VmRSS"), _linux(pid, "VmHWM")
    if now is None and sys.platform == "darwin":
        done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
        now = int(done.stdout) / 1024 if done.stdout.strip() else None
    if now is None and sys.platform == "win32":
        peak, now = _windows(pid)
    return now, peak


def _linux(pid: int | str, key: str) -> float | None:
    """A size in MB from /proc/<pid>/status."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


if sys.platform == "win32":

    def _windows(pid: int | None = None) -> tuple[float | None, float | None]:
        """(peak, current) resident size in MB of a process, this one by default."""
        import ctypes
        from ctypes import wintypes

        class Counters(ctypes.Structure):
            """PROCESS_MEMORY_COUNTERS of the Windows API."""

            _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
                (name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "pagefile", "peak_pagefile")
            ]

        counters = Counters()
        counters.cb = ctypes.sizeof(counters)
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = kernel.OpenProcess.restype = wintypes.HANDLE
        query = kernel.K32GetProcessMemoryInfo
        query.argtypes = [wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD]
        # 0x1000 (PROCESS_QUERY_LIMITED_INFORMATION): the least access right that is enough.
        process = kernel.GetCurrentProcess() if pid is None else kernel.OpenProcess(0x1000, False, pid)
        try:
            if not process or not query(process, counters, counters.cb):
                return None, None
            return counters.peak / 1024**2, counters.now / 1024**2
        finally:
            if pid is not None and process:
                kernel.CloseHandle(wintypes.HANDLE(process))
