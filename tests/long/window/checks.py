# SPDX-License-Identifier: GPL-3.0-or-later
"""The course of the window test: steps in order, what each found, and what was expected of it."""

import json
import shutil
import time
from pathlib import Path

from application import Blender
from display import Failed, Screen


class WindowTest:
    """A Blender on a screen, and the report on it. `photos`: {"one", "two", "none"}, paths by the number of faces."""

    def __init__(self, out, photos, options):
        self.out, self.photos = out, photos
        self.engine, self.zip, self.shader_seconds = options.engine, options.zip, options.shader_seconds
        self.report = {}
        self.wrong = []
        self.screen = Screen(options.display)
        self.blender = Blender(options.blender, self.out, self.screen)

    def record(self, name, value):
        """Print a finding and keep it for the report."""
        self.report[name] = value
        print(f"{name}: {value}", flush=True)

    def expect(self, name, good, value=None):
        """Record a finding, and that it is wrong unless `good`."""
        self.record(name, value if value is not None else good)
        if not good:
            self.wrong.append(name)
            print(f"WRONG: {name}", flush=True)

    def picture(self, name, wait=1.5):
        time.sleep(wait)
        self.screen.picture(self.out / f"{name}.png")

    def copies(self, folder, names):
        """A folder with copies of the photo of one face under these names."""
        folder = self.out / folder
        folder.mkdir(exist_ok=True)
        for name in names:
            shutil.copyfile(self.photos["one"], folder / f"{name}.png")
        return folder

    def scroll(self, down):
        """Scroll the sidebar to its end, or back."""
        left, top, width, height = self.blender.evaluate("answer = rectangle(place(region='UI')['region'])")
        self.screen.move(left + (width - 24) / 2, top + height / 2)
        for _ in range(30):
            self.screen.tool("click", 5 if down else 4)
        time.sleep(1)

    def prepare(self, clear=False):
        """Install the extension where no earlier step has. clear: remove all objects."""
        if not self.blender.evaluate(
            "answer = any(n.endswith('hffne_blender') for n in bpy.context.preferences.addons.keys())"
        ):
            options = f"filepath={str(self.zip)!r}, repo='user_default', enable_on_install=True"
            self.blender.evaluate(
                f"bpy.ops.extensions.package_install_files({options})\n"
                "bpy.data.objects.remove(bpy.data.objects['Cube'])\n"
                f"bpy.context.preferences.addons[package()].preferences.engine_python = {str(self.engine)!r}\n"
                "place()['area'].spaces.active.show_region_ui = True",
                timeout=180,
            )
            time.sleep(3)
            self.blender.evaluate("place(region='UI')['region'].active_panel_category = 'Face From Photo'")
        if clear:
            self.blender.evaluate("for obj in list(bpy.data.objects):\n    bpy.data.objects.remove(obj)")

    def choose_face(self, name="obj"):
        """Make an object, by its variable in Blender, the only selected and the active one."""
        self.blender.evaluate(
            "for other in bpy.context.selected_objects:\n    other.select_set(False)\n"
            f"{name}.select_set(True); bpy.context.view_layer.objects.active = {name}"
        )
        time.sleep(1)

    def click_until(self, place, expression, beside=None, tries=3):
        """Click, from `beside`, until an expression is true within 20 s. A click may be lost while Blender is busy."""
        for attempt in range(tries):
            if beside:
                self.screen.move(*beside)
                time.sleep(0.5)
            self.screen.click(*place)
            try:
                self.blender.until(expression, 20)
                return
            except Failed:
                if attempt == tries - 1:
                    raise

    def unfold(self, button, heading, tries=3):
        """Click on a panel's heading until one of its buttons is there; the button's place. A click may be lost."""
        for _ in range(tries):
            self.screen.click(*heading)
            time.sleep(2)
            for what, place in self.blender.buttons().items():
                if button in what:
                    return place
        raise Failed(f"The panel with {button} does not open.")

    def mesh_names(self):
        return self.blender.evaluate("answer = [o.name for o in bpy.data.objects if o.type == 'MESH']")

    def stages(self, picture, limit=480):
        """Wait for the running work: [message, progress at its first sight], with one picture on the way."""
        begin, seen, pictures = time.monotonic(), [], 0
        while True:
            running, message, progress = self.blender.evaluate(
                "task = session().state.task; answer = [session().running(), task.message, task.progress]"
            )
            if not running:
                return seen
            if not seen or seen[-1][0] != message:
                seen.append([message, round(progress, 2)])
            # A picture disturbs what is measured: only one.
            if progress > 0.3 and not pictures:
                pictures += 1
                self.screen.picture(self.out / f"{picture}.png")
            if time.monotonic() - begin > limit:
                raise Failed(f"Not done within {limit} s: {seen}")

    def run(self, steps):
        """Run the steps (functions of this object) in the order of their names; the exit code."""
        try:
            for step in sorted(steps, key=lambda step: step.__name__):
                name = step.__name__.removeprefix("step_")
                begin = time.monotonic()
                try:
                    step(self)
                except Exception as error:
                    self.expect(f"{name} failed", False, f"{type(error).__name__}: {error}")
                    self.picture(f"failed_{name}", 0)
                    # A dialog that is left open would take the clicks of the next step.
                    self.screen.key("Escape")
                    if self.blender.process.poll() is not None:
                        break
                print(f"-- {name}: {time.monotonic() - begin:.0f} s", flush=True)
        finally:
            (self.out / "report.json").write_text(json.dumps(self.report, indent=1, default=str), encoding="utf-8")
            if self.blender.process.poll() is None:
                self.blender.process.kill()
            self.screen.close()
        print(f"{len(self.wrong)} wrong: {self.wrong}" if self.wrong else "All as expected.")
        return 1 if self.wrong else 0


def alive(process):
    """Whether a process runs, by its id (Linux)."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
