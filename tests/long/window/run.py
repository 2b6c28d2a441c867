# SPDX-License-Identifier: GPL-3.0-or-later
"""Drive a real Blender with a window as an artist would: install the zip, press the buttons, look.

Not part of the tests that the CI runs: it needs a Blender application, an X display and some minutes.

    python tests/long/window/run.py --blender blender --engine .venv/bin/python --out out/window

It needs xdotool and ImageMagick (and xclip for the step that pastes), and Xvfb where there is no display (it starts one unless --display names one). It
starts Blender with factory settings and a user folder of its own under --out, so your settings are not touched. Each
step prints what it found and leaves a screenshot in --out; `report.json` holds all of it, with the stalls of Blender's
main thread. The exit code is 1 when a step found something else than it should. The pictures show scikit-image's
astronaut (or --photo), so scikit-image must be in the Python that runs this, unless there is a --photo.
"""

import argparse
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SIZE = (1280, 800)
# Pixels between two looks for a button.
SWEEP = 8
# Pixels from a button to the heading of a panel below it: of Look, of My Own Character.
BELOW_BAKE, BELOW_RELEASE = 34, 58
# From a closed panel's heading to the next one's.
PANEL = 26
# From where a dialog opens to its heading.
ABOVE_FIELD = 33


class Failed(Exception):
    pass


