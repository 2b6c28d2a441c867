# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a child process that ends with this one, together with the processes that it starts itself."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

from hffne.parent_watch import VARIABLE
from hffne.process_tree import process_tree

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupted(KeyboardInterrupt):
    """A signal that asks this process to end; number: the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    @property
    def exit_code(self) -> int:
        """What a shell reports for a process that the signal has ended."""
        return 128 + self.number


def end_by_exception() -> None:
    """Let TERM and HUP raise Interrupted on the main thread, so that temporary files are removed. Ctrl-C does so."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    for number in _SIGNALS:
        # What was ignored on purpose (nohup) stays ignored.
        if number != signal.SIGINT and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, end)


def run(command: Sequence[str], environment: Mapping[str, str], folder: str, log: int | None = None) -> int:
    """Run a command to its end in a working folder and return its exit code.

    log: the descriptor of a file for what it prints, instead of this process's own streams.

    The child and all that it starts are killed when this process is asked to end. Raises KeyboardInterrupt or
    Interrupted then, when nothing of them runs any more.
    """
    tree = process_tree()
    child = subprocess.Popen(
        command,
        env={**environment, VARIABLE: str(os.getpid())},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=folder,
        **tree.options,
    )
    try:
        tree.hold(child)
        return int(child.wait())
    finally:
        # A second Ctrl-C must not leave the child behind. It is not asked first: Blender swallows the exception of a
        # signal in the middle of a render. Its files are removed here.
        with _deaf():
            tree.end()
            child.wait()


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Ignore the signals for the time of a `with`."""
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
