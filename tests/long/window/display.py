# SPDX-License-Identifier: GPL-3.0-or-later
"""The X display that Blender is shown on, with a mouse and a keyboard."""

import os
import random
import subprocess
import time

SIZE = (1280, 800)


class Failed(Exception):
    """A step did not go as it should."""


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
