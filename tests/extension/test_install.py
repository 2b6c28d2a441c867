# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's installation: from the real zip, with small stand-ins for the packages that it would download."""

import ensurepip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from blender_process import needs_blender, run_case
from hffne_blender import build
from hffne_blender.engine import install, install_pip, install_work, installed, torch_builds
from package_indexes import Index, make_wheel, make_wheels, run_install


def site_packages(tmp_path):
    return sorted(path.name for path in (tmp_path / "engine" / "env").rglob("torch-*.dist-info"))


@pytest.mark.parametrize("name", sorted(torch_builds.OWN_BUILDS.values()))
def test_the_build_of_torch_is_the_machine_s_or_none(name, indexes, tmp_path, monkeypatch):
    monkeypatch.setattr(torch_builds, "OWN_BUILDS", {(sys.platform, "cpu"): name})
    folder = indexes / "own" / name / "torch"
    folder.mkdir(parents=True)
    # The index answers and has this build, of another version only.
    make_wheel(folder, "torch", f"2.12.0+{name}", "torch")
    work = run_install(tmp_path, name)
    assert work.state == "failed" and f"There is no torch==2.13.0+{name}" in work.error["message"], work.log()
    assert site_packages(tmp_path) == [] and installed.installed_python(tmp_path / "engine") == ""
    if name == "cpu":
        make_wheel(folder, "torch", f"2.13.0+{name}", "torch")
        work = run_install(tmp_path, name)
        assert work.state == "done", work.log()
        assert site_packages(tmp_path) == [f"torch-2.13.0+{name}.dist-info"]


def test_without_pytorch_s_index_no_other_build_is_taken(indexes, tmp_path, monkeypatch):
    monkeypatch.setattr(torch_builds, "OWN_BUILDS", {(sys.platform, "cpu"): "cpu"})
    # The usual index answers, and has a torch; PyTorch's own does not.
    work = run_install(tmp_path, "cpu")
    assert work.state == "failed" and "PyTorch's own package index" in work.error["message"], work.log()
    assert "torch==2.13.0+cpu" in work.log()
    assert site_packages(tmp_path) == [] and installed.installed_python(tmp_path / "engine") == ""


@pytest.fixture
def large_torch(indexes, monkeypatch):
    """The own index has this torch, of a megabyte."""
    monkeypatch.setattr(torch_builds, "OWN_BUILDS", {(sys.platform, "cpu"): "cpu"})
    folder = indexes / "own" / "cpu" / "torch"
    folder.mkdir(parents=True)
    make_wheel(folder, "torch", "2.13.0+cpu", "torch", os.urandom(1_000_000))
    return indexes


def test_a_broken_download_is_told_and_the_next_try_is_whole(large_torch, tmp_path):
    Index.breaks = 1
    work = run_install(tmp_path, "cpu")
    # The installer that came with this Python is too old to go on by itself: the index has no newer one.
    assert work.state == "failed" and "hint" in work.error, work.log()
    assert installed.installed_python(tmp_path / "engine") == "" and site_packages(tmp_path) == []
    work = run_install(tmp_path, "cpu")
    assert work.state == "done", work.log()
    assert site_packages(tmp_path) == ["torch-2.13.0+cpu.dist-info"]


def test_a_download_goes_on_where_it_broke_off(large_torch, tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "-d",
            str(large_torch / "usual" / "pip"),
            "pip>=25.2",
        ],
        env={k: v for k, v in os.environ.items() if not k.startswith("PIP_")},
        capture_output=True,
    )
    if done.returncode:
        pytest.skip("no package index to have a new installer from")
    Index.breaks = 2
    work = run_install(tmp_path, "cpu")
    assert work.state == "done", work.log()
    assert [one for one in Index.asked if one] == ["bytes=300000-", "bytes=600000-"]


def test_an_installer_that_is_killed_leaves_what_can_be_taken_up(large_torch, tmp_path, monkeypatch):
    said = install_work.Work._write_log

    def killed(self, line):
        said(self, line)
        if line.startswith("Collecting torch"):
            self._tree.end()

    monkeypatch.setattr(install_work.Work, "_write_log", killed)
    work = run_install(tmp_path, "cpu")
    assert work.state == "failed" and installed.installed_python(tmp_path / "engine") == ""
    monkeypatch.setattr(install_work.Work, "_write_log", said)
    assert run_install(tmp_path, "cpu").state == "done"


def environment_of(blenders, version, of, home):
    """A stand-in for a whole environment beside Blender `version`: its stamp, its Python, and where that came from."""
    folder = blenders / version / "extensions" / "hffne_blender" / "engine" / "env"
    python = installed.python_in(folder)
    python.parent.mkdir(parents=True)
    python.touch()
    (folder / "pyvenv.cfg").write_text(f"home = {home}\n")
    (folder / installed.STAMP).write_text(json.dumps({"version": of}))
    return str(python)


