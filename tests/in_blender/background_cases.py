# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about operators that work beside the user, driven tick by tick as a window drives them."""

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import bpy
import case_process
from case_process import start

from hffne_blender import batch
from hffne_blender.engine import session
from hffne_blender.operators import batch_run, generate
from hffne_blender.operators.bases import background, windows

ENGINE = {"engine_python": sys.executable, "device": ""}
FACE = {
    "base": "MASK",
    "lod": "FULL",
    "detail_size": "AUTO",
    "texture_size": "512",
    "grid": "32",
    "color": True,
    "keep_hair": False,
    "keep_glasses": False,
    "maps": set(),
    **ENGINE,
}


class Window:
    """The parts of a context that a modal operator uses, where there is no window."""

    def __init__(self):
        self.window = self.workspace = self.window_manager = self
        self.windows, self.shown = [], []
        context = bpy.context
        self.scene, self.preferences, self.view_layer = context.scene, context.preferences, context.view_layer
        self.collection, self.mode, self.selected_objects = context.collection, context.mode, context.selected_objects

    def event_timer_add(self, seconds, window):
        return self

    def event_timer_remove(self, timer):
        pass

    def modal_handler_add(self, operator):
        pass

    def status_text_set(self, text):
        self.shown.append(text)


def standin(operator, **properties):
    """An object with an operator's own methods and these properties, as only Blender can create operators."""
    own = {name: value for name, value in vars(operator).items() if not name.startswith(("__", "bl_"))}
    reports = []
    bases = tuple(base for base in operator.__bases__ if base is not bpy.types.Operator)
    own |= {"report": lambda self, kind, text: reports.append([*kind, text]), "reports": reports, **properties}
    own |= {"bl_idname": operator.bl_idname, "bl_label": operator.bl_label, "options": SimpleNamespace(is_repeat=False)}
    return type("Standin", bases, own)()


def drive(worker, esc_at=None, limit=60):
    """Begin and tick until the end; Esc is pressed once `esc_at(task)` holds."""
    context = Window()
    states, messages, longest = [worker.begin(context)], [], 0.0
    end = time.monotonic() + limit
    while time.monotonic() < end and states[-1] not in ({"FINISHED"}, {"CANCELLED"}):
        begin = time.thread_time()
        pressed = esc_at is not None and esc_at(session.state.task)
        states.append(worker.modal(context, SimpleNamespace(type="ESC" if pressed else "TIMER", value="PRESS")))
        longest = max(longest, time.thread_time() - begin)
        messages.append([session.state.task.message, round(session.state.task.progress, 3)])
        time.sleep(0.02)
    progress = [share for _, share in messages]
    return {
        "first": sorted(states[0]),
        "last": sorted(states[-1]),
        "reports": worker.reports,
        "rising": progress == sorted(progress),
        "most": max(progress),
        "longest": longest,
        "messages": sorted({message for message, _ in messages}),
        "running": session.running(),
        "error": (session.state.last_error or {}).get("code"),
        "status": [context.shown[0], context.shown[-1]],
    }


def case_background(folder):
    """Work with two requests: it never blocks, shows its progress, and ends with Esc."""
    start()
    windows.has_window = lambda context: True
    request = {"type": "generate", "texture_size": 64, "grid": 16, "color": True}

    class Worker(background.InBackground):
        engine_python, device, share = sys.executable, "", 0.5

        def __init__(self, names):
            self.names, self.reports, self.got = names, [], []

        def report(self, kind, text):
            self.reports.append(text)

        def work(self, context):
            yield "Beginning"
            for name in self.names:
                message, _ = yield {**request, "photo": str(Path(folder) / name)}
                self.got.append((yield lambda name=message["name"]: name))

    def run(names, esc_at=None):
        worker = Worker(names)
        return {**drive(worker, esc_at), "got": worker.got}

    result = {"done": run(["good 1.jpg", "good 2.jpg"]), "failed": run(["good 1.jpg", "no_face.png"])}
    begin = time.monotonic()
    result["stopped"] = run(["slow.jpg"], lambda task: task.progress > 0.05)
    # The engine is cancelled, too: the next face does not wait for the slow one, which takes ten seconds.
    result["next"] = run(["good 1.jpg"])["got"]
    result["seconds"] = time.monotonic() - begin
    return result


def case_generate(folder):
    """The operator `generate` from its button: finished, cancelled in the engine, and failed."""
    start()
    windows.has_window = lambda context: True
    result = {}
    for name, esc_at in (("good 1.jpg", None), ("slow.jpg", lambda task: task.progress > 0.15), ("no_face.png", None)):
        photo = {"photo": str(Path(folder) / name), "image": "", "face": 0, "texture_pixels": 0, "crop_size": 0}
        before = len(bpy.data.objects)
        found = drive(standin(generate.HFFNE_OT_generate, **FACE, **photo), esc_at)
        result[name] = {**found, "built": len(bpy.data.objects) - before}
    result["active"] = bpy.context.view_layer.objects.active.name
    windows.has_window = lambda context: False
    # What F9 runs puts the changed face in the first one's place.
    again = {"photo": str(Path(folder) / "good 2.jpg"), "grid": "32", "engine_python": sys.executable}
    bpy.ops.hffne.generate(**again, texture_size="512")
    before = [[obj.name, obj.location.x] for obj in bpy.data.objects]
    bpy.ops.hffne.generate_again(**again, texture_size="1024")
    result["again"] = [before == [[obj.name, obj.location.x] for obj in bpy.data.objects], len(before)]
    result["size"] = bpy.data.images["good 2_texture_normal"].size[0]
    return result


def case_queue(folder):
    """The operator `batch_run` from its button: cancelled at the second photo, then resumed."""
    start()
    windows.has_window = lambda context: True
    queue = batch.queue_of(bpy.context)
    batch.add(queue, [str(Path(folder) / name) for name in ("good 1.jpg", "slow.jpg", "no_face.png")])
    options = {"directory": "", "retry": False}

    def states():
        return [item.state for item in queue.items]

    def run(esc_at=None):
        found = drive(standin(batch_run.HFFNE_OT_batch_run, **FACE, files_only=False, **options), esc_at)
        return {**found, "states": states()}

    result = {"stopped": run(lambda task: task.message.startswith("Fine normals"))}
    queue.items[1].photo = str(Path(folder) / "good 2.jpg")
    result["resumed"] = run()
    result["objects"] = sorted(obj.name for obj in bpy.data.objects)
    result["nothing"] = run()
    return result


if __name__ == "__main__":
    case_process.main(globals())
