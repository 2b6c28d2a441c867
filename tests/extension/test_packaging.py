# SPDX-License-Identifier: GPL-3.0-or-later
"""What the project's wheel contains."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from paths import ROOT

sys.path.insert(0, str(ROOT / "server"))

import bootstrap


@pytest.fixture(scope="module")
def wheel_file(tmp_path_factory):
    """The project's wheel, built from its sdist, which is built from a copy so that the sources stay as they are."""
    folder = tmp_path_factory.mktemp("wheel")
    ignore = shutil.ignore_patterns(".*", "__pycache__", "out", "build", "dist", "*.egg-info", "tests", "shared")
    shutil.copytree(ROOT, folder / "sources", ignore=ignore)
    program = "from setuptools import build_meta; build_meta.build_sdist('..')"
    run(sys.executable, "-c", program, cwd=folder / "sources")
    (sdist,) = folder.glob("*.tar.gz")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, sdist)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel(wheel_file):
    return zipfile.ZipFile(wheel_file)


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, encoding="utf-8", **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.once
def test_the_wheel_alone_estimates_normals_and_carries_the_head(wheel_file, astronaut_file, tmp_path):
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env")
    python = bootstrap.python_in(tmp_path / "env")
    place = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", place, wheel_file)
    # The dependencies are those of this environment, without this project.
    packages = [path for path in sys.path if path.endswith("site-packages")]
    (Path(place) / "dependencies.pth").write_text("\n".join(packages), "utf-8")
    out = tmp_path / "out"
    run(python, "-m", "hffne", "normals", astronaut_file, "-o", out, "--size", "256", "--device", "cpu", cwd=tmp_path)
    assert (out / "astronaut.npz").stat().st_size > 100_000
    program = (
        "import hffne; from hffne.head.model import head_model; "
        "print(hffne.__version__, len(head_model().neutral) > 20000); print(hffne.__file__)"
    )
    said = run(python, "-c", program, cwd=tmp_path).split("\n")
    assert said[0] == f"{hffne_version()} True" and Path(said[1]).is_relative_to(place)


def hffne_version():
    text = (ROOT / "addon_manifest.toml").read_text(encoding="utf-8")
    return re.search(r'^version = "(.+)"$', text, re.M).group(1)


def test_the_wheel_carries_all_modules_and_data(wheel):
    names = set(wheel.namelist())
    for package, folder in (("hffne", ROOT / "server"), ("hffne_blender", ROOT)):
        for path in (folder / package).rglob("*"):
            if path.is_file() and path.suffix in (".py", ".typed", ".npz", ".safetensors", ".json", ".md"):
                assert path.relative_to(folder).as_posix() in names
    assert "hffne/geometry/uv_template.npz" in names
    assert not [name for name in names if name.split("/")[0] in ("tests", "server", "bootstrap.py")]


def test_the_wheel_has_the_manifests_version_and_the_command(wheel):
    version = hffne_version()
    info = f"hffne-{version}.dist-info"
    assert f"\nVersion: {version}\n" in wheel.read(f"{info}/METADATA").decode()
    assert "hffne = hffne.__main__:main" in wheel.read(f"{info}/entry_points.txt").decode()