def test_the_engine_of_another_blender_is_found(tmp_path):
    older = environment_of(tmp_path, "4.9", "1.0", tmp_path)
    newer = environment_of(tmp_path, "4.10", "1.0", tmp_path)
    environment_of(tmp_path, "5.0", "0.9", tmp_path)  # another version of the engine
    environment_of(tmp_path, "5.1", "1.0", tmp_path / "gone")  # its Blender was removed
    environment_of(tmp_path, "config", "1.0", tmp_path)
    base = tmp_path / "5.2" / "extensions" / "hffne_blender" / "engine"
    assert installed.of_other_blenders(base, "1.0") == [("4.10", newer), ("4.9", older)]
    assert installed.of_other_blenders(tmp_path / "portable" / "engine", "1.0") == []


@pytest.mark.once
@needs_blender
def test_after_an_upgrade_blender_goes_on_with_the_engine_that_is_there(tmp_path, monkeypatch):
    archive = build.build(tmp_path / "zip")
    file, data = build.engine_wheel()
    (tmp_path / file).write_bytes(data)
    base = tmp_path / "4.1" / "extensions" / ".user" / "user_default" / "hffne_blender" / "engine"
    work = install.Install(base, tmp_path / file, wheels=str(make_wheels(tmp_path / "wheels"))).start()
    work.wait(180)
    assert work.state == "done", work.log()
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "5.9"))
    found = run_case("upgraded", archive, script="extension_cases.py")
    assert found["python"] == installed.installed_python(base)
    assert any("engine of Blender 4.1 is used" in line for line in found["drawn"])
    assert not any("not installed yet" in line for line in found["drawn"])
    assert any(line.startswith("operator hffne.install_engine") for line in found["drawn"])


@pytest.mark.once
@needs_blender
def test_what_an_interrupted_installation_left_can_be_resumed_or_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    monkeypatch.delenv("HFFNE_ENGINE_PYTHON", raising=False)
    found = run_case("half_install", build.build(tmp_path / "zip"), script="extension_cases.py")

    def offered(name, words):
        return any(words in line for line in found[name])

    assert offered("new", "Install Engine") and not offered("new", "remove_engine") and offered("new", "prop build")
    for name in ("half", "half beside another"):
        assert offered(name, "interrupted: 0.3 GB") and offered(name, "Resume") and offered(name, "remove_engine"), (
            found[name]
        )
    assert offered("cpu", "up to 3 GB during installation (CPU)")
    assert found["build"] == "rocm" and "AMD ROCm" in found["room"] and "another PyTorch Build" in found["room"]
    assert "There is no PyTorch for AMD ROCm" in found["absent"]
    assert found["removed"] == ["FINISHED"] and found["left"] == []
    assert not offered("after", "interrupted")


def test_another_build_takes_the_place_of_the_one_that_is_there(indexes, tmp_path, monkeypatch):
    """The installer itself takes them for one another: they have the same version."""
    monkeypatch.setattr(torch_builds, "OWN_BUILDS", {(sys.platform, "cpu"): "cpu"})
    own = indexes / "own" / "cpu" / "torch"
    own.mkdir(parents=True)
    make_wheel(own, "torch", "2.13.0+cpu", "torch")
    file, data = build.engine_wheel()
    (tmp_path / file).write_bytes(data)
    for name, torch in (("cpu", "torch-2.13.0+cpu.dist-info"), ("cuda", "torch-2.13.0.dist-info")):
        work = install.Install(tmp_path / "engine", tmp_path / file, build=name).start()
        work.wait(180)
        assert work.state == "done", work.log()
        assert site_packages(tmp_path) == [torch]
        assert installed.state(tmp_path / "engine")["build"] == name and not installed.is_half(tmp_path / "engine")


@pytest.mark.once
@needs_blender
def test_the_engine_is_installed_checked_repaired_and_removed(tmp_path, monkeypatch):
    archive = build.build(tmp_path / "zip")
    # Spaces, letters beyond ASCII, and together with the rest more than 200 characters.
    user = tmp_path / ("Jürgen Ångström 顔 " + "x" * 100)
    wheels = make_wheels(tmp_path / "wheels ü")
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(user))
    found = run_case(archive, wheels, sys.executable, script="install_cases.py", timeout=600)
    assert "online access" in found["offline"]
    assert "There is no folder" in found["no folder"]
    assert "There is no torch==2.13.0" in found["lacking"] and found["not whole"] == ""
    assert "folder cannot be written" in found["no place"]
    assert found["installed"] == ["FINISHED"], found
    assert found["python"] and found["state"]["version"] == build.manifest_value("version")
    # The stand-ins are found out, in words.
    assert "FAIL" in found["check"] and "weights" in found["check"]
    assert "repair" in found["upgraded"]
    assert found["repaired"] == ["FINISHED"] and found["works"]
    assert found["removed"] == ["FINISHED"] and found["left"] == ["check.log", "install.log"]
    assert found["blender untouched"]