class Screen:
    """The X display, and a mouse and keyboard on it."""

    def __init__(self, name):
        self._process = None
        if not name:
            name = f":{random.randint(60, 900)}"
            command = ["Xvfb", name, "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "+extension", "GLX"]
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(2)
        self.environment = {**os.environ, "DISPLAY": name}

    def tool(self, *arguments):
        subprocess.run(["xdotool", *map(str, arguments)], env=self.environment, check=True, timeout=60)

    def move(self, x, y):
        self.tool("mousemove", int(x), int(y))

    def click(self, x, y, seconds=0.3):
        self.move(x - 2, y)
        time.sleep(seconds)
        self.move(x, y)
        time.sleep(seconds)
        self.tool("click", 1)

    def key(self, name):
        self.tool("key", name)

    def picture(self, path):
        subprocess.run(["import", "-window", "root", str(path)], env=self.environment, check=True, timeout=60)

    def close(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


class Blender:
    """A running Blender that answers questions in Python, see inside.py."""

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

    def ask(self, code, timeout=60):
        """Run Python in Blender; what it leaves in `answer`."""
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
        told = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        if "error" in told:
            raise Failed(told["error"])
        return told["answer"]

    def until(self, expression, timeout=60):
        """Wait until an expression is true; the seconds it took."""
        begin = time.monotonic()
        while not self.ask(f"answer = bool({expression})"):
            if time.monotonic() - begin > timeout:
                raise Failed(f"Not within {timeout} s: {expression}")
            time.sleep(0.05)
        return time.monotonic() - begin

    def buttons(self, columns=(0.5, 0.8)):
        """Sweep the mouse over the sidebar: {what a button does: (x, y) of its middle}."""
        left, top, width, height = self.ask("answer = rectangle(place(region='UI')['region'])")
        hits = {}
        for share in columns:
            # Some twenty pixels at the right edge are the tabs.
            x = left + (width - 24) * share
            for y in range(top + 4, top + height - 4, SWEEP):
                self._screen.move(x, y)
                time.sleep(0.08)
                found = self.ask("answer = under_mouse()")
                if found:
                    hits.setdefault(found, []).append((x, y))
        return {
            found: (
                places[0][0],
                sum(y for x, y in places if x == places[0][0]) / sum(x == places[0][0] for x, _ in places),
            )
            for found, places in hits.items()
        }

    def find(self, name, **options):
        """Where the button is whose operator or property has this in its name."""
        found = self.buttons(**options)
        for what, place in found.items():
            if name in what:
                return place
        raise Failed(f"There is no button {name}: {sorted(found)}")

    def press(self, name, **options):
        self._screen.click(*self.find(name, **options))


class Test:
    def __init__(self, options):
        self.out = Path(options.out).resolve()
        self.out.mkdir(parents=True, exist_ok=True)
        self.engine, self.photo = options.engine, options.photo
        self.zip, self.patience = options.zip, options.patience
        self.report = {}
        self.wrong = []
        self.screen = Screen(options.display)
        self.blender = Blender(options.blender, self.out, self.screen)

    def tell(self, name, value):
        self.report[name] = value
        print(f"{name}: {value}", flush=True)

    def copies(self, folder, names):
        """A folder of that name, with the one photo under these names."""
        folder = self.out / folder
        folder.mkdir(exist_ok=True)
        for name in names:
            shutil.copyfile(self.photos["one"], folder / f"{name}.png")
        return folder

    def scroll(self, down):
        """The sidebar to its end, or back."""
        left, top, width, height = self.blender.ask("answer = rectangle(place(region='UI')['region'])")
        self.screen.move(left + (width - 24) / 2, top + height / 2)
        for _ in range(30):
            self.screen.tool("click", 5 if down else 4)
        time.sleep(1)

    def stages(self, picture, patience=240):
        """Wait for the running work: [what it said, how far it was then], with a picture in the midst of it."""
        begin, seen, pictures = time.monotonic(), [], 0
        while True:
            running, message, progress = self.blender.ask(
                "session = part('engine.session'); task = session.state.task; "
                "answer = [session.running(), task.message, task.progress]"
            )
            if not running:
                return seen
            if not seen or seen[-1][0] != message:
                seen.append([message, round(progress, 2)])
            # A picture in between disturbs what is measured: only one.
            if progress > 0.3 and not pictures:
                pictures += 1
                self.screen.picture(self.out / f"{picture}.png")
            if time.monotonic() - begin > patience:
                raise Failed(f"It takes too long: {seen}")

    def expect(self, name, good, value=None):
        self.tell(name, value if value is not None else good)
        if not good:
            self.wrong.append(name)
            print(f"WRONG: {name}", flush=True)

    def picture(self, name, wait=1.5):
        time.sleep(wait)
        self.screen.picture(self.out / f"{name}.png")

    def steps(self):
        only = [name[5:] for name in dir(self) if name.startswith("step_")]
        for name in sorted(only):
            begin = time.monotonic()
            try:
                getattr(self, f"step_{name}")()
            except Failed as error:
                self.expect(f"{name} failed", False, str(error))
                self.picture(f"failed_{name}", 0)
                if self.blender.process.poll() is not None:
                    break
            print(f"-- {name}: {time.monotonic() - begin:.0f} s", flush=True)

    def step_01_start(self):
        self.tell("blender", self.blender.ask("answer = bpy.app.version_string", timeout=180))
        time.sleep(5)

    def step_02_install(self):
        self.blender.ask(
            f"bpy.ops.extensions.package_install_files(filepath={str(self.zip)!r}, repo='user_default', enable_on_install=True)",
            timeout=180,
        )
        self.blender.ask(
            "bpy.data.objects.remove(bpy.data.objects['Cube'])\n"
            "view = place()['area'].spaces.active\n"
            "view.shading.type = 'SOLID'; view.shading.color_type = 'TEXTURE'\n"
            "view.overlay.show_floor = view.overlay.show_cursor = False\n"
            "bpy.ops.ed.undo_push(message='start')\n"
            "watch.time_ticks(part('operators.generate').HFFNE_OT_generate)"
        )
        # The key for the sidebar, with the mouse over the viewport.
        left, top, width, height = self.blender.ask("answer = rectangle(place()['region'])")
        self.screen.move(left + width / 3, top + height / 2)
        time.sleep(1)
        self.screen.key("n")
        self.blender.until("place()['area'].spaces.active.show_region_ui", 20)
        self.blender.ask("place(region='UI')['region'].active_panel_category = 'HFFNE'")
        # Wide enough for the texts, as a user would drag it.
        self.picture("01_without_engine", 3)
        self.blender.ask(f"bpy.context.preferences.addons[package()].preferences.engine_python = {str(self.engine)!r}")
        self.picture("02_new")
        found = self.blender.buttons()
        self.expect("buttons of the new panel", any("generate" in name for name in found), sorted(found))

    def step_03_idle_stalls(self):
        """What the window costs by itself here, to compare with."""
        self.blender.ask("watch.start()")
        for _ in range(20):
            self.blender.ask("part('operators.bases.windows').redraw_sidebars(bpy.context)")
            time.sleep(0.1)
        self.tell("stalls, idle with the panel redrawn", self.blender.ask("answer = watch.told()"))
        # Any change of the scene has Blender draw the viewport several times, which smooths its edges.
        self.blender.ask("watch.start(); mesh = bpy.data.meshes.new('x'); bpy.data.meshes.remove(mesh)")
        time.sleep(5)
        self.tell("stalls, idle with a mesh made and removed", self.blender.ask("answer = watch.told()"))

    def step_04_drop(self):
        """What the system's drop calls, over the viewport and over another editor."""
        code = (
            "with bpy.context.temp_override(**place({kind!r})):\n"
            "    answer = sorted(bpy.ops.wm.drop_import_file({mode!r}, directory={folder!r}, files=[{{'name': {name!r}}}]))"
        )
        folder, name = os.path.split(self.photos["two"])
        for kind in ("OUTLINER", "VIEW_3D"):
            try:
                told = self.blender.ask(
                    code.format(kind=kind, mode="INVOKE_DEFAULT", folder=folder + os.sep, name=name)
                )
            except Failed as error:
                told = str(error).strip().splitlines()[-1]
            self.tell(f"drop on {kind}", told)
            if kind == "OUTLINER":
                # An empty menu: the system's own drop asks beforehand.
                time.sleep(1)
                self.screen.key("Escape")
                time.sleep(1)
                self.expect(
                    "the outliner takes no photo", not self.blender.ask("answer = bpy.context.scene.hffne.photo")
                )
        # Blender's own use of a picture is offered beside ours: the menu's letter chooses.
        self.picture("03_drop")
        self.screen.key("f")
        time.sleep(1)
        self.expect(
            "the dropped photo is the panel's",
            self.blender.ask("answer = bpy.context.scene.hffne.photo") == str(self.photos["two"]),
        )

    def step_05_faces(self):
        self.blender.ask(f"bpy.context.scene.hffne.photo = {str(self.photos['two'])!r}")
        seconds = self.blender.until("len(bpy.context.window_manager.hffne_faces) == 2", 120)
        self.tell("seconds to the faces, engine cold", round(seconds, 1))
        icons = self.blender.ask("answer = part('photo.detected_faces').icons()")
        self.expect("thumbnails", len(icons) == 2 and all(icons), icons)
        self.picture("04_faces", 3)
        self.blender.press("shown_face", columns=(0.75,))
        time.sleep(1)
        self.expect("the second face is chosen", self.blender.ask("answer = bpy.context.scene.hffne.face") == 2)
        self.picture("05_second_face")

    def step_06_cancel_by_button(self):
        self.blender.ask("bpy.context.scene.hffne.face = 0; bpy.context.scene.hffne.texture_size = '4096'")
        self.blender.press("hffne.generate")
        self.blender.until("part('engine.session').running()", 20)
        time.sleep(0.5)
        self.picture("06_progress", 0)
        self.tell(
            "status",
            self.blender.ask("answer = [part('engine.session').task.message, part('engine.session').task.progress]"),
        )
        if self.blender.ask("answer = part('engine.session').running()"):
            # Where Generate was, the bar is now, with the X at its end.
            self.blender.press("hffne.cancel", columns=(0.95,))
        self.blender.until("not part('engine.session').running()", 30)
        told = self.blender.ask(
            "answer = [part('engine.session').task.status, [o.name for o in bpy.data.objects if o.type == 'MESH']]"
        )
        # The engine may have been done already, and the building of the face was given up.
        self.expect("cancelled by its button", told[1] == [], told)
        self.picture("07_cancelled")

    def step_07_cancel_by_key(self):
        self.blender.press("hffne.generate")
        self.blender.until("part('engine.session').running()", 20)
        self.screen.key("Escape")
        seconds = self.blender.until("not part('engine.session').running()", 30)
        told = self.blender.ask(
            "answer = [part('engine.session').task.status, [o.name for o in bpy.data.objects if o.type == 'MESH']]"
        )
        self.expect("cancelled by Esc", told[1] == [], [*told, round(seconds, 2)])

    def step_08_generate(self):
        self.blender.ask(
            f"chosen = bpy.context.scene.hffne; chosen.texture_size = '1024'; chosen.photo = {str(self.photos['one'])!r}"
        )
        self.blender.until("len(bpy.context.window_manager.hffne_faces) == 1", 120)
        time.sleep(2)
        place = self.blender.find("hffne.generate")
        self.blender.ask("watch.start()")
        self.screen.click(*place)
        self.blender.until("part('engine.session').running()", 20)
        begin = time.monotonic()
        self.tell("stages", self.stages("08_generating"))
        self.tell("seconds to the face, engine warm", round(time.monotonic() - begin, 1))
        # The first display of the textures, too: the "idle" part of it.
        time.sleep(4)
        self.tell("stalls while generating", self.blender.ask("answer = watch.told()", timeout=120))
        # What of it is the decoding of a texture, without the drawing of the window.
        self.tell("milliseconds to decode a texture and to hand it to the graphics card", self.blender.ask(
            "answer = {}\n"
            "for image in bpy.data.images:\n"
            "    if image.packed_file and not image.has_data:\n"
            "        begin = time.perf_counter(); image.pixels[0]; decoded = time.perf_counter(); image.gl_load()\n"
            "        answer[image.name] = [image.size[0], round(1000 * (decoded - begin)), round(1000 * (time.perf_counter() - decoded))]",
            timeout=120))  # fmt: skip
        self.expect(
            "one face",
            self.blender.ask("answer = [o.name for o in bpy.data.objects if o.type == 'MESH']") == ["astronaut"],
        )
        self.blender.ask(
            "with bpy.context.temp_override(**place()):\n    bpy.ops.view3d.view_axis(type='FRONT'); bpy.ops.view3d.view_selected()"
        )
        self.picture("09_face", 4)

    def step_09_undo(self):
        left, top, width, height = self.blender.ask("answer = rectangle(place()['region'])")
        self.screen.move(left + width / 3, top + height / 2)
        time.sleep(2)
        self.screen.key("ctrl+z")
        self.blender.until("not [o for o in bpy.data.objects if o.type == 'MESH']", 20)
        self.expect("undone with Ctrl+Z", True)
        self.screen.key("ctrl+shift+z")
        self.blender.until("[o for o in bpy.data.objects if o.type == 'MESH']", 20)
        self.expect("redone", True)
        self.picture("11_redone", 3)

    def step_10_look(self):
        self.blender.ask(
            "with bpy.context.temp_override(**place()):\n"
            "    obj = next(o for o in bpy.data.objects if o.type == 'MESH'); obj.select_set(True)\n"
            "    bpy.context.view_layer.objects.active = obj\n"
            "    bpy.ops.hffne.add_lights(preset='REMBRANDT')\n"
            "    bpy.ops.hffne.set_detail(clay=1)\n"
            "view.overlay.show_overlays = False\n"
            "watch.start(); view.shading.type = 'RENDERED'"
        )
        # Software takes its time to compile the shaders.
        self.picture("12_clay", self.patience)
        self.tell("stalls of the first render", self.blender.ask("answer = watch.told()", timeout=180))
        self.blender.ask("view.shading.type = 'SOLID'; view.overlay.show_overlays = True", timeout=180)

    def step_11_error(self):
        self.blender.ask(f"bpy.context.scene.hffne.photo = {str(self.photos['none'])!r}")
        self.blender.until("part('photo.detected_faces').message", 60)
        self.picture("13_no_face", 2)
        self.blender.press("hffne.generate")
        self.blender.until("part('engine.session').last_error", 60)
        self.expect(
            "the error's code", self.blender.ask("answer = part('engine.session').last_error['code']") == "no_face"
        )
        self.picture("14_error", 2)
        # The popup with the report.
        self.screen.key("Escape")
        self.screen.move(200, 300)
        time.sleep(1)

    def step_12_image(self):
        """An image that is open, and the clipboard."""
        self.blender.ask(
            f"chosen = bpy.context.scene.hffne; image = bpy.data.images.load({str(self.photos['one'])!r}); image.pack()\n"
            "chosen.image = image; chosen.source = 'IMAGE'"
        )
        self.blender.until("len(bpy.context.window_manager.hffne_faces) == 1", 60)
        self.picture("15_open_image", 2)
        self.expect("nothing is left in the temporary folder", self.blender.ask(
            "import os; answer = [n for n in os.listdir(bpy.app.tempdir) if n.startswith('hffne_')]") == [])  # fmt: skip
        if shutil.which("xclip") is None:
            self.tell("paste", "not tried: xclip is not installed")
            return
        if not self.blender.ask("answer = part('photo.clipboard').available()"):
            self.tell("paste", "not tried: this Blender takes no pictures from the clipboard here")
            return
        # Before the copy: looking for buttons uses the clipboard.
        place = self.blender.find("hffne.paste_photo", columns=(0.95,))
        # Another program's copy. It stays to hand the picture over, so its output must not be waited for.
        command = ["xclip", "-selection", "clipboard", "-t", "image/png", "-i", str(self.photos["one"])]
        subprocess.run(
            command, env=self.screen.environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.screen.click(*place)
        time.sleep(3)
        self.expect("pasted", self.blender.ask("answer = chosen.image != image"), self.blender.ask(
            "answer = [chosen.image.name, list(chosen.image.size), bool(chosen.image.packed_file)], [a.type for a in bpy.context.window_manager.windows[0].screen.areas]"))  # fmt: skip
        self.picture("16_pasted", 2)

    def step_13_release(self):
        self.blender.ask("process = part('engine.session').state.client._process")
        self.blender.press("hffne.release_engine")
        seconds = self.blender.until("process.poll() is not None", 30)
        self.expect("released", True, round(seconds, 1))
        self.picture("17_released")

    def step_14_look_panel(self):
        """The panel of lights and turntables: closed at first, below the face's sliders."""
        self.blender.ask(
            f"chosen.source = 'FILE'; chosen.photo = {str(self.photos['one'])!r}; part('engine.session').forget_error()\n"
            "obj = next(o for o in bpy.data.objects if o.type == 'MESH')\n"
            "bpy.context.view_layer.objects.active = obj; obj.select_set(True)"
        )
        self.blender.until("part('engine.session').device()", 60)
        self.scroll(down=True)
        x, y = self.blender.find("hffne.bake")
        self.screen.click(x, y + BELOW_BAKE)
        time.sleep(1)
        self.scroll(down=True)
        found = self.blender.buttons()
        self.expect("buttons of the Look panel", any("add_turntable" in name for name in found), sorted(found))
        self.picture("18_look")
        self.scroll(down=False)

    def step_15_apply(self):
        """The detail on a head of the user's own, here the face's shape with nothing else of it."""
        self.blender.ask(
            "head = obj.copy(); head.data = obj.data.copy(); head.name = 'Head'; head.data.materials.clear()\n"
            "for block in (head, head.data):\n"
            "    for key in list(block.keys()):\n"
            "        del block[key]\n"
            "bpy.context.collection.objects.link(head); head.location.x += 0.3; obj.select_set(False)\n"
            "bpy.context.view_layer.objects.active = head; head.select_set(True)"
        )
        x, y = self.blender.find("hffne.release_engine")
        self.screen.click(x, y + BELOW_RELEASE)
        time.sleep(1)
        self.picture("19_character")
        x, y = self.blender.find("hffne.apply_to_mesh")
        self.screen.click(x, y)
        self.picture("20_apply_dialog")
        # To the dialog's heading: over one of its fields the key would be the field's.
        self.screen.move(x - 100, y - ABOVE_FIELD)
        time.sleep(0.5)
        self.screen.key("Return")
        self.blender.until("part('engine.session').running()", 20)
        self.tell("stages of applying", self.stages("21_applying"))
        self.expect(
            "maps of the head", self.blender.ask("answer = sorted(part('scene.export').maps_of(head))") == ["normal"]
        )
        self.picture("22_applied", 3)

    def step_16_merge(self):
        """Two photos of one person, chosen in Blender's file browser."""
        folder = self.copies("person", ("left", "right"))
        self.scroll(down=False)
        x, y = self.blender.find("hffne.release_engine")
        self.screen.click(x, y + BELOW_RELEASE)  # closes the panel of the last step
        time.sleep(1)
        self.screen.click(x, y + BELOW_RELEASE + PANEL)
        time.sleep(1)
        self.scroll(down=True)
        self.blender.press("hffne.merge_photos")
        self.blender.until("browser()", 20)
        self.blender.ask(f"browser()['area'].spaces.active.params.directory = {os.fsencode(folder)!r}")
        time.sleep(3)
        self.blender.ask("with bpy.context.temp_override(**browser()):\n    bpy.ops.file.select_all(action='SELECT')")
        self.picture("23_merge_browser", 2)
        # What the browser's own button does.
        self.blender.ask("bpy.app.timers.register(accept, first_interval=0)")
        self.blender.until("part('engine.session').running()", 20)
        self.tell("stages of merging", self.stages("24_merging"))
        made = self.blender.ask("answer = bpy.context.view_layer.objects.active.name")
        self.expect("merged", made not in ("Head", "astronaut"), made)
        self.picture("25_merged", 3)

    def step_17_queue(self):
        """A folder of photos, given up by Esc after the first, and gone on with."""
        folder = self.copies("queue", ("a", "b", "c"))
        run = "with bpy.context.temp_override(**place()):\n    bpy.ops.hffne.batch_run('INVOKE_DEFAULT'{})"
        states = "[item.state for item in bpy.context.scene.hffne_batch.items]"
        before = self.blender.ask("answer = len(bpy.data.objects)")
        self.blender.ask(run.format(f", directory={str(folder)!r}"))
        self.blender.until(f"{states} == ['DONE', 'RUNNING', 'WAITING']", 120)
        self.picture("26_queue", 0)
        self.screen.key("Escape")
        self.blender.until("not part('engine.session').running()", 30)
        time.sleep(1)
        told = self.blender.ask(f"answer = {states}")
        self.expect("the queue given up by Esc", told == ["DONE", "WAITING", "WAITING"], told)
        self.blender.ask(run.format(""))
        self.blender.until(f"{states} == ['DONE'] * 3", 120)
        made = self.blender.ask(f"answer = len(bpy.data.objects) - {before}")
        self.expect("the queue's faces", made == 3, made)
        self.picture("27_queue_done")

    def step_99_quit(self):
        self.blender.ask("chosen.source = 'FILE'")
        self.blender.until("part('engine.session').alive()", 30)
        engine = self.blender.ask("answer = part('engine.session').state.client.pid")
        self.blender.ask("bpy.app.timers.register(lambda: bpy.ops.wm.quit_blender() and None, first_interval=0.5)")
        self.expect("ended", self.blender.process.wait(60) == 0)
        time.sleep(3)
        self.expect("the engine ended with Blender", not alive(engine))

    def run(self):
        self.photos = photos(self.out, self.photo)
        try:
            self.steps()
        finally:
            (self.out / "report.json").write_text(json.dumps(self.report, indent=1, default=str), encoding="utf-8")
            if self.blender.process.poll() is None:
                self.blender.process.kill()
            self.screen.close()
        print(f"{len(self.wrong)} wrong: {self.wrong}" if self.wrong else "All as it should be.")
        return 1 if self.wrong else 0


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def photos(out, photo):
    """{one, two, none}: the photo, one with the face twice, and one without a face."""
    from PIL import Image, ImageOps

    if photo:
        one = Image.open(photo).convert("RGB")
    else:
        from skimage import data

        one = Image.fromarray(data.astronaut())
    two = Image.new("RGB", (one.width * 2, one.height), "gray")
    two.paste(one, (0, 0))
    two.paste(
        ImageOps.mirror(one).resize((one.width * 3 // 4, one.height * 3 // 4)),
        (one.width + one.width // 8, one.height // 8),
    )
    made = {
        "one": (one, "astronaut"),
        "two": (two, "two astronauts"),
        "none": (Image.new("RGB", (512, 512), "gray"), "nobody"),
    }
    paths = {}
    for key, (picture, name) in made.items():
        paths[key] = out / f"{name}.png"
        picture.save(paths[key])
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blender", default="blender", help="the Blender program (4.2 or later)")
    parser.add_argument("--engine", required=True, help="the Python, or the environment's folder, with the engine")
    parser.add_argument("--out", default="out/window", help="the folder for screenshots and the report")
    parser.add_argument("--photo", help="a photo with one face, instead of scikit-image's astronaut")
    parser.add_argument("--zip", help="the extension's zip; built when it is not given")
    parser.add_argument("--patience", type=float, default=60, help="seconds until the shaders are compiled")
    parser.add_argument("--display", help="an X display that is there, such as :0; otherwise Xvfb is started")
    options = parser.parse_args()
    if options.zip is None:
        sys.path.insert(0, str(ROOT))
        from hffne_blender import build

        options.zip = build.build(Path(options.out).resolve())
    return Test(options).run()


if __name__ == "__main__":
    sys.exit(main())
