# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's process and the tasks it works on. No bpy here.

Two threads read the engine's output and touch nothing but a queue and the log;
every change to a `Task` happens in `poll()`, on the caller's thread. So Blender's
data is never within a thread's reach.
"""

import atexit
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import frames
from .watchdog import Patience

# Importing torch from a cold disk takes long, but not for ever.
HELLO_SECONDS = 120
LOG_LINES = 400
LOG_LINE_BYTES = 4096
# The engine says this often that it lives. Not a word for SILENT_SECONDS: it hangs as a whole. Words, but neither
# progress nor processor time for STUCK_SECONDS: the stage hangs. A slow computer's honest work uses processor time.
HEARTBEAT = 2.0
SILENT_SECONDS = 60
STUCK_SECONDS = 180
WORKING_SHARE = 0.005
# What was cancelled ends at the engine's next stage. An engine that has not got there is replaced for the next task.
CANCEL_SECONDS = 20

_END = object()

# A message of the engine's with its arrays by name.
Answer = tuple[dict[str, Any], dict[str, np.ndarray]]


@dataclass
class Task:
    """One request and what has become of it.

    status    "running", "done", "error" or "cancelled"
    progress  0..1
    stage, message  what the engine does now, for people
    answer    (message dict, {name: array}) when done
    error     {"code", "message", "hint"} when failed
    """

    id: int
    kind: str
    status: str = "running"
    progress: float = 0.0
    stage: str = ""
    message: str = ""
    answer: Answer | None = field(default=None, repr=False)
    error: dict[str, str] | None = None

    @property
    def over(self) -> bool:
        """Whether the task has ended: done, failed or cancelled."""
        return self.status != "running"

    @property
    def result(self) -> Answer:
        """The answer of a task that is done. Raises RuntimeError for any other."""
        if self.answer is None:
            raise RuntimeError(f"The task {self.kind!r} has no result: it is {self.status}.")
        return self.answer


class EngineError(Exception):
    """The engine could not do it: `code`, `message`, `hint` as data."""

    def __init__(self, code, message, hint=""):
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint

    def as_dict(self):
        return {"code": self.code, "message": self.message, "hint": self.hint}


class EngineClient:
    """A running engine. Create it, `request()`, then `poll()` until a task is over."""

    def __init__(self, command, environment=None, idle_seconds=None):
        """Start the engine. Raises EngineError when the program does not start.

        idle_seconds  stop the engine when it has had nothing to do for so long,
                      which gives back its memory; None keeps it.
        """
        self.command = list(command)
        self.idle_seconds = idle_seconds
        self.hello = None
        self._log = deque(maxlen=LOG_LINES)
        self._incoming = queue.Queue()
        self._tasks = {}
        self._next_id = 1
        self._lock = threading.Lock()
        self._idle_timer = None
        self._closed = False
        self._beats = 0  # how many have come, and what the last one said; the reading thread writes, we only read
        self._cpu = 0.0
        self._seen_beats, self._seen_cpu = 0, 0.0
        self._silence, self._standstill = Patience(), Patience()
        self._given_up = {}  # id -> when it was cancelled
        try:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                # A console window must not flash up beside Blender on Windows.
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0,
            )
        except (OSError, ValueError) as error:
            raise EngineError(
                "engine_not_started",
                f"The engine's Python could not be started: {self.command[0]} ({error}).",
                "Set the path of the engine's Python in the extension's preferences.",
            ) from None
        self._reader = threading.Thread(target=self._read, name="hffne-reader", daemon=True)
        self._logger = threading.Thread(target=self._read_log, name="hffne-log", daemon=True)
        self._reader.start()
        self._logger.start()
        atexit.register(self.close)
        self._hello_task = Task(0, "hello")
        self._tasks[0] = self._hello_task
        self._send({"type": "hello", "id": 0, "heartbeat": HEARTBEAT})

    @property
    def alive(self):
        return not self._closed and self._process.poll() is None

    @property
    def pid(self):
        return self._process.pid

    @property
    def stuck(self):
        """Has the engine not stopped working on something that was cancelled long ago?"""
        self.poll()
        return any(time.monotonic() - since > CANCEL_SECONDS for since in self._given_up.values())

    def log(self):
        """What the engine last wrote to its stderr, as text."""
        return "\n".join(self._log)

    def request(self, kind, **fields):
        """Send a request and return its `Task` at once."""
        with self._lock:
            self._stop_idle_timer()
            # Nobody has looked while there was nothing to do.
            self._silence.reset()
            self._standstill.reset()
            task = Task(self._next_id, kind, message="Starting the engine" if self.hello is None else "")
            self._next_id += 1
            self._tasks[task.id] = task
        try:
            self._send({"type": kind, "id": task.id, **fields})
        except frames.FrameError as error:
            self._fail(task, "bad_request", str(error), "")
        return task

    def cancel(self, task):
        """Give a task up. It is over for the caller at once; the engine stops at its next stage."""
        if task.over:
            return
        self._given_up[task.id] = time.monotonic()
        self._send({"type": "cancel", "id": task.id})
        self._finish(task, "cancelled", message="Cancelled")

    def poll(self, timeout=0.0):
        """Take what the engine has said since the last call; wait up to `timeout` seconds for the first word."""
        while True:
            try:
                item = self._incoming.get(timeout=timeout) if timeout else self._incoming.get_nowait()
            except queue.Empty:
                self._check_life()
                return
            timeout = 0.0
            if item is _END or isinstance(item, frames.FrameError):
                self._lost(None if item is _END else item)
                return
            self._silence.reset()
            self._standstill.reset()
            try:
                self._take(*item)
            except (TypeError, ValueError, AttributeError):
                self._lost(frames.FrameError("a message's parts are not what they should be."))
                return

    def wait(self, task, on_change=None, timeout=None):
        """Poll until `task` is over (for callers that may block). Returns the task."""
        end = None if timeout is None else time.monotonic() + timeout
        seen = None
        while not task.over:
            self.poll(0.1)
            now = (task.progress, task.stage, task.message)
            if on_change is not None and now != seen:
                seen = now
                on_change(task)
            if end is not None and time.monotonic() > end:
                raise EngineError("timeout", f"The engine did not answer within {timeout:g} s.", "Look at its log.")
        return task

    def close(self, firmly=False):
        """Stop the engine: politely, then firmly; or firmly at once. Safe to call twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._stop_idle_timer()
        atexit.unregister(self.close)
        for task in list(self._tasks.values()):
            self._fail(task, "engine_stopped", "The engine was stopped.", "")
        process = self._process
        if firmly:
            process.kill()
        try:
            if process.poll() is None and not firmly:
                frames.write_frame(process.stdin, {"type": "shutdown"})
            process.stdin.close()
        except (OSError, ValueError):
            pass
        for stop, seconds in ((None, 2), (process.terminate, 2), (process.kill, 5)):
            if stop is not None:
                stop()
            try:
                process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        for thread in (self._reader, self._logger):
            if thread is not threading.current_thread():
                thread.join(2)

    # -- on the reading threads: only the queue and the log ------------------------------------

    def _read(self):
        try:
            while True:
                frame = frames.read_frame(self._process.stdout)
                if frame is None:
                    break
                if frame[0].get("type") == "alive":
                    # Not queued: between two tasks nobody takes from the queue.
                    cpu = frame[0].get("cpu")
                    self._cpu = float(cpu) if type(cpu) in (int, float) else 0.0
                    self._beats += 1
                    continue
                self._incoming.put(frame)
        except frames.FrameError as error:
            self._incoming.put(error)
        except (OSError, ValueError):
            pass
        self._incoming.put(_END)

    def _read_log(self):
        try:
            # By the piece: what has no end of line must not fill the memory.
            while line := self._process.stderr.readline(LOG_LINE_BYTES):
                self._log.append(line.decode("utf-8", "replace").rstrip())
        except (OSError, ValueError):
            pass

    # -- on the caller's thread -----------------------------------------------------------------

    def _send(self, message):
        try:
            frames.write_frame(self._process.stdin, message)
        except (OSError, ValueError) as error:
            if isinstance(error, frames.FrameError):
                raise
            # The pipe is broken: the reader sees the end and `_lost` says why.

    def _check_life(self):
        """Nothing has come: does the engine hang?"""
        if self._closed or not self._tasks:
            return
        if self._beats != self._seen_beats:
            self._silence.reset()
            if self._cpu - self._seen_cpu > (self._beats - self._seen_beats) * HEARTBEAT * WORKING_SHARE:
                self._standstill.reset()
            self._seen_beats, self._seen_cpu = self._beats, self._cpu
        # An engine of an earlier version has no heartbeat: of that one only the hello is awaited.
        limit = SILENT_SECONDS if self._beats else HELLO_SECONDS
        if (self._beats or not self._hello_task.over) and self._silence.spent() > limit:
            self._give_up("engine_silent", f"The engine has not given a sign of life for {limit} s.")
        elif self._beats and self._standstill.spent() > STUCK_SECONDS:
            self._give_up("engine_stuck", f"The engine has done nothing for {STUCK_SECONDS} s.")

    def _give_up(self, code, text):
        for task in list(self._tasks.values()):
            self._fail(task, code, text, "It was stopped; try again. If that does not help, look at the engine's log.")
        self.close(firmly=True)

    def _take(self, message, arrays):
        kind = message.get("type")
        task = self._tasks.get(message.get("id"))
        if kind in ("result", "error", "cancelled"):
            self._given_up.pop(message.get("id"), None)
        if task is None:
            if kind == "error":
                # Not about one task: all that wait would wait for ever.
                for waiting in list(self._tasks.values()):
                    self._fail(waiting, message.get("code"), message.get("message"), message.get("hint"))
            return  # else: a late word on a task that was given up
        if kind == "progress":
            fraction = message.get("fraction", 0.0)
            task.progress = min(max(float(fraction), task.progress), 1.0)
            task.stage = str(message.get("stage", ""))
            task.message = str(message.get("message", "") or task.stage)
        elif kind == "result":
            task.answer = (message, arrays)
            task.progress = 1.0
            if task is self._hello_task:
                self.hello = message
            self._finish(task, "done")
        elif kind == "error":
            self._fail(task, message.get("code"), message.get("message"), message.get("hint"))
            if task is self._hello_task:
                for waiting in list(self._tasks.values()):
                    self._fail(waiting, message.get("code"), message.get("message"), message.get("hint"))
        elif kind == "cancelled":
            self._finish(task, "cancelled", message="Cancelled")

    def _fail(self, task, code, message, hint):
        if task.over:
            return
        task.error = {
            "code": str(code or "error"),
            "message": str(message or "The engine failed."),
            "hint": str(hint or ""),
        }
        self._finish(task, "error", message=task.error["message"])

    def _finish(self, task, status, message=None):
        task.status = status
        if message is not None:
            task.message = message
        self._tasks.pop(task.id, None)
        if not self._tasks:
            self._start_idle_timer()

    def _lost(self, frame_error):
        """The engine's output has ended or makes no sense."""
        if isinstance(frame_error, frames.VersionMismatch):
            code, text, hint = (
                frame_error.code,
                frame_error.message,
                "Install the engine and the extension in the same version.",
            )
        # Half a frame: the engine ended while it spoke.
        elif frame_error is not None and not isinstance(frame_error, frames.TruncatedFrame):
            code, text = "engine_garbled", f"The engine's output cannot be read: {frame_error}"
            hint = "Install the engine and the extension in the same version."
        else:
            try:
                status = self._process.wait(2)
            except subprocess.TimeoutExpired:
                status = None
            self._logger.join(1)
            tail = [line for line in self._log if line.strip()][-1:]
            code = "engine_died"
            text = "The engine stopped" + ("" if status is None else f" (exit code {status})")
            text += f": {tail[0].strip()}" if tail else "."
            hint = "Look at the engine's log."
            if status is not None and status == -9:
                hint = "The system ended it, most likely for lack of memory: close other programs or choose smaller textures."
            if tail and "No module named" in tail[0]:
                code = "engine_not_installed"
                hint = "Press Install Engine in the panel, or choose another Engine Python in the preferences."
        for task in list(self._tasks.values()):
            self._fail(task, code, text, hint)
        self.close()

    def _start_idle_timer(self):
        if self.idle_seconds is None or self._closed:
            return
        with self._lock:
            self._stop_idle_timer()
            self._idle_timer = threading.Timer(self.idle_seconds, self._close_if_idle)
            self._idle_timer.daemon = True
            self._idle_timer.start()

    def _stop_idle_timer(self):
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _close_if_idle(self):
        with self._lock:
            if self._tasks:
                return
        self.close()