@pytest.mark.parametrize("name", ["../../../../../evil.txt", "/{tmp}/evil.txt"])
def test_a_package_whose_paths_escape_writes_nothing_outside(name, tmp_path):
    wheels = make_wheels(tmp_path / "wheels")
    with zipfile.ZipFile(wheels / "torch-2.13.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr(name.format(tmp=tmp_path), "not here")
    file, data = build.engine_wheel()
    (tmp_path / file).write_bytes(data)
    base = tmp_path / "a" / "b" / "c" / "engine"
    work = install.Install(base, tmp_path / file, wheels=str(wheels)).start()
    work.wait(120)
    assert work.state == "failed" and work.error["code"] == "install_failed", work.log()
    assert installed.installed_python(base) == ""
    assert not list(tmp_path.rglob("evil.txt"))


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Debian's Python is a shell script")
@pytest.mark.parametrize("how", ["downloaded", "of the folder", "damaged", "none in the folder"])
def test_a_python_without_ensurepip_gets_its_installer_from_a_wheel(how, indexes, tmp_path, monkeypatch):
    maker = tmp_path / "python"
    maker.write_text(
        '#!/bin/sh\ncase "$*" in *without-pip*) ;;\n'
        '*) echo "was not created successfully because ensurepip is not"; echo available.; exit 1;;'
        f'\nesac\nexec {sys.executable} "$@"\n'
    )
    maker.chmod(0o755)
    (own,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    monkeypatch.setattr(install_pip, "URL", own.as_uri())
    digest = hashlib.sha256(own.read_bytes()).hexdigest() if how == "downloaded" else "0" * 64
    monkeypatch.setattr(install_pip, "SHA256", digest)
    monkeypatch.setattr(torch_builds, "OWN_BUILDS", {})
    wheels = make_wheels(tmp_path / "wheels") if "folder" in how else ""
    if how == "of the folder":
        (wheels / "pip-9.9-py3-none-any.whl").write_bytes(b"an older one")
        shutil.copy(own, wheels)
    file, data = build.engine_wheel()
    (tmp_path / file).write_bytes(data)
    work = install.Install(tmp_path / "engine", tmp_path / file, str(wheels), maker=str(maker), build="cpu").start()
    work.wait(180)
    if how in ("downloaded", "of the folder"):
        assert work.state == "done", work.log()
        assert site_packages(tmp_path)
    else:
        assert work.state == "failed" and "cannot make environments" in work.error["message"], work.log()
        assert ("not the one that was expected" in work.log()) == (how == "damaged")


def test_a_python_without_the_engine_is_named(tmp_path):
    work = install.Check(tmp_path, str(tmp_path / "nowhere")).start()
    work.wait(60)
    assert work.state == "failed" and "There is no Python" in work.error["message"]


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for a slow download is a shell script")
def test_cancel_ends_the_child_and_keeps_what_is_there(tmp_path):
    python = installed.python_in(installed.environment_folder(tmp_path))
    python.parent.mkdir(parents=True)
    # It works when asked for its version and hangs while it downloads.
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *--version*) exit 0;; *pip*) echo $$ > "{tmp_path}/pid"\n'
        'echo "Progress 50 of 100"; sleep 60;; esac\n'
    )
    python.chmod(0o755)
    work = install.Install(tmp_path, tmp_path / "hffne-1.0-py3-none-any.whl", wheels=str(tmp_path)).start()
    deadline = time.monotonic() + 30
    while ": 0 of 0 MB" not in work.message and time.monotonic() < deadline:
        time.sleep(0.05)
    assert 0.1 < work.progress < 0.7
    work.cancel()
    work.wait(10)
    assert work.state == "cancelled" and python.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert installed.installed_python(tmp_path) == ""


@pytest.mark.parametrize(
    "said, words",
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "cannot be reached"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "damaged"),
        # As Debian's Python breaks the line.
        ("The virtual environment was not created successfully because ensurepip is not\navailable.", "cannot make"),
        ("/usr/bin/python3: No module named venv", "cannot make"),
        ("ModuleNotFoundError: No module named 'ensurepip'", "cannot make"),
        ("Error: Command '['python', '-m', 'ensurepip']' returned non-zero exit status 1.", "cannot make"),
        ("ERROR: ResolutionImpossible: for help visit https://pip.pypa.io", "own settings of pip"),
        ("ERROR: something new", "something new"),
    ],
)
def test_failures_are_told_in_words(tmp_path, said, words):
    class Saying(install_work.Work):
        def steps(self):
            self.call("Trying", [sys.executable, "-c", f"print({said!r}); raise SystemExit(1)"], None, 0, 1)

    work = Saying(tmp_path / "log").start()
    work.wait(60)
    assert work.state == "failed" and words in work.error["message"] and work.error["hint"]
    assert said in work.log()
