# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts Blender, runs Python in it (see inside.py) and finds its buttons."""

import contextlib
import itertools
import json
import shutil
import subprocess
import time
from pathlib import Path

from display import SIZE, Failed

HERE = Path(__file__).resolve().parent
# Pixels between two positions of the mouse when buttons are searched.
SWEEP = 10
# Where the mouse is over no button of the sidebar.
AWAY = (5, 790)


class Blender:
    """A running Blender with a window."""

    def __init__(self, program, out, screen):
        self._out, self._screen = out, screen
        self._ids = itertools.count(1)
        user = out / "user"
        shutil.rmtree(user, ignore_errors=True)
        user.mkdir(parents=True)
        environment = {**screen.environment, "LIBGL_ALWAYS_SOFTWARE": "1", "BLENDER_USER_RESOURCES": str(user)}
        for name in ("PYTHONPATH", "HFFNE_ENGINE_PYTHON", "WAYLAND_DISPLAY"):
            environment.pop(name, None)
        command = [
            program,
            "--factory-startup",
            "-p",
            "0",
            "0",
            *map(str, SIZE),
            "--python",
            str(HERE / "inside.py"),
            "--",
            str(out),
        ]
        with open(out / "blender.log", "w") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def evaluate(self, code, timeout=60):
        """Run Python in Blender; returns what it leaves in `answer`."""
        number = next(self._ids)
        question, path = self._out / "question.json", self._out / f"answer-{number}.json"
        part = question.with_suffix(".part")
        part.write_text(json.dumps({"id": number, "code": code}), encoding="utf-8")
        part.replace(question)
        end = time.monotonic() + timeout
        while not path.exists():
            if self.process.poll() is not None:
                raise Failed(f"Blender ended (exit code {self.process.returncode}); see blender.log.")
            if time.monotonic() > end:
                raise Failed(f"Blender did not answer within {timeout} s: {code}")
            time.sleep(0.02)
        reply = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        if "error" in reply:
            raise Failed(reply["error"])
        return reply["answer"]

    def until(self, expression, timeout=60):
        """Wait until an expression is true; the seconds it took."""
        begin = time.monotonic()
        while not self.evaluate(f"answer = bool({expression})"):
            if time.monotonic() - begin > timeout:
                raise Failed(f"Not within {timeout} s: {expression}")
            time.sleep(0.05)
        return time.monotonic() - begin

    def buttons(self, columns=(0.5, 0.8), kind="VIEW_3D", region="UI"):
        """Sweep the mouse over the sidebar, or another region: {what a button does: (x, y) of its middle}."""
        left, top, width, height = self.evaluate(f"answer = rectangle(place({kind!r}, {region!r})['region'])")
        hits = {}
        # A button that the mouse was over is told for the next places, too, while Blender is busy.
        self._screen.move(*AWAY)
        # In a window of its own it stays told.
        with contextlib.suppress(Failed):
            self.until(f"not under_mouse({kind!r}, {region!r})", 5)
        for share in columns:
            # Some twenty pixels at the right edge are the tabs.
            x = left + (width - 24) * share
            for y in range(top + 4, top + height - 4, SWEEP):
                self._screen.move(x, y)
                time.sleep(0.08)
                # Blender answers before it handles what the mouse did meanwhile: the second answer is of this place.
                self.evaluate("answer = 0")
                found = self.evaluate(f"answer = under_mouse({kind!r}, {region!r})")
                if found:
                    hits.setdefault(found, []).append((x, y))
        return {found: _middle(places) for found, places in hits.items()}

    def find(self, name, **options):
        """The position of the button whose operator or property has `name` in its name."""
        found = self.buttons(**options)
        for what, place in found.items():
            if name in what:
                return place
        raise Failed(f"There is no button {name}: {sorted(found)}")

    def press(self, name, **options):
        self._screen.click(*self.find(name, **options))


def _middle(places):
    """The middle of the first places that follow one another in one column."""
    x, first = places[0]
    last = first
    for column, y in places[1:]:
        if (column, y) != (x, last + SWEEP):
            break
        last = y
    return x, (first + last) / 2
