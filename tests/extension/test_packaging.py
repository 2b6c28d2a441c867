# SPDX-License-Identifier: GPL-3.0-or-later
"""What an install carries, and the set-up of the environment."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "server"))

import bootstrap


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
            if path.is_file() and path.suffix in (".py", ".npz", ".safetensors", ".md"):
                assert path.relative_to(folder).as_posix() in names
    assert "hffne/geometry/uv_template.npz" in names
    assert not [name for name in names if name.split("/")[0] in ("tests", "server", "bootstrap.py")]


def test_the_wheel_has_the_manifests_version_and_the_command(wheel):
    version = re.search(r'^version = "(.+)"$', (ROOT / "addon_manifest.toml").read_text(encoding="utf-8"), re.M).group(
        1
    )
    info = f"hffne-{version}.dist-info"
    assert f"\nVersion: {version}\n" in wheel.read(f"{info}/METADATA").decode()
    assert "hffne = hffne.cli.main:main" in wheel.read(f"{info}/entry_points.txt").decode()


@pytest.fixture
def pip_calls(tmp_path, monkeypatch):
    """bootstrap on an environment in tmp_path that is already there; pip only takes notes."""
    calls = []
    monkeypatch.setenv("HFFNE_VENV", str(tmp_path / "env"))
    python = bootstrap.python_in(tmp_path / "env")
    python.parent.mkdir(parents=True)
    python.write_text("")
    monkeypatch.setattr(bootstrap, "_works", lambda path: path == python)
    monkeypatch.setattr(bootstrap, "pip", lambda _, *arguments: calls.append(arguments))
    monkeypatch.setattr(bootstrap, "_installed_torch", lambda _: "")
    monkeypatch.setattr(bootstrap, "_has_nvidia", lambda: False)
    monkeypatch.setattr(bootstrap, "_reachable", lambda url: False)
    return calls


def project(*extras):
    return ("install", "-e", f"{bootstrap.ROOT}[{','.join(extras)}]")


def test_what_is_installed_is_not_installed_again(pip_calls):
    bootstrap.ensure_environment(["test"])
    assert pip_calls == [("install", bootstrap.TORCH), project("test")]
    bootstrap.ensure_environment(["test"])
    assert len(pip_calls) == 2
    bootstrap.ensure_environment(["blender"])
    assert pip_calls[2:] == [("install", bootstrap.TORCH), project("blender", "test")]
    bootstrap.ensure_environment(["test"])
    assert len(pip_calls) == 4


def test_a_failed_or_outdated_install_is_done_again(pip_calls, tmp_path, monkeypatch):
    def fail(*_):
        raise bootstrap.SetupFailed("no connection")

    with monkeypatch.context() as broken:
        broken.setattr(bootstrap, "pip", fail)
        with pytest.raises(bootstrap.SetupFailed):
            bootstrap.ensure_environment(["test"])
    bootstrap.ensure_environment(["test"])
    assert project("test") in pip_calls
    stamp = tmp_path / "env" / bootstrap._STAMP
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "fingerprint": "older"}))
    del pip_calls[:]
    bootstrap.ensure_environment(["test"])
    assert project("test") in pip_calls


def test_torch_is_the_cpu_build_where_there_is_no_gpu(pip_calls, monkeypatch):
    extra = ("install", bootstrap.TORCH, "--extra-index-url", bootstrap.TORCH_CPU_INDEX)
    plain = ("install", bootstrap.TORCH)
    monkeypatch.setattr(bootstrap, "_default_is_cuda", lambda: True)
    monkeypatch.setattr(bootstrap, "_reachable", lambda url: True)
    bootstrap._install_torch("python")
    assert pip_calls == [extra]
    monkeypatch.setattr(bootstrap, "_has_nvidia", lambda: True)
    bootstrap._install_torch("python")
    assert pip_calls == [extra, plain]
    monkeypatch.setattr(bootstrap, "_installed_torch", lambda _: bootstrap.TORCH.split("==")[1] + "+cpu")
    bootstrap._install_torch("python")
    assert pip_calls == [extra, plain]


def test_torch_falls_back_to_the_default_build(monkeypatch):
    calls = []

    def pip(_, *arguments):
        calls.append(arguments)
        if "--extra-index-url" in arguments:
            raise bootstrap.SetupFailed("pip failed")

    monkeypatch.setattr(bootstrap, "pip", pip)
    monkeypatch.setattr(bootstrap, "_installed_torch", lambda _: "")
    monkeypatch.setattr(bootstrap, "_default_is_cuda", lambda: True)
    monkeypatch.setattr(bootstrap, "_has_nvidia", lambda: False)
    monkeypatch.setattr(bootstrap, "_reachable", lambda url: True)
    bootstrap._install_torch("python")
    assert calls[-1] == ("install", bootstrap.TORCH) and len(calls) == 2


def test_the_readme_starts_with_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    (python .*)$", text, re.MULTILINE)
    assert commands[:2] == ["python server/quickstart.py [PHOTO]", "python tests/run.py"]
    assert (ROOT / "server" / "quickstart.py").is_file() and (ROOT / "tests" / "run.py").is_file()
    assert "python" in (ROOT / ".ci" / "run").read_text() and "tests/run.py" in (ROOT / ".ci" / "run").read_text()
