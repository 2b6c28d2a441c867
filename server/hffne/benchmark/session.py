# SPDX-License-Identifier: GPL-3.0-or-later
"""Many photos through one `hffne serve`, as Blender sends them; its memory and its speed."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from hffne.benchmark.memory import memory_of
from hffne.benchmark.timing import summarize
from hffne.errors import HffneError
from hffne.service import frames

# The number of photos until the engine's memory is settled.
SETTLED = 50
# 24 megapixels: 6000 x 4000.
LARGE = (6000, 4000)


class EngineProcess:
    """A running `hffne serve`.

    seconds_to_ready  from its start to its answer to "hello"

    Raises HffneError when it does not start.
    """

    def __init__(self, options: Sequence[str] = ()) -> None:
        environment = dict(os.environ)
        # The same engine as this process's, wherever it was imported from.
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
        assert self._process.stdin is not None and self._process.stdout is not None  # both are pipes
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self._number = 0
        try:
            self.request("hello")
        except HffneError:
            self.close()
            raise
        self.seconds_to_ready = time.perf_counter() - started

    def request(self, kind: str, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Send a request and return the result's (message, arrays); progress is skipped.

        Raises HffneError for an error answer and when the engine has ended.
        """
        frames.write_frame(self._requests, {"type": kind, "id": self._number, **fields})
        while True:
            answer = frames.read_frame(self._answers)
            if answer is None:
                raise HffneError("The engine did not start, or ended.", hint="Run `hffne serve` by hand to see why.")
            if answer[0]["type"] == "error":
                raise HffneError.from_dict(answer[0])
            if answer[0]["type"] == "result":
                self._number += 1
                return answer

    def memory(self) -> tuple[float | None, float | None]:
        """(current, peak) memory of the engine in MB, see `memory.memory_of`."""
        return memory_of(self._process.pid)

    def close(self) -> None:
        """Shut the engine down; kill it when it does not end within 30 seconds."""
        try:
            frames.write_frame(self._requests, {"type": "shutdown", "id": self._number})
            self._requests.close()
            self._process.wait(30)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._answers.close()

    def __enter__(self) -> "EngineProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def long_session(
    path: Path,
    photos: int,
    texture_size: int = 1024,
    options: Sequence[str] = (),
    report: Callable[[int], object] | None = None,
) -> dict[str, Any]:
    """Many photos in one engine: memory (MB) and milliseconds for the first SETTLED photos and for the last ones.

    The photos are the given one at ten sizes and placements, so that no two in a row are alike.
    report: called with the number of photos done after each one.
    """
    times, memory = [], []
    with tempfile.TemporaryDirectory() as folder, EngineProcess(options) as engine:
        variants = _variants(path, Path(folder))
        for number in range(photos):
            started = time.perf_counter()
            engine.request(
                "generate",
                photo=str(variants[number % len(variants)]),
                face="largest",
                texture_size=texture_size,
                grid=128,
                color=True,
            )
            times.append((time.perf_counter() - started) * 1000)
            memory.append(engine.memory()[0])
            if report:
                report(number + 1)
        peak = engine.memory()[1]
    settled = min(SETTLED, max(1, photos // 2))
    known = [size for size in memory if size is not None]
    return {
        "photos": photos,
        "texture_size": texture_size,
        "settled_after": settled,
        "memory_settled_mb": max(known[:settled]) if known else None,
        "memory_end_mb": max(known[-settled:]) if known else None,
        "memory_peak_mb": peak,
        "milliseconds_settled": summarize(times[:settled]),
        "milliseconds_end": summarize(times[-settled:]),
    }


def large_inputs(
    path: Path, options: Sequence[str] = (), texture_size: int = 4096, photo_size: tuple[int, int] = LARGE
) -> dict[str, dict[str, Any]]:
    """Seconds and the engine's peak memory in MB for a photo of 24 megapixels, and for a texture of 4096, cold."""
    result: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        _placed(path, photo_size).save(large, quality=90)
        for name, photo, size in (("photo", large, 1024), ("texture", path, texture_size)):
            with EngineProcess(options) as engine:
                started = time.perf_counter()
                engine.request("generate", photo=str(photo), face="largest", texture_size=size, grid=128, color=True)
                result[name] = {"seconds": time.perf_counter() - started, "memory_peak_mb": engine.memory()[1]}
    result["photo"]["size"], result["texture"]["size"] = list(photo_size), texture_size
    return result


def _variants(path: Path, folder: Path) -> list[Path]:
    """Ten files of the photo at different sizes and placements."""
    paths = []
    for number in range(10):
        side = 400 + 80 * number
        paths.append(folder / f"{number}.png")
        _placed(path, (side + 40 * (number % 3), side)).save(paths[-1])
    return paths


def _placed(path: Path, size: tuple[int, int]) -> Image.Image:
    """The photo, as large as it fits, on a gray picture of `size` (width, height)."""
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    scale = min(size[0] / photo.width, size[1] / photo.height)
    photo = photo.resize(
        (max(1, round(photo.width * scale)), max(1, round(photo.height * scale))), Image.Resampling.LANCZOS
    )
    canvas = Image.new("RGB", size, (128, 128, 128))
    canvas.paste(photo, ((size[0] - photo.width) // 2, (size[1] - photo.height) // 2))
    return canvas


def markdown(long: dict[str, Any] | None = None, large: dict[str, Any] | None = None) -> str:
    """The results of `long_session` and `large_inputs` as a table."""

    def mb(value: float | None) -> str:
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
