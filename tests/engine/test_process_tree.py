# SPDX-License-Identifier: GPL-3.0-or-later
"""Children that end with all that they started: a process group here, Windows's job objects with a stand-in of it."""

import ctypes
import subprocess
import sys
import time

import pytest

from hffne import process_tree
from hffne.process_tree import JobObject

# The child starts a process that has its output too, and waits.
CHILD = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(100)"])
time.sleep(100)
"""


def test_what_a_child_started_ends_with_it():
    tree = process_tree.process_tree()
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, **tree.options) as child:
        tree.hold(child)
        child.stdout.readline()
        started = time.monotonic()
        tree.end()
        # Its output ends when the last process that has the pipe does.
        assert child.stdout.read() == b"" and child.wait(30) != 0
        assert time.monotonic() - started < 30
    tree.end()


class Kernel:
    """What is used of Windows's kernel32; refuses: the function that fails."""

    def __init__(self, refuses=""):
        self.refuses, self.handles, self.running, self.flags = refuses, {}, {7, 8}, 0

    def _give(self, name, value):
        if name == self.refuses:
            return None
        self.handles[value] = True
        return value

    def CreateJobObjectW(self, security, name):
        return self._give("CreateJobObjectW", 1 << 40)

    def OpenProcess(self, rights, inherited, pid):
        assert rights == 0x0101 and pid == 7
        return self._give("OpenProcess", 2 << 40)

    def SetInformationJobObject(self, job, kind, limits, size):
        # 144 bytes, and the flags at 16, on a Windows of 64 bits.
        assert (job, kind, size) == (1 << 40, 9, 144)
        self.flags = ctypes.c_uint32.from_address(ctypes.addressof(limits._obj) + 16).value
        return self.refuses != "SetInformationJobObject"

    def AssignProcessToJobObject(self, job, process):
        return self.handles[job] and self.handles[process] and self.refuses != "AssignProcessToJobObject"

    def TerminateJobObject(self, job, code):
        assert self.handles[job]
        self.running = set()
        return 1

    def CloseHandle(self, handle):
        assert self.handles.pop(handle)
        return 1


class Child:
    pid = 7

    def __init__(self, kernel):
        self._kernel = kernel

    def poll(self):
        return None if self.pid in self._kernel.running else 1


@pytest.fixture
def killed(monkeypatch):
    """The command lines that would have been run."""
    commands = []
    monkeypatch.setattr(process_tree.subprocess, "run", lambda command, **_: commands.append(command))
    return commands


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="the sizes are those of 64 bits")
def test_a_job_object_ends_the_processes_and_every_handle_is_closed(killed):
    kernel = Kernel()
    job = JobObject(kernel, hidden=True)
    assert job.options == {"creationflags": 0x08000200}
    job.hold(Child(kernel))
    # Windows ends them too when this process is gone with its handle.
    assert kernel.flags == 0x2000 and list(kernel.handles) == [1 << 40]
    job.end()
    assert not kernel.running and not kernel.handles
    job.end()
    assert not killed


@pytest.mark.parametrize(
    "refused", ["CreateJobObjectW", "OpenProcess", "SetInformationJobObject", "AssignProcessToJobObject"]
)
def test_where_windows_refuses_the_job_object_the_descendants_are_looked_for(killed, refused):
    kernel = Kernel(refused)
    job = JobObject(kernel)
    job.hold(Child(kernel))
    assert not kernel.handles
    job.end()
    assert killed == [["taskkill", "/T", "/F", "/PID", "7"]]
    kernel.running = set()
    job.hold(Child(kernel))
    job.end()
    assert len(killed) == 1
