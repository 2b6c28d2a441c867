# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's installation with the locked versions, or with others where there is no lock that fits."""

import hashlib
import sys
import zipfile

import pytest

from hffne_blender import build
from hffne_blender.engine import installed, lock, torch_builds
from package_indexes import PACKAGES, make_wheel, run_install
from paths import ROOT

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def hashed(folder):
    """A line for pip: the package in a folder of the index, with its version and hash."""
    (wheel,) = folder.glob("*.whl")
    name, version = wheel.name.split("-")[:2]
    return f"{name.replace('_', '-')}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def locked(indexes, tmp_path, monkeypatch):
    """The lock of what the usual index has, beside the wheel; then the index gets a newer safetensors."""
    monkeypatch.setattr(torch_builds, "OWN_BUILDS", {})
    usual = indexes / "usual"
    path = tmp_path / lock.name_for(PYTHON)
    path.write_text("".join(hashed(usual / name) for name, *_ in PACKAGES if name != "torch"))
    make_wheel(usual / "safetensors", "safetensors", "0.9.9", "safetensors")
    return path


def installed_version(tmp_path, name="safetensors"):
    (folder,) = (tmp_path / "engine" / "env").rglob(f"{name}-*.dist-info")
    return folder.name.split("-")[1].removesuffix(".dist")


def test_the_locked_versions_are_installed(locked, tmp_path):
    work = run_install(tmp_path)
    assert work.state == "done", work.log()
    assert installed_version(tmp_path).startswith("0.5.0")


def test_without_a_lock_for_this_python_the_newest_are(locked, tmp_path):
    locked.rename(tmp_path / lock.name_for("3.99"))
    work = run_install(tmp_path)
    assert work.state == "done", work.log()
    assert installed_version(tmp_path).startswith("0.9.9")


def test_where_a_locked_version_is_missing_others_are_taken(locked, indexes, tmp_path):
    (old,) = (indexes / "usual" / "safetensors").glob("safetensors-0.5.0-*")
    old.unlink()
    work = run_install(tmp_path)
    assert work.state == "done", work.log()
    assert installed_version(tmp_path).startswith("0.9.9")


def test_another_file_of_a_locked_version_is_refused(locked, indexes, tmp_path):
    make_wheel(indexes / "usual" / "safetensors", "safetensors", "0.5.0", "safetensors", b"changed")
    work = run_install(tmp_path)
    assert work.state == "failed" and "HASHES" in work.log(), work.log()
    assert installed.installed_python(tmp_path / "engine") == ""


def test_the_extension_brings_the_locks(tmp_path):
    with zipfile.ZipFile(build.build(tmp_path)) as archive:
        names = [name for name in archive.namelist() if name.startswith(build.WHEEL_FOLDER)]
        for python, file in build.LOCKS.items():
            name = f"{build.WHEEL_FOLDER}/{lock.name_for(python)}"
            assert name in names and archive.read(name) == (ROOT / "requirements" / file).read_bytes()
