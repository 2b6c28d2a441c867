# SPDX-License-Identifier: GPL-3.0-or-later
"""A long day: many photos through one `hffne serve`, as Blender would send them; its memory and its speed."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from hffne.benchmark.memory import memory_of
from hffne.benchmark.timing import spread
from hffne.errors import HffneError
from hffne.service import frames

# The engine's memory may settle for so many photos; the first of them count as warming up.
SETTLED = 50
# 24 megapixels: 6000 x 4000.
LARGE = (6000, 4000)


class EngineProcess:
    """A running `hffne serve`; `seconds_to_ready` from its start to its answer to hello."""

    def __init__(self, options=()):
        environment = dict(os.environ)
        # The engine that we are, wherever it was imported from.
        package = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join([package, environment.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hffne", "serve", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._number = 0
        try:
            self.ask("hello")
        except HffneError:
            self.close()
            raise
        self.seconds_to_ready = time.perf_counter() - started

    def ask(self, kind, **fields):
        """The answer's (message, arrays). Raises HffneError for an error and for an engine that is gone."""
        frames.write_frame(self._process.stdin, {"type": kind, "id": self._number, **fields})
        while True:
            answer = frames.read_frame(self._process.stdout)
            if answer is None:
                raise HffneError("The engine did not start, or ended.", hint="Run `hffne serve` by hand to see why.")
            if answer[0]["type"] == "error":
                raise HffneError.from_dict(answer[0])
            if answer[0]["type"] == "result":
                self._number += 1
                return answer

    def memory(self):
        return memory_of(self._process.pid)

    def close(self):
        try:
            frames.write_frame(self._process.stdin, {"type": "shutdown", "id": self._number})
            self._process.stdin.close()
            self._process.wait(30)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def long_session(path, photos, texture_size=1024, options=(), said=None):
    """Many photos in one engine: memory after the first SETTLED and at the end in MB, milliseconds then and at the end.

    The photos are the given one at ten sizes and placements, so that no two in a row are alike.
    said: called with the number of each photo that is done.
    """
    times, memory = [], []
    with tempfile.TemporaryDirectory() as folder, EngineProcess(options) as engine:
        variants = _variants(path, Path(folder))
        for number in range(photos):
            started = time.perf_counter()
            engine.ask(
                "generate",
                photo=str(variants[number % len(variants)]),
                face="largest",
                texture_size=texture_size,
                grid=128,
                color=True,
            )
            times.append((time.perf_counter() - started) * 1000)
            memory.append(engine.memory()[0])
            if said:
                said(number + 1)
        peak = engine.memory()[1]
    settled = min(SETTLED, max(1, photos // 2))
    known = memory[0] is not None
    return {
        "photos": photos,
        "texture_size": texture_size,
        "settled_after": settled,
        "memory_settled_mb": max(memory[:settled]) if known else None,
        "memory_end_mb": max(memory[-settled:]) if known else None,
        "memory_peak_mb": peak,
        "milliseconds_settled": spread(times[:settled]),
        "milliseconds_end": spread(times[-settled:]),
    }


def large_inputs(path, options=(), texture_size=4096, photo_size=LARGE):
    """Seconds and the engine's peak memory in MB for a photo of 24 megapixels, and for a texture of 4096, cold."""
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        _placed(path, photo_size).save(large, quality=90)
        for name, photo, size in (("photo", large, 1024), ("texture", path, texture_size)):
            with EngineProcess(options) as engine:
                started = time.perf_counter()
                engine.ask("generate", photo=str(photo), face="largest", texture_size=size, grid=128, color=True)
                result[name] = {"seconds": time.perf_counter() - started, "memory_peak_mb": engine.memory()[1]}
    result["photo"]["size"], result["texture"]["size"] = list(photo_size), texture_size
    return result


def _variants(path, folder):
    made = []
    for number in range(10):
        side = 400 + 80 * number
        made.append(folder / f"{number}.png")
        _placed(path, (side + 40 * (number % 3), side)).save(made[-1])
    return made


def _placed(path, size):
    """The photo, as large as it fits, on a gray picture of another shape."""
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    scale = min(size[0] / photo.width, size[1] / photo.height)
    photo = photo.resize((max(1, round(photo.width * scale)), max(1, round(photo.height * scale))), Image.LANCZOS)
    canvas = Image.new("RGB", size, (128, 128, 128))
    canvas.paste(photo, ((size[0] - photo.width) // 2, (size[1] - photo.height) // 2))
    return canvas


def markdown(long=None, large=None):
    def mb(value):
        return "not known" if value is None else f"{value:.0f} MB"

    lines = ["| what | time | memory |", "|---|---|---|"]
    if long:
        for name, words in (("settled", "first"), ("end", "last")):
            lines.append(
                f"| {long['photos']} photos in one engine, the {words} {long['settled_after']} | "
                f"median {long[f'milliseconds_{name}']['median']:.0f} ms | {mb(long[f'memory_{name}_mb'])} |"
            )
    if large:
        width, height = large["photo"]["size"]
        for name, words in (
            ("photo", f"a photo of {width} x {height}"),
            ("texture", f"textures of {large['texture']['size']}"),
        ):
            lines.append(
                f"| {words}, cold | {large[name]['seconds']:.1f} s | peak {mb(large[name]['memory_peak_mb'])} |"
            )
    return "\n".join(lines)
