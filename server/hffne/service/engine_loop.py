# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's threads: read requests from a pipe, answer with progress, results and errors.

One thread reads, so that a cancel is seen while a request runs; the thread that called `EngineLoop.run` works, one
request after the other. Whatever goes wrong crosses the pipe as data (code, message, hint); tracebacks go to the log
only. `protocol` describes the messages, `handlers` does what they request.
"""

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from hffne import parent_watch
from hffne.errors import (
    BusyError,
    Cancelled,
    HffneError,
    NotEnoughMemoryError,
    RequestError,
    ResultTooLargeError,
)
from hffne.exit_codes import DONE, ERROR
from hffne.photo import limited
from hffne.quick_start import without_collector
from hffne.service import frames, protocol, requests
from hffne.service.failures import explain
from hffne.service.handlers import Handlers, MakeEngine

if TYPE_CHECKING:
    import numpy as np

    from hffne.engine_interface import FaceEngine

LOG = logging.getLogger("hffne.engine")

# A client that has gone gets no answer, so a stage that does not end in this time is not waited for.
GRACE_SECONDS = 5.0


def serve(device: str | None = None, model: str = "compact", **options: Any) -> int:
    """Run the engine on this process's stdin and stdout until either closes.

    Arguments as for `pipeline.Engine`. Returns the exit code: 0 after a shutdown request or the end of the input,
    1 when the input was not a valid stream of frames.
    """
    reader, writer = _claim_pipes()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")

    def make_engine(device: str | None = device) -> "FaceEngine":
        # Late, because it imports torch; an incomplete installation must still answer with an error.
        with without_collector():
            from hffne.pipeline import Engine

            return Engine(device=device, model=model, **options)

    def exit_now() -> None:
        LOG.info("the client has gone in the middle of a stage")
        os._exit(DONE)

    def exit_soon() -> None:
        timer = threading.Timer(GRACE_SECONDS, exit_now)
        timer.daemon = True
        timer.start()

    # The thread that reads may be blocked by a pipe which another program holds open.
    parent_watch.call_when_parent_ends(exit_now)
    return EngineLoop(reader, writer, make_engine, exit_soon).run()


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take stdin and stdout for frames alone.

    The descriptors 0 and 1 themselves are redirected, so that a stray print, of Python or of a C library, lands in
    the log and cannot break the stream.
    """
    sys.stdout.flush()
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return reader, writer


