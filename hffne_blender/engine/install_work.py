# SPDX-License-Identifier: GPL-3.0-or-later
"""Child processes of an installation, run one after the other on a thread."""

import os
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..system.process_tree import ProcessTree, process_tree
from .install_errors import InstallError, failure

_Work = TypeVar("_Work", bound="Work")


class _Cancelled(Exception):
    """Raised on the thread after `Work.cancel`."""


class Work:
    """Child processes one after the other on a thread.

    state     "running", "done", "failed" or "cancelled"
    progress  0..1
    message   what is done now, for the user
    error     "code", "message", "hint" and others when failed, as ExtensionError.as_dict
    """

    def __init__(self, log_path: str | Path) -> None:
        self.state, self.progress, self.message = "running", 0.0, "Starting"
        self.error: dict[str, Any] | None = None
        self.log_path = Path(log_path)
        self._tree: ProcessTree | None = None
        self._cancelled = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="hffne install", daemon=True)

    @property
    def over(self) -> bool:
        """Whether it has ended: done, failed or cancelled."""
        return self.state != "running"

    def start(self: _Work) -> _Work:
        """Start the thread; returns the work. Raises OSError when the log cannot be written."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self.log_path.write_text("", "utf-8")
        self._thread.start()
        return self

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end, at most `seconds`."""
        self._thread.join(seconds)

    def cancel(self) -> None:
        """End the running process and its children; the work is cancelled soon after."""
        with self._lock:
            self._cancelled = True
            if self._tree is not None:
                self._tree.end()

    def log(self) -> str:
        """The output of all processes so far."""
        try:
            return self.log_path.read_text("utf-8", "replace")
        except OSError:
            return ""

    def steps(self) -> None:
        """All the work, on the thread. Raises InstallError."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            self.steps()
            self.progress, self.state = 1.0, "done"
        except _Cancelled:
            self.state = "cancelled"
        except InstallError as error:
            self.error, self.state = error.as_dict(), "failed"
        except OSError as error:
            self._write_log(str(error))
            self.error, self.state = failure(str(error)).as_dict(), "failed"

    def _write_log(self, line: str) -> None:
        with open(self.log_path, "a", encoding="utf-8") as log:
            log.write(line + "\n")

    def call(
        self,
        message: str,
        command: Sequence[str | Path],
        environ: Mapping[str, str],
        start: float,
        end: float,
        check: bool = True,
    ) -> tuple[int, list[str]]:
        """Run one command; `start` and `end` are its share of the progress. Returns (exit code, lines of output).

        Raises InstallError for another exit code than 0, unless `check` is False.
        """
        self.message, self.progress = message, start
        self._write_log("> " + " ".join(map(str, command)))
        with self._lock:
            if self._cancelled:
                raise _Cancelled
            tree = self._tree = process_tree(hidden=True)
            process = subprocess.Popen(
                [str(part) for part in command],
                env=environ,
                cwd=os.path.abspath(os.sep),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                **tree.options,
            )
            tree.hold(process)
        lines = []
        for line in process.stdout or ():
            line = line.rstrip()
            share = re.match(r"Progress (\d+) of (\d+)", line)
            if share:
                done, whole = int(share[1]), max(1, int(share[2]))
                self.message = f"{message}: {done / 1e6:.0f} of {whole / 1e6:.0f} MB"
                # Never back: the downloads of one step come one after the other.
                self.progress = max(self.progress, start + (end - start) * 0.9 * done / whole)
                continue
            lines.append(line)
            self._write_log(line)
        code = process.wait()
        with self._lock:
            self._tree = None
            tree.end()
            if self._cancelled:
                raise _Cancelled
        if code and check:
            raise failure("\n".join(lines))
        self.progress = end
        return code, lines
