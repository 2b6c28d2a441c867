# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne wheels`: what is asked of pip, without a network."""

import hashlib
import re
import subprocess
import sys

import pytest

from hffne import wheels
from hffne.cli.main import main
from hffne.errors import PlatformError, WheelsError

pytestmark = pytest.mark.once


def test_all_packages_are_named_once_in_the_versions_of_this_python():
    here = "{}.{}".format(*sys.version_info)
    names = {line.split("==")[0]: line for line in wheels.requirements(here)}
    assert {"numpy", "torch", "opencv-python-headless", "pillow", "safetensors", "sympy"} <= set(names)
    assert len(names) == len(wheels.requirements(here))
    assert all("==" in line and "+" not in line for line in names.values())
    assert not [name for name in names if name.startswith(("nvidia", "triton", "bpy", "pytest"))]
    other = next(python for python in wheels.PYTHONS if python != here)
    assert {re.match(r"[\w.-]+", line)[0] for line in wheels.requirements(other)} == set(names)
    assert any(line.startswith("torch==") for line in wheels.requirements(other))


def test_pips_options_are_those_of_the_other_machine():
    options = wheels.pip_options("macosx_arm64", "3.13")
    assert "macosx_11_0_arm64" in options and "cp313" in options and "3.13" in options
    assert not [option for option in options if "x86" in option or "win" in option]
    with pytest.raises(PlatformError, match="no platform 'amiga'"):
        wheels.pip_options("amiga", "3.11")
    assert main(["wheels", "--platform", "win_amd64", "--python", "2.7", "-o", "nowhere"]) == 2


def test_what_pip_downloads_gets_its_hashes_and_what_it_cannot_is_said(tmp_path, monkeypatch):
    said = []

    def pip(command, **_):
        said.append(command)
        (tmp_path / "out" / "numpy-1.0-cp311-cp311-win_amd64.whl").write_bytes(b"wheel")
        return subprocess.CompletedProcess(command, len(said) - 1, "", "Looking\nERROR: No matching distribution\n")

    monkeypatch.setattr(wheels.subprocess, "run", pip)
    made = wheels.collect(tmp_path / "out", "win_amd64", "3.11")
    assert [path.name for path in made] == ["numpy-1.0-cp311-cp311-win_amd64.whl"]
    sums = (tmp_path / "out" / "SHA256SUMS").read_text()
    assert sums == f"{hashlib.sha256(b'wheel').hexdigest()}  {made[0].name}\n"
    assert {"--no-deps", "--only-binary=:all:", "--extra-index-url"} <= set(said[0])
    with pytest.raises(WheelsError, match="not all there: ERROR: No matching"):
        wheels.collect(tmp_path / "out", "win_amd64", "3.11")
