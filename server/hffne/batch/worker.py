# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos in a process of their own: what ends the process does not end the batch."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hffne.batch.settings import BatchSettings
from hffne.errors import BatchWorkerError, HffneError, OutputError, PhotoEndsWorkerError
from hffne.isolation import child_environment, neutral_folder, python_command
from hffne.parent_watch import VARIABLE
from hffne.process_tree import ProcessTree, process_tree
from hffne.service.frames import FrameError, read_frame

# A photo that ends its process is tried so often.
TRIES = 3
# Seconds; the slowest photo that is known takes a minute on one core. A build with its preview, at textures of 1024
# pixels, takes one, too; how long one takes at 8192 was not measured.
LONGEST, LONGEST_BUILD = 600.0, 7200.0
# Seconds to end a Blender and remove its files.
_PATIENCE = 10.0
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class Computed:
    """What came of one photo: its faces, or an error.

    faces   [(facts, {ending: content})], see `faces.faces_of`
    error   why there are none
    tries   how many processes it took
    """

    faces: list[tuple[dict[str, Any], dict[str, bytes]]] = field(default_factory=list)
    error: HffneError | None = None
    tries: int = 1


class Worker:
    """Computes photos in a child process that is replaced when it ends.

    device   as for `pipeline.Engine`
    command  the child's command line instead of `batch.child`'s
    at_once  how many photos `compute_together` takes

    One worker serves one thread. `close` ends the child.
    """

    def __init__(
        self,
        settings: BatchSettings,
        device: str | None = None,
        command: Sequence[str] | None = None,
        longest: float | None = None,
        at_once: int = 1,
    ) -> None:
        self.at_once = at_once
        places = [place for place in sys.path if place]
        self._command = list(command or python_command(sys.executable, "hffne.batch.child", places))
        self._command += [json.dumps(settings.as_dict()), device or ""]
        self._builds = settings.build is not None
        self._longest = longest or (LONGEST_BUILD if self._builds else LONGEST)
        self._child: subprocess.Popen[bytes] | None = None
        self._tree: ProcessTree | None = None
        self._closed = False

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> str:
        """Start the child and wait for its networks; returns the device's name.

        Raises the error that keeps it from starting, BatchWorkerError where it ends without one.
        """
        # Ctrl-C is for the program; it ends its children itself.
        tree = self._tree = process_tree(hidden=True)
        child = self._child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=neutral_folder(),
            env={**child_environment(), VARIABLE: str(os.getpid()), **dict.fromkeys(_ONE_THREAD, "1")},
            **tree.options,
        )
        tree.hold(child)
        try:
            message, _ = self._read(child)
        except _Ended:
            raise BatchWorkerError("A process that computes photos ended while it started.") from None
        if "error" in message:
            self._end()
            raise HffneError.from_dict(message["error"])
        return str(message.get("ready", ""))

    def compute(self, path: Path, name: str | None = None) -> Computed:
        """Compute one photo; name: what messages call it. Errors are in the result.

        Raises what `start` raises, for then no photo can be computed, and OutputError without room for a build.
        """
        for tries in range(1, TRIES + 1):
            try:
                (computed,) = self._try([path])
                return replace(computed, tries=tries)
            except _Ended as ended:
                late = ended.late
                if self._closed:
                    break
        reason = f"takes longer than {self._longest:.0f} s" if late else "ended the process that computed it"
        error = PhotoEndsWorkerError(f"'{name or path}' {reason}, {TRIES} times.")
        return Computed(error=error, tries=TRIES)

    def compute_together(self, photos: Sequence[tuple[Path, str]]) -> list[Computed]:
        """Compute up to `at_once` photos (path, name) in one go; one after the other if that ends the child.

        Errors as of `compute`.
        """
        if len(photos) > 1:
            with contextlib.suppress(_Ended):
                return self._try([path for path, _ in photos])
        return [self.compute(path, name) for path, name in photos]

    def close(self) -> None:
        """End the child, also from another thread while it computes. Safe to call twice."""
        self._closed = True
        self._end()

    def _try(self, paths: Sequence[Path]) -> list[Computed]:
        """Compute photos in the child, which is started where there is none. Raises _Ended when it ends."""
        late = threading.Event()
        try:
            if self._child is None:
                self.start()
            assert self._child is not None
            return self._ask(self._child, paths, late)
        except _Ended:
            self._end()
            raise _Ended(late.is_set()) from None

    def _ask(self, child: "subprocess.Popen[bytes]", paths: Sequence[Path], late: threading.Event) -> list[Computed]:
        def stop() -> None:
            late.set()
            self._stop(child)

        timer = threading.Timer(self._longest * len(paths), stop)
        timer.daemon = True
        timer.start()
        try:
            assert child.stdin is not None
            try:
                line = json.dumps({"photos": [str(path.absolute()) for path in paths]})
                child.stdin.write(line.encode() + b"\n")
                child.stdin.flush()
            except (OSError, ValueError):
                raise _Ended from None
            return [self._answer(child) for _ in paths]
        finally:
            timer.cancel()

    def _answer(self, child: "subprocess.Popen[bytes]") -> Computed:
        """The child's answer about its next photo."""
        computed = Computed()
        while True:
            message, files = self._read(child)
            if "error" in message:
                error = HffneError.from_dict(message["error"])
                if self._builds and isinstance(error, OutputError):
                    # The temporary folder has no room: so it is for all photos.
                    raise error
                return Computed(error=error)
            if "done" in message:
                return computed
            if computed.faces and computed.faces[-1][0] == message["facts"]:
                # One frame would be too large for all files of a build.
                computed.faces[-1][1].update(files)
            else:
                computed.faces.append((message["facts"], files))

    def _read(self, child: "subprocess.Popen[bytes]") -> tuple[dict[str, Any], dict[str, bytes]]:
        """The child's next frame. Raises _Ended when it has none."""
        assert child.stdout is not None
        try:
            frame = read_frame(child.stdout)
        except (FrameError, OSError, ValueError):
            frame = None
        if frame is None:
            raise _Ended
        return frame[0], {name: array.tobytes() for name, array in frame[1].items()}

    def _stop(self, child: "subprocess.Popen[bytes]") -> None:
        """Let a child end. One that has a Blender is asked first, so that it ends that and removes its files."""
        if self._builds:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_PATIENCE)
        if self._tree is not None:
            self._tree.end()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        self._stop(child)
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.close()


class _Ended(Exception):
    """The child has ended; late: because it took too long."""

    def __init__(self, late: bool = False) -> None:
        super().__init__()
        self.late = late


MakeWorker = Callable[[], Worker]
