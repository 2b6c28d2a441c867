# SPDX-License-Identifier: GPL-3.0-or-later
"""First on the Python path of a real engine: faults at the stage that the photo's name asks for.

A photo `fault.<action>.<stage>.png` has the action done when the engine reports that stage ("result" is when it sends
the result). With HFFNE_TEST_STANDIN the networks are replaced by a stand-in, so that an engine starts at once; what
is around them, process, pipes, photo, detection, is the real thing.
"""

import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def install():
    from hffne.service import engine_loop, frames

    send, work = engine_loop.EngineLoop._send, engine_loop.EngineLoop._work
    now = {}

    def faulty_work(self, request, number, event):
        parts = Path(str(request.get("photo", ""))).name.split(".")
        now["fault"] = parts[1:3] if parts[0] == "fault" else None
        return work(self, request, number, event)

    engine_loop.EngineLoop.now = now

    def faulty_send(self, message, arrays=None):
        fault = now.get("fault")
        stage = message.get("stage") or message.get("type")
        if fault and stage == fault[1]:
            now["fault"] = None
            ACTIONS[fault[0]](self, frames)
        if message.get("type") == "error":
            limit_memory(None)
        if message.get("type") == "result":
            spoil = now.pop("spoil", None)
            if spoil is not None:
                message, arrays = spoil(dict(message), dict(arrays or {}))
        send(self, message, arrays)

    engine_loop.EngineLoop._work, engine_loop.EngineLoop._send = faulty_work, faulty_send
    if os.environ.get("HFFNE_TEST_STANDIN"):
        sys.path.insert(0, str(HERE.parent))
        import standin_engine

        sys.modules["hffne.pipeline"] = standin_engine


def kill(loop, frames):
    if sys.platform == "win32":
        os._exit(9)
    os.kill(os.getpid(), 9)


def hang(loop, frames):
    """As a whole: the heartbeat waits for the lock as well."""
    with loop._write_lock:
        time.sleep(3600)


def stall(loop, frames):
    """The stage only; the heartbeat goes on."""
    time.sleep(3600)


def busy(loop, frames):
    """A slow computer: long without progress, but at work."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        sum(range(10000))


def spin(loop, frames):
    """A library that never ends and computes all the time."""
    while True:
        sum(range(10000))


def nan(loop, frames):
    """An array of the result that is not finite."""

    def spoil(message, arrays):
        arrays["vertices"] = arrays["vertices"].copy()
        arrays["vertices"][0, 0] = float("nan")
        return message, arrays

    loop.now["spoil"] = spoil


def types(loop, frames):
    """A field of the result that is not of its type."""

    def spoil(message, arrays):
        message["camera"] = {**message["camera"], "scale": [message["camera"]["scale"]]}
        return message, arrays

    loop.now["spoil"] = spoil


def memory(loop, frames):
    limit_memory(64 << 20)
    bytearray(4 << 30)


def limit_memory(more):
    if sys.platform == "win32":
        if more:
            raise MemoryError
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = hard
    if more and sys.platform == "linux":
        soft = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + more
    elif more:
        raise MemoryError
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def pipe(loop, frames):
    os.dup2(os.open(os.devnull, os.O_RDONLY), loop._writer.fileno())


def stderr(loop, frames):
    for _ in range(64):
        os.write(2, b"x" * (1 << 20))
    for _ in range(20000):
        os.write(2, b"a line of words\n")


def half(loop, frames):
    with loop._write_lock:
        loop._writer.write(frames.HEADER.pack(frames.MAGIC, frames.PROTOCOL_VERSION, 0, 500, 0) + b'{"type": "res')
        loop._writer.flush()
        os._exit(3)


def version(loop, frames):
    with loop._write_lock:
        loop._writer.write(frames.HEADER.pack(frames.MAGIC, frames.PROTOCOL_VERSION + 1, 0, 2, 0) + b"{}")
        loop._writer.flush()


def garbage(loop, frames):
    with loop._write_lock:
        loop._writer.write(b"Warning: something printed this\n" * 4)
        loop._writer.flush()


def device(loop, frames):
    loop._handlers.engine.device, loop._handlers.engine.device_name = "cuda:0", "A Graphics Card"
    raise RuntimeError("CUDA error: unspecified launch failure")


def disk(loop, frames):
    raise OSError(28, "No space left on device")


ACTIONS = {
    made.__name__: made
    for made in (
        kill,
        hang,
        stall,
        busy,
        spin,
        nan,
        types,
        memory,
        pipe,
        stderr,
        half,
        version,
        garbage,
        device,
        disk,
    )
}

if "serve" in getattr(sys, "orig_argv", ()):
    install()
