# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is full, a place that is taken, a run that is killed: nothing half-written stays, temporary files go."""

import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from blender_process import BLENDER, environment, needs_blender, run_headless
from hffne.output import write_files
from hffne.scratch import Scratch
from paths import ROOT

posix = pytest.mark.skipif(sys.platform == "win32", reason="limits, signals and modes of POSIX")
SMALL = ("--engine", sys.executable, "--texture-size", 256, "--grid", 32, "--maps", "none")
LIMITED = """
import resource, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from hffne_blender.headless import main
sys.exit(main())
"""


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "face.jpg"
    path.write_bytes(b"the fake engine does not look inside")
    return path


def headless(*arguments, path, code=None):
    command = [*BLENDER, *(["-c", code] if code else ["-m", "hffne_blender.headless"]), *map(str, arguments)]
    return subprocess.Popen(
        command,
        env=environment((*path, ROOT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


@pytest.mark.once
@posix
@needs_blender
@pytest.mark.parametrize(
    "size, limit, last",
    [
        (256, 100_000, "The face is built"),
        (256, 310_000, "Saving the .blend"),
        (128, 420_000, "Rendering the preview"),
    ],
)
def test_a_full_disk_while_building(fake_engine, photo, tmp_path, size, limit, last):
    """The system refuses to write more, as a full disk does: in a texture of 250 kB, in the .blend, in the preview."""
    output = tmp_path / "out"
    output.mkdir()
    (output / "face.blend").write_bytes(b"yesterday's")
    options = (*SMALL, "--texture-size", size, "--samples", 1)
    done = headless(limit, photo, "--output", output, *options, path=[fake_engine], code=LIMITED)
    said, errors = done.communicate(timeout=300)
    assert done.returncode == 4 and "Traceback" not in errors, errors
    assert said.splitlines()[-1].endswith(last)
    assert "cannot be written to" in errors and "Hint:" in errors and str(output) in errors
    assert os.listdir(output) == ["face.blend"] and (output / "face.blend").read_bytes() == b"yesterday's"


@pytest.mark.once
@needs_blender
def test_a_place_that_is_taken(fake_engine, photo, tmp_path):
    """The last file cannot get its name: those before it are taken back."""
    output = tmp_path / "out"
    (output / "face_texture_normal.png").mkdir(parents=True)
    (output / "face_texture_color.png").write_bytes(b"yesterday's")
    done = run_headless(photo, "--output", output, *SMALL, "--samples", 0, path=[fake_engine])
    assert done.returncode == 4 and "'face_texture_normal.png' is a folder" in done.stderr, done.stderr
    assert sorted(os.listdir(output)) == ["face_texture_color.png", "face_texture_normal.png"]
    assert (output / "face_texture_color.png").read_bytes() == b"yesterday's"


@pytest.mark.once
@posix
@needs_blender
def test_two_at_once_and_what_a_killed_one_leaves(fake_engine, photo, tmp_path):
    """Three Blenders write into one folder; one is killed. The next run removes its leftovers and nothing else."""
    output = tmp_path / "out"
    slow = tmp_path / "slow.jpg"
    slow.touch()
    killed, working = (headless(slow, "--output", output, *SMALL, "--samples", 0, path=[fake_engine]) for _ in range(2))
    try:
        for process in (killed, working):
            assert "Starting" in process.stdout.readline()
        folders = list(output.glob(".hffne-*.partial"))
        assert len(folders) == 2 and {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
        killed.kill()
        killed.communicate(timeout=60)
        assert len(list(output.glob(".hffne-*.partial"))) == 2
        done = run_headless(photo, "--output", output, *SMALL, "--samples", 0, path=[fake_engine])
        assert done.returncode == 0, done.stderr
        assert len(list(output.glob(".hffne-*.partial"))) == 1, "the one that still works"
        assert working.communicate(timeout=120) and working.returncode == 0
    finally:
        killed.kill()
        working.kill()
    made = [
        f"{stem}{end}" for stem in ("face", "slow") for end in (".blend", "_texture_color.png", "_texture_normal.png")
    ]
    assert sorted(os.listdir(output)) == sorted(made)


@posix
def test_the_engine_s_files_are_private_until_they_are_whole_and_leftovers_go(tmp_path):
    code = (
        "import os, pathlib, sys\nfrom hffne.output import write_files\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "write_files({path: lambda file: (file.write(b'half'), file.flush(), os.kill(os.getpid(), 9))})\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.npz")], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert (left / "a.npz").read_bytes() == b"half" and stat.S_IMODE(left.stat().st_mode) == 0o700
    (tmp_path / ".hffne-notes").write_text("the user's own")
    (tmp_path / ".hffne-link.partial").symlink_to(tmp_path / ".hffne-notes")
    with Scratch(tmp_path) as working:
        write_files({tmp_path / "b.npz": lambda file: file.write(b"whole")})
        assert working.exists()
    names = {path.name for path in tmp_path.iterdir()}
    assert {"b.npz", ".hffne-notes"} <= names and left.name not in names and working.name not in names
    assert (tmp_path / "b.npz").read_bytes() == b"whole" and (tmp_path / ".hffne-notes").read_text() == "the user's own"


def test_where_the_system_has_no_locks_a_day_decides(tmp_path, monkeypatch):
    monkeypatch.setattr("hffne.scratch.fcntl", None)
    old, young = (tmp_path / f".hffne-{name}.partial" for name in ("old", "young"))
    for path, age in ((old, 2 * 24 * 3600), (young, 3600)):
        path.mkdir()
        (path / "face.png").touch()
        os.utime(path, (time.time() - age,) * 2)
    with Scratch(tmp_path, folder=True) as working:
        assert working.is_dir() and young.is_dir() and not old.exists()
    assert not working.exists()
