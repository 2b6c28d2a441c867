# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the engine's protocol: of a loop in a thread, or of an engine in a process of its own."""

import subprocess
import sys
import threading

from hffne.service import frames

TIMEOUT = 60


class Client:
    """The other end of the engine's pipes."""

    def __init__(self, writer, reader):
        self.writer, self.reader = writer, reader

    def send(self, **message):
        frames.write_frame(self.writer, message)

    def receive(self):
        return frames.read_frame(self.reader)

    def answer(self, number):
        """(final message, arrays, progress messages) of a request."""
        progress = []
        while True:
            frame = self.receive()
            assert frame is not None, "the engine has gone"
            message, arrays = frame
            if message.get("id") == number and message["type"] != "progress":
                return message, arrays, progress
            if message.get("id") == number:
                progress.append(message)


class Process(Client):
    """`hffne serve` with these options."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hffne", "serve", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        super().__init__(self.process.stdin, self.process.stdout)
        self.log = []
        # Drained, so that a full pipe cannot hold the engine up.
        self._drain = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self._drain.start()

    def end(self):
        """Close its input; returns its exit code."""
        self.writer.close()
        code = self.process.wait(TIMEOUT)
        self._drain.join(TIMEOUT)
        return code