class EngineLoop:
    """The protocol on one pair of streams.

    make_engine     creates the engine, see handlers.MakeEngine
    on_input_end    called on the reading thread when no further request can come
    """

    def __init__(
        self,
        reader: BinaryIO,
        writer: BinaryIO,
        make_engine: MakeEngine,
        on_input_end: Callable[[], object] = lambda: None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handlers = Handlers(make_engine)
        self._on_input_end = on_input_end
        self._heartbeat_runs = False
        self._write_lock = threading.Lock()
        self._requests: queue.Queue[dict[str, Any] | None] = queue.Queue()
        # id -> Event that is set when the request is cancelled
        self._pending: dict[int, threading.Event] = {}
        self._pending_lock = threading.Lock()
        self._input_broken = False
        # After an error that the process does not survive.
        self._ended = False

    def run(self) -> int:
        """Serve until shutdown or the end of the input; returns the exit code."""
        thread = threading.Thread(target=self._read, name="requests", daemon=True)
        thread.start()
        try:
            while not self._ended and (request := self._requests.get()) is not None:
                self._serve_one(request)
        except OSError:
            LOG.info("the client has gone")
        return ERROR if self._input_broken or self._ended else DONE

    # The reading thread

    def _read(self) -> None:
        try:
            while True:
                try:
                    frame = frames.read_frame(self._reader)
                except frames.FrameError as error:
                    self._refuse_frame(error)
                    if not error.in_step:
                        self._input_broken = True
                        break
                    continue
                if frame is None or not self._accept(frame[0]):
                    break
        except (OSError, ValueError):
            LOG.info("the client has gone")
        except Exception:
            LOG.exception("reading failed")
            self._input_broken = True
        finally:
            # The client is gone or has sent "shutdown": running requests stop at their next stage.
            with self._pending_lock:
                for event in self._pending.values():
                    event.set()
            self._requests.put(None)
            self._on_input_end()

    def _refuse_frame(self, error: frames.FrameError) -> None:
        LOG.warning("%s", error.message)
        hint = "" if isinstance(error, frames.VersionMismatch) else RequestError.hint
        fields = {"code": error.code, "message": error.message, "hint": hint, "exit_code": ERROR}
        self._send({"type": "error", "id": None, **fields, "fatal": not error.in_step})

    def _accept(self, message: dict[str, Any]) -> bool:
        """Take in one message; False ends the engine."""
        kind, number = message.get("type"), message.get("id")
        if kind == "shutdown":
            return False
        if type(number) is not int:
            self._send_error(None, RequestError("A request needs an 'id', a whole number."))
            return True
        if kind == "cancel":
            with self._pending_lock:
                event = self._pending.get(number)
            if event:
                event.set()
            return True
        if kind not in requests.ANSWERED:
            self._send_error(number, RequestError(f"The engine has no request of the type {kind!r:.60}."))
            return True
        refusal: HffneError | None = None
        with self._pending_lock:
            if number in self._pending:
                refusal = RequestError(f"The id {number} belongs to a request that is not answered yet.")
            elif len(self._pending) >= protocol.MAX_WAITING:
                refusal = BusyError("Too many requests are waiting.")
            else:
                self._pending[number] = threading.Event()
        if refusal:
            self._send_error(number, refusal)
        else:
            # Here, not on the working thread: importing torch is the first thing that may take long.
            self._start_heartbeat(requests.heartbeat(message))
            self._requests.put(message)
        return True

    def _start_heartbeat(self, seconds: float | None) -> None:
        """Send "alive" at an interval, with the processor time that the process has used.

        A slow stage uses processor time and one that hangs does not: that is how a client distinguishes them. Waiting
        for the decoder of a photo, which has limits of its own, counts as work.
        """
        if self._heartbeat_runs or seconds is None:
            return
        self._heartbeat_runs = True

        def beat() -> None:
            try:
                while True:
                    self._send({"type": "alive", "id": None, "cpu": time.process_time() + limited.waited()})
                    time.sleep(seconds)
            except (OSError, ValueError):
                pass  # the working thread notices it, too

        threading.Thread(target=beat, name="heartbeat", daemon=True).start()

    # The working thread

    def _serve_one(self, message: dict[str, Any]) -> None:
        number = message["id"]
        with self._pending_lock:
            event = self._pending[number]
        try:
            reply, arrays = self._work(message, number, event)
        finally:
            with self._pending_lock:
                self._pending.pop(number, None)
        try:
            self._send(reply, arrays)
            self._ended = bool(reply.get("fatal"))
        except frames.FrameError as error:
            LOG.error("the result of request %s cannot be sent: %s", number, error.message)
            self._send_error(number, ResultTooLargeError(f"The result cannot be sent: {error.message}"))

    def _work(
        self, message: dict[str, Any], number: int, event: threading.Event
    ) -> "tuple[dict[str, Any], dict[str, np.ndarray] | None]":
        """The final reply to a request: (message, arrays)."""

        def report(stage: str, fraction: float, text: str = "") -> None:
            fraction = min(max(float(fraction), 0.0), 1.0)
            self._send({"type": "progress", "id": number, "stage": stage, "fraction": fraction, "message": text})

        try:
            if event.is_set():
                raise Cancelled
            body, arrays = self._handlers.answer(requests.parse(message), report, event.is_set)
            return {"type": "result", "id": number, **body}, arrays
        except Cancelled:
            return {"type": "cancelled", "id": number}, None
        except HffneError as error:
            LOG.info("request %s: %s", number, error.message)
            return _error_reply(number, error, fatal=isinstance(error, NotEnoughMemoryError)), None
        except (BrokenPipeError, ConnectionError):
            # The client has gone; any other failure of a file is an answer.
            raise
        except Exception as error:
            LOG.exception("request %s failed", number)
            explained = explain(error)
            # What libraries hold after they were refused memory is not known: a fresh process answers the next request.
            return _error_reply(number, explained, fatal=isinstance(explained, NotEnoughMemoryError)), None

    # Writing, from both threads

    def _send(self, message: dict[str, Any], arrays: "dict[str, np.ndarray] | None" = None) -> None:
        with self._write_lock:
            frames.write_frame(self._writer, message, arrays)

    def _send_error(self, number: int | None, error: HffneError) -> None:
        self._send(_error_reply(number, error))


def _error_reply(number: int | None, error: HffneError, fatal: bool = False) -> dict[str, Any]:
    """The error frame of a request that failed; unless it is fatal the engine goes on with the next one."""
    return {"type": "error", "id": number, **error.as_dict(), "fatal": fatal}
