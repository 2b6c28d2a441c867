# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine and the extension take no more than they need: no socket, no network, no photo in the log."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tomllib
from PIL import Image

from blender_process import environment
from engine_client import Process

ROOT = Path(__file__).resolve().parents[2]
# Permissions of extensions end without a full stop and fit Blender's line of 64 letters.
REASON = 64


def _no_network():
    """The start of a command that runs without any network, or None where this user may not make such a room."""
    command = [shutil.which("unshare") or "", "--user", "--map-root-user", "--net"]
    try:
        return command if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0 else None
    except OSError:
        return None


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are listed in /proc on Linux only")
def test_the_engine_has_no_socket_and_logs_no_photo(astronaut_file):
    process = Process("--device", "cpu")
    try:
        process.send(type="hello", id=0)
        process.answer(0)
        process.send(type="generate", id=1, photo=str(astronaut_file), texture_size=256, grid=32)
        message, _, _ = process.answer(1)
        assert message["type"] == "result", message
        links = [os.readlink(path) for path in Path(f"/proc/{process.process.pid}/fd").iterdir()]
        assert any(link.startswith("pipe:") for link in links)
        assert not [link for link in links if link.startswith("socket:")]
    finally:
        process.end()
    log = b"".join(process.log)
    # A few lines of words: neither pixels nor anything that could hold them.
    assert len(log) < 10_000 and max(map(len, log.splitlines()), default=0) < 1000
    assert log.decode("utf-8").isprintable() or all(line.isprintable() for line in log.decode("utf-8").splitlines())


@pytest.mark.skipif(_no_network() is None, reason="a process without a network needs Linux and user namespaces")
def test_normals_are_made_without_a_network(astronaut_file, tmp_path):
    probe = (
        "import socket\n"
        "try:\n    socket.create_connection(('127.0.0.1', 9), 1)\n"
        "except OSError as error:\n    print(error.errno)"
    )
    denied = subprocess.run([*_no_network(), sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert denied.stdout.strip() == "101"  # the network is unreachable, even to itself
    command = [
        *_no_network(),
        sys.executable,
        "-m",
        "hffne",
        "normals",
        astronaut_file,
        "-o",
        tmp_path,
        "--device",
        "cpu",
    ]
    done = subprocess.run(
        list(map(str, command)), env=environment(()), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / f"{astronaut_file.stem}.npz") as made, Image.open(astronaut_file) as photo:
        assert made["mask"].any() and made["normal"].shape[:2] == photo.size[::-1]


def test_the_manifest_asks_for_what_is_used_and_says_why():
    permissions = tomllib.loads((ROOT / "addon_manifest.toml").read_text("utf-8"))["permissions"]
    assert set(permissions) == {"files", "network", "clipboard"}
    for reason in permissions.values():
        assert 10 < len(reason) <= REASON and not reason.endswith(".")
    sources = {path: path.read_text("utf-8") for path in (ROOT / "hffne_blender").rglob("*.py")}
    # The clipboard is read for a photo and written with a log, when the button for it is pressed.
    users = {path.name for path, text in sources.items() if ".clipboard =" in text or "clipboard_paste()" in text}
    assert users == {"clipboard.py", "text_viewer.py"}
    # What may use the network asks first whether Blender allows it.
    users = [path.name for path, text in sources.items() if "install.Install(" in text]
    assert users == ["install_engine.py"]
    assert all("bpy.app.online_access" in text for path, text in sources.items() if path.name in users)
