# SPDX-License-Identifier: GPL-3.0-or-later
"""The inner half of the window test: runs in the Blender that run.py drives, and does what it asks for.

Every BEAT seconds it looks for a file with a few lines of Python, runs them with the names below, and writes what
they leave in `answer`. Between two beats Blender draws and handles events, so a long gap is a stall that a user feels.
"""

import json
import os
import sys
import time
import traceback

import bpy

OUT = sys.argv[sys.argv.index("--") + 1]
BEAT = 0.01

bpy.context.preferences.view.show_splash = False
# Else the sweep for buttons opens tooltips over them.
bpy.context.preferences.view.show_tooltips = False


class Watch:
    """How long the main thread was away: gaps between beats, and the time that our own code took in each tick."""

    def __init__(self):
        self.last, self.phase, self.gaps, self.own, self.slow = None, "idle", {}, [], []

    def beat(self):
        now = time.perf_counter()
        if self.last is not None:
            # A gap belongs to what went on when it began.
            self.gaps.setdefault(self.phase, []).append(now - self.last)
        self.phase, self.last = phase(), now

    def start(self):
        self.__init__()

    def summary(self):
        """Milliseconds; `slow`: [time of our tick, where the building of the face then stood] for the long ones."""
        return {"slow": self.slow} | {
            name: {"count": len(times), "worst": round(1000 * max(times), 1), "over_50": sum(t > 0.05 for t in times),
                   "median": round(1000 * sorted(times)[len(times) // 2], 1)}
            for name, times in (*self.gaps.items(), ("our own ticks", self.own)) if times
        }  # fmt: skip

    def time_ticks(self, cls):
        """Measure what the operator does in each tick of its timer."""
        whole = cls.advance

        def timed(operator, context):
            start = time.perf_counter()
            try:
                return whole(operator, context)
            finally:
                self.own.append(time.perf_counter() - start)
                if self.own[-1] > 0.05:
                    self.slow.append([round(1000 * self.own[-1]), stopped_at(operator._steps)])

        cls.advance = timed


def phase():
    """What the extension does: nothing, waiting for the engine, or building the face."""
    if not any(name.endswith("hffne_blender") for name in bpy.context.preferences.addons.keys()):
        return "idle"
    if not session().running():
        return "idle"
    return "building" if session().state.task.message == "Building the face" else "engine works"


def stopped_at(steps):
    """The function and line at which the building of a face waits."""
    generator = steps._generator if steps is not None else None
    # The base of the background operators drives the operator's own generator, its variable `work`.
    if getattr(generator, "gi_frame", None) is not None:
        generator = generator.gi_frame.f_locals.get("work", generator)
    while generator is not None and getattr(generator, "gi_yieldfrom", None) is not None:
        generator = generator.gi_yieldfrom
    frame = getattr(generator, "gi_frame", None)
    return f"{frame.f_code.co_name}:{frame.f_lineno}" if frame is not None else "outside"


def package():
    return next(name for name in bpy.context.preferences.addons.keys() if name.endswith("hffne_blender"))


def part(name):
    """A module of the installed extension."""
    import importlib

    return importlib.import_module(f"{package()}.{name}")


def session():
    """The module of the engine's session."""
    return part("engine.session")


def place(kind="VIEW_3D", region="WINDOW"):
    """The first editor of a kind in any window, to override the context with."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == kind:
                return {"window": window, "area": area, "region": next(r for r in area.regions if r.type == region)}
    return None


def browser():
    """The file browser that an operator has opened, in a window of its own or not; None where there is none."""
    return place("FILE_BROWSER")


def accept():
    with bpy.context.temp_override(**browser()):
        bpy.ops.file.execute("INVOKE_DEFAULT")


def rectangle(region):
    """Of a region or area: left, top, width, height as the screen counts, from the first window's upper left corner."""
    windows = bpy.context.window_manager.windows
    window = next(w for w in windows for area in w.screen.areas for other in (area, *area.regions) if other == region)
    left, bottom = (window.x - windows[0].x, window.y - windows[0].y)
    return [left + region.x, windows[0].height - bottom - region.y - region.height, region.width, region.height]


def under_mouse(kind="VIEW_3D", region="UI"):
    """What the button under the mouse does: "hffne.generate", or the path of its property; "" where there is none."""
    with bpy.context.temp_override(**place(kind, region)):
        bpy.context.window_manager.clipboard = ""
        for operator in (bpy.ops.ui.copy_python_command_button, bpy.ops.ui.copy_data_path_button):
            try:
                if operator.poll():
                    operator()
                    return bpy.context.window_manager.clipboard
            except RuntimeError:
                pass
        # The preferences have no data-block, so their properties no path to copy: (their owner, name, index).
        found = getattr(bpy.context, "property", None)
        if found and isinstance(found[0], bpy.types.AddonPreferences):
            return f"preferences.{found[1]}"
    return ""


watch = Watch()
space = dict(globals())


def beat():
    watch.beat()
    path = os.path.join(OUT, "question.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as stream:
            question = json.load(stream)
        os.remove(path)
        space["answer"] = None
        try:
            exec(question["code"], space)
            reply = {"answer": space["answer"]}
        except Exception:
            reply = {"error": traceback.format_exc()}
        path = os.path.join(OUT, f"answer-{question['id']}.json")
        with open(path + ".part", "w", encoding="utf-8") as stream:
            json.dump(reply, stream, default=str)
        os.replace(path + ".part", path)
    return BEAT


bpy.app.timers.register(beat, first_interval=1, persistent=True)
