# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's process and the tasks that it works on. No bpy here.

Two threads read the engine's output and touch nothing but a queue, the watchdog's counters and the log; every change
to a `Task` happens in `poll()`, on the caller's thread. So no thread can reach Blender's data.
"""

import atexit
import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from ..system.errors import ExtensionError
from . import answers, frames, launch, protocol, watchdog
from .task import Answer, Task

LOG_LINES = 400
LOG_LINE_BYTES = 4096
# A cancelled request ends at the engine's next stage. An engine that has not got there after this many seconds is
# replaced for the next task.
CANCEL_SECONDS = 20

# Messages that wait to be taken in; an engine that sends more has to wait.
MOST_WAITING = 64
# Seconds in which a process whose output has ended is expected to end too.
END_SECONDS = 2.0


class EngineError(ExtensionError):
    """The engine could not do it: `code`, `message`, `hint` as data."""


class _EndOfOutput:
    """In the queue after the engine's last message."""


_END = _EndOfOutput()
_Item = Answer | frames.FrameError | _EndOfOutput


class EngineClient:
    """A running engine. Create it, `request()`, then `poll()` until a task is over.

    command       the engine's command line
    idle_seconds  stop the engine when it has had nothing to do for so long, which frees its memory; None keeps it
    hello         the engine's description of itself ("device_name" and others), None before it is loaded
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        idle_seconds: float | None = None,
    ) -> None:
        """Start the engine. Raises EngineError when the program does not start."""
        self.command = list(command)
        self.idle_seconds = idle_seconds
        self.hello: dict[str, Any] | None = None
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._incoming: queue.Queue[_Item] = queue.Queue(MOST_WAITING)
        self._tasks: dict[int, Task] = {}
        self._next_id = 1
        self._lock = threading.Lock()
        self._idle_timer: threading.Timer | None = None
        self._closed = False
        # When the end of the engine's output was seen.
        self._ended_at: float | None = None
        self._watchdog = watchdog.Watchdog()
        # Cancelled requests that the engine has not answered yet: id -> time of the cancel.
        self._cancelled_at: dict[int, float] = {}
        try:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=launch.neutral_folder(),
                # A console window must not flash up beside Blender on Windows.
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0,
            )
        except (OSError, ValueError) as error:
            raise EngineError(
                "engine_not_started",
                f"The engine's Python could not be started: {self.command[0]} ({error}).",
                "Set the path of the engine's Python in the extension's preferences.",
            ) from None
        self._stdin, self._stdout, self._stderr = map(_pipe, (
            self._process.stdin, self._process.stdout, self._process.stderr
        ))  # fmt: skip
        self._reader = threading.Thread(target=self._read, name="hffne-reader", daemon=True)
        self._logger = threading.Thread(target=self._read_log, name="hffne-log", daemon=True)
        self._reader.start()
        self._logger.start()
        atexit.register(self.close)
        self._hello_task = Task(0, "hello")
        self._tasks[0] = self._hello_task
        self._send({"type": "hello", "id": 0, "heartbeat": watchdog.HEARTBEAT})

    @property
    def alive(self) -> bool:
        """Whether the process runs and can be used."""
        return not self._closed and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The engine's process id."""
        return self._process.pid

    @property
    def stuck(self) -> bool:
        """Whether the engine still works on a request that was cancelled long ago."""
        self.poll()
        return any(time.monotonic() - since > CANCEL_SECONDS for since in self._cancelled_at.values())

    def log(self) -> str:
        """The last lines of the engine's stderr."""
        return "\n".join(self._log)

    def request(self, kind: str, **fields: Any) -> Task:
        """Send a request and return its `Task` at once."""
        with self._lock:
            self._stop_idle_timer()
            # Nothing was checked while there was nothing to do.
            self._watchdog.reset()
            task = Task(self._next_id, kind, message="Starting the engine" if self.hello is None else "")
            self._next_id += 1
            self._tasks[task.id] = task
        try:
            self._send({"type": kind, "id": task.id, **fields})
        except frames.FrameError as error:
            self._fail(task, EngineError("bad_request", str(error)))
        return task

    def cancel(self, task: Task) -> None:
        """Cancel a task. It is over for the caller at once; the engine stops at its next stage."""
        if task.over:
            return
        self._cancelled_at[task.id] = time.monotonic()
        self._send({"type": "cancel", "id": task.id})
        self._finish(task, "cancelled", message="Cancelled")

    def poll(self, timeout: float = 0.0) -> None:
        """Process what the engine has sent since the last call; wait up to `timeout` seconds for the first message."""
        while True:
            if self._ended_at is not None:
                self._await_end(timeout)
                return
            try:
                item = self._incoming.get(timeout=timeout) if timeout else self._incoming.get_nowait()
            except queue.Empty:
                self._check_watchdog()
                return
            timeout = 0.0
            if isinstance(item, _EndOfOutput | frames.TruncatedFrame):
                self._ended_at = time.monotonic()
                continue
            if isinstance(item, frames.FrameError):
                self._end_of_output(item)
                return
            self._watchdog.reset()
            try:
                self._process_message(*item)
            except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
                self._end_of_output(frames.FrameError(f"a message is not as expected: {error}"))
                return

    def wait(self, task: Task, on_change: Callable[[Task], object] | None = None, timeout: float | None = None) -> Task:
        """Poll until `task` is over (for callers that may block). Returns the task.

        on_change is called when its progress, stage or message has changed. Raises EngineError after `timeout`
        seconds.
        """
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

    def kill(self) -> None:
        """End the process at once and wait for nothing; for a process that ends itself."""
        self._process.kill()

    def close(self, firmly: bool = False, wait: bool = True) -> None:
        """Stop the engine: by a "shutdown" message first, then by signals; or by killing it at once.

        wait  until it has ended; else a thread waits, so that this returns at once. Safe to call twice.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._stop_idle_timer()
        atexit.unregister(self.close)
        self._fail_all(EngineError("engine_stopped", "The engine was stopped."))
        if wait:
            self._stop(firmly)
        else:
            threading.Thread(target=self._stop, args=(firmly,), name="hffne-stop").start()

    def _stop(self, firmly: bool) -> None:
        process = self._process
        if firmly:
            process.kill()
        try:
            if process.poll() is None and not firmly:
                frames.write_frame(self._stdin, {"type": "shutdown"})
            self._stdin.close()
        except (OSError, ValueError):
            pass
        stops: tuple[tuple[Callable[[], None] | None, int], ...]
        stops = ((None, 2), (process.terminate, 2), (process.kill, 5))
        for stop, seconds in stops:
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

    # On the reading threads: only the queue, the watchdog's counters and the log

    def _read(self) -> None:
        try:
            while True:
                frame = frames.read_frame(self._stdout)
                if frame is None:
                    break
                if frame[0].get("type") == "alive":
                    # Not queued: between two tasks nothing is taken from the queue.
                    self._watchdog.heartbeat(frame[0].get("cpu"))
                    continue
                self._put(frame)
        except frames.FrameError as error:
            self._put(error)
        except (OSError, ValueError):
            pass
        self._put(_END)

    def _put(self, item: _Item) -> None:
        while not self._closed:
            with contextlib.suppress(queue.Full):
                self._incoming.put(item, timeout=0.5)
                return

    def _read_log(self) -> None:
        try:
            # In pieces, so that output without line ends cannot fill the memory.
            while line := self._stderr.readline(LOG_LINE_BYTES):
                self._log.append(line.decode("utf-8", "replace").rstrip())
        except (OSError, ValueError):
            pass

    # On the caller's thread

    def _send(self, message: dict[str, Any]) -> None:
        try:
            frames.write_frame(self._stdin, message)
        except (OSError, ValueError) as error:
            if isinstance(error, frames.FrameError):
                raise
            # The pipe is broken: the reader sees the end and `_end_of_output` gives the reason.

    def _check_watchdog(self) -> None:
        if self._closed or not self._tasks:
            return
        error = self._watchdog.check(loaded=self._hello_task.over)
        if error is not None:
            self._fail_all(error)
            self.close(firmly=True, wait=False)

    def _process_message(self, message: dict[str, Any], arrays: dict[str, Any]) -> None:
        kind = message.get("type")
        number = answers.task_number(message)
        task = self._tasks.get(number)
        if kind in ("result", "error", "cancelled"):
            self._cancelled_at.pop(number, None)
        if kind == "error":
            answers.check_error(message)
            self._process_error(task, EngineError.from_dict(message))
        elif task is None:
            return  # about a task that was cancelled
        elif kind == "progress":
            fields = protocol.checked_fields(protocol.REPLIES["progress"], message)
            task.progress = max(fields["fraction"], task.progress)
            task.stage = fields["stage"]
            task.message = fields["message"] or task.stage
        elif kind == "result":
            self._process_result(task, message, arrays)
        elif kind == "cancelled":
            self._finish(task, "cancelled", message="Cancelled")

    def _process_error(self, task: Task | None, error: ExtensionError) -> None:
        if task is None or task is self._hello_task or error.fatal:
            # Not about one task: all of them would wait for ever.
            self._fail_all(error)
        else:
            self._fail(task, error)
        if error.fatal:
            self.close(wait=False)

    def _process_result(self, task: Task, message: dict[str, Any], arrays: dict[str, Any]) -> None:
        wrong = answers.check_result(task.kind, message, arrays)
        if wrong is not None:
            self._process_error(task, wrong)
            return
        task.answer = (message, arrays)
        task.progress = 1.0
        if task is self._hello_task:
            self.hello = message
        self._finish(task, "done")

    def _fail(self, task: Task, error: ExtensionError) -> None:
        if task.over:
            return
        task.error = error.as_dict()
        self._finish(task, "error", message=error.message)

    def _fail_all(self, error: ExtensionError) -> None:
        for task in list(self._tasks.values()):
            self._fail(task, error)

    def _finish(self, task: Task, status: str, message: str | None = None) -> None:
        task.status = status
        if message is not None:
            task.message = message
        self._tasks.pop(task.id, None)
        if not self._tasks:
            self._start_idle_timer()

    def _await_end(self, timeout: float) -> None:
        """Fail all tasks once the exit code of the process is known; waits for it no longer than `timeout`."""
        if self._process.poll() is None and time.monotonic() - (self._ended_at or 0) < END_SECONDS:
            time.sleep(min(timeout, 0.05))
        elif not self._closed:
            self._end_of_output(None)

    def _end_of_output(self, frame_error: frames.FrameError | None) -> None:
        """Fail all tasks: the engine's output has ended, or is not what it should be."""
        error = answers.error_of_frame(frame_error) if frame_error is not None else None
        if error is None:
            # Half a frame, or none: the process has ended.
            self._logger.join(0.2)
            error = answers.error_of_end(self._process.poll(), list(self._log))
        self._fail_all(error)
        self.close(wait=False)

    def _start_idle_timer(self) -> None:
        if self.idle_seconds is None or self._closed:
            return
        with self._lock:
            self._stop_idle_timer()
            self._idle_timer = threading.Timer(self.idle_seconds, self._close_if_idle)
            self._idle_timer.daemon = True
            self._idle_timer.start()

    def _stop_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _close_if_idle(self) -> None:
        with self._lock:
            if self._tasks:
                return
        self.close()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """A stream that was requested as a pipe, so that it is there."""
    if stream is None:
        raise RuntimeError("The engine's process was started without a pipe.")
    return stream
