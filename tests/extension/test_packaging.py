# SPDX-License-Identifier: GPL-3.0-or-later
"""What the project's wheel contains."""

import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from paths import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The project's wheel, built from a copy so that the sources stay as they are."""
    folder = tmp_path_factory.mktemp("wheel")
    ignore = shutil.ignore_patterns(".*", "__pycache__", "out", "build", "dist", "*.egg-info", "tests")
    shutil.copytree(ROOT, folder / "sources", ignore=ignore)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder,
        folder / "sources",
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_carries_all_modules_and_data(wheel):
    names = set(wheel.namelist())
    for package, folder in (("hffne", ROOT / "server"), ("hffne_blender", ROOT)):
        for path in (folder / package).rglob("*"):
            if path.is_file() and path.suffix in (".py", ".typed", ".npz", ".safetensors", ".json", ".md"):
                assert path.relative_to(folder).as_posix() in names
    assert "hffne/geometry/uv_template.npz" in names
    assert not [name for name in names if name.split("/")[0] in ("tests", "server", "bootstrap.py")]


def test_the_wheel_has_the_manifests_version_and_the_command(wheel):
    version = re.search(r'^version = "(.+)"$', (ROOT / "addon_manifest.toml").read_text(encoding="utf-8"), re.M).group(
        1
    )
    info = f"hffne-{version}.dist-info"
    assert f"\nVersion: {version}\n" in wheel.read(f"{info}/METADATA").decode()
    assert "hffne = hffne.__main__:main" in wheel.read(f"{info}/entry_points.txt").decode()
