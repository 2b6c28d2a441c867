# SPDX-License-Identifier: GPL-3.0-or-later
"""A child process together with all that it starts: a process group, on Windows a job object.

tree = process_tree()
child = subprocess.Popen(command, **tree.options)
tree.hold(child)
...
tree.end()
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from typing import Any, Protocol

# Windows's numbers, which Python's subprocess has on Windows only.
_NEW_GROUP, _NO_WINDOW = 0x200, 0x08000000
_TERMINATE, _SET_QUOTA = 0x0001, 0x0100
_EXTENDED_LIMITS = 9
_KILL_ON_CLOSE = 0x2000


class ProcessTree(Protocol):
    """One child and its descendants.

    options  keyword arguments that `subprocess.Popen` needs for it
    """

    options: dict[str, Any]

    def hold(self, child: "subprocess.Popen[Any]") -> None:
        """Take the child in, right after its start."""

    def end(self) -> None:
        """Kill what still runs of the tree. Safe to call twice; does not wait for the child."""


def process_tree(hidden: bool = False) -> ProcessTree:
    """The tree for this system; hidden: on Windows no console appears, and the child has none to write to."""
    return JobObject(_kernel(), hidden) if sys.platform == "win32" else ProcessGroup()


class ProcessGroup:
    """POSIX: a session of its own, to which a terminal's Ctrl-C does not go."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {"start_new_session": True}
        self._child: subprocess.Popen[Any] | None = None

    def hold(self, child: "subprocess.Popen[Any]") -> None:
        """See `ProcessTree`."""
        self._child = child

    def end(self) -> None:
        """See `ProcessTree`. Nothing after the child was waited for: its number may be another's then."""
        if self._child is not None and self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)


class JobObject:
    """Windows: a job object, which also ends its processes when this process ends, whatever ends it.

    kernel: kernel32's functions.
    """

    def __init__(self, kernel: Any, hidden: bool = False) -> None:
        self.options: dict[str, Any] = {"creationflags": _NEW_GROUP | (_NO_WINDOW if hidden else 0)}
        self._kernel = kernel
        self._child: subprocess.Popen[Any] | None = None
        self._job: int | None = None

    def hold(self, child: "subprocess.Popen[Any]") -> None:
        """See `ProcessTree`."""
        self._child = child
        job = self._kernel.CreateJobObjectW(None, None)
        if not job:
            return
        limits = _ExtendedLimits()
        limits.basic.flags = _KILL_ON_CLOSE
        process = self._kernel.OpenProcess(_TERMINATE | _SET_QUOTA, False, child.pid)
        held = (
            process
            and self._kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
            and self._kernel.AssignProcessToJobObject(job, process)
        )
        if process:
            self._kernel.CloseHandle(process)
        if held:
            self._job = job
        else:
            self._kernel.CloseHandle(job)

    def end(self) -> None:
        """See `ProcessTree`. Where Windows refused the job object, `taskkill` looks for the descendants."""
        (job, self._job), (child, self._child) = (self._job, None), (self._child, None)
        if job is not None:
            self._kernel.TerminateJobObject(job, 1)
            self._kernel.CloseHandle(job)
        elif child is not None and child.poll() is None:
            command = ["taskkill", "/T", "/F", "/PID", str(child.pid)]
            subprocess.run(command, capture_output=True, check=False, creationflags=_NO_WINDOW)


class _BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = [
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
    ]


class _ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = [
        ("basic", _BasicLimits),
        ("transfers", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t * 4),
    ]


def _kernel() -> Any:
    """kernel32 with the types of what is used of it: a handle is as wide as a pointer."""
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    handle, number = ctypes.c_void_p, ctypes.c_uint32
    kernel.CreateJobObjectW.argtypes, kernel.CreateJobObjectW.restype = (handle, ctypes.c_wchar_p), handle
    kernel.OpenProcess.argtypes, kernel.OpenProcess.restype = (number, ctypes.c_int, number), handle
    kernel.SetInformationJobObject.argtypes = (handle, ctypes.c_int, handle, number)
    kernel.AssignProcessToJobObject.argtypes = (handle, handle)
    kernel.TerminateJobObject.argtypes = (handle, number)
    kernel.CloseHandle.argtypes = (handle,)
    return kernel
