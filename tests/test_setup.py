# SPDX-License-Identifier: GPL-3.0-or-later
"""The set-up of the project's environment, and the locked versions that it installs."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from paths import ROOT

sys.path.insert(0, str(ROOT / "server"))

import bootstrap
from hffne_blender import build
from hffne_blender.engine import torch_builds

# What differs between the builds of PyTorch.
UNLOCKED = ("torch", "triton", "nvidia-", "cuda-")


@pytest.fixture
def pip_calls(tmp_path, monkeypatch):
    """bootstrap on an environment in tmp_path that is already there; pip only records its arguments."""
    calls = []
    monkeypatch.setenv("HFFNE_VENV", str(tmp_path / "env"))
    python = bootstrap.python_in(tmp_path / "env")
    python.parent.mkdir(parents=True)
    python.write_text("")
    monkeypatch.delenv("HFFNE_UNLOCKED", raising=False)
    monkeypatch.setattr(bootstrap, "_works", lambda path: path == python)
    monkeypatch.setattr(bootstrap, "_version_of", lambda path: bootstrap.PYTHON)
    monkeypatch.setattr(bootstrap, "pip", lambda _, *arguments: calls.append(arguments))
    monkeypatch.setattr(bootstrap, "_installed_torch", lambda _: "")
    monkeypatch.setattr(bootstrap, "_has_nvidia", lambda: False)
    monkeypatch.setattr(bootstrap, "_reachable", lambda url: False)
    return calls


TORCH = ("install", bootstrap.TORCH)
EDITABLE = ("install", "--no-deps", "-e", str(bootstrap.ROOT))


def locked(*extras):
    """pip's arguments for what is locked."""
    files = [str(bootstrap.lock_of(extra)) for extra in extras]
    return ("install", "--require-hashes", "--no-deps", *(part for file in files for part in ("-r", file)))


def test_what_is_installed_is_not_installed_again(pip_calls):
    bootstrap.ensure_environment(["test"])
    assert pip_calls == [TORCH, locked("test"), EDITABLE]
    bootstrap.ensure_environment(["test"])
    assert len(pip_calls) == 3
    bootstrap.ensure_environment(["blender"])
    assert pip_calls[3:] == [TORCH, locked("blender", "test"), EDITABLE]
    bootstrap.ensure_environment(["test"])
    assert len(pip_calls) == 6


def test_another_python_or_a_wish_for_newer_versions_goes_without_the_locks(pip_calls, monkeypatch):
    free = ("install", "-e", f"{bootstrap.ROOT}[test]")
    with monkeypatch.context() as other:
        other.setattr(bootstrap, "_version_of", lambda path: (3, 13))
        bootstrap.ensure_environment(["test"])
    assert pip_calls == [TORCH, free]
    del pip_calls[:]
    monkeypatch.setenv("HFFNE_UNLOCKED", "1")
    bootstrap.ensure_environment(["test"])
    assert pip_calls == [TORCH, free]
    monkeypatch.delenv("HFFNE_UNLOCKED")
    del pip_calls[:]
    bootstrap.ensure_environment(["test"])
    assert pip_calls == [TORCH, locked("test"), EDITABLE]


def test_a_failed_or_outdated_install_is_done_again(pip_calls, tmp_path, monkeypatch):
    def fail(*_):
        raise bootstrap.SetupFailed("no connection")

    with monkeypatch.context() as broken:
        broken.setattr(bootstrap, "pip", fail)
        with pytest.raises(bootstrap.SetupFailed):
            bootstrap.ensure_environment(["test"])
    bootstrap.ensure_environment(["test"])
    assert locked("test") in pip_calls
    stamp = tmp_path / "env" / bootstrap._STAMP
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "fingerprint": "older"}))
    del pip_calls[:]
    bootstrap.ensure_environment(["test"])
    assert locked("test") in pip_calls


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


def requirements_of(extra, python=bootstrap.PYTHON):
    """The project's own requirements with an extra that apply to a Python."""
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    wanted = [Requirement(line) for line in lines]
    return [
        one for one in wanted if one.marker is None or one.marker.evaluate({"python_version": "{}.{}".format(*python)})
    ]


def pins(extra, path=None):
    """[(name, version, count of hashes)] of an extra's lock, or of another."""
    text = (path or bootstrap.lock_of(extra)).read_text(encoding="utf-8")
    entries = re.findall(r"^(\S+)==(\S+)[^\n]*\\\n((?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M)
    # Nothing stands in the file that this does not read.
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == sum(1 + hashes.count("\n") for _, _, hashes in entries), extra
    return [(canonicalize_name(name), version, hashes.count("\n")) for name, version, hashes in entries]


LOCKS = [(extra, bootstrap.PYTHON, bootstrap.lock_of(extra)) for extra in bootstrap.LOCKED_EXTRAS]
LOCKS += [("", tuple(map(int, python.split("."))), path) for python, path in bootstrap.ENGINE_LOCKS.items()]


@pytest.mark.parametrize("extra, python, path", LOCKS)
def test_a_lock_has_what_the_project_requires_with_hashes(extra, python, path):
    found = pins(extra, path)
    versions = {name: version for name, version, _ in found}
    assert len(versions) == len(found) and all(hashes for _, _, hashes in found)
    assert not [name for name in versions if name.startswith(UNLOCKED)]
    versions["torch"] = bootstrap.TORCH.split("==")[1]
    for wanted in requirements_of(extra, python):
        assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), wanted


def test_the_locks_agree_with_one_another():
    together = {}
    for extra in bootstrap.LOCKED_EXTRAS:
        for name, version, _ in pins(extra):
            assert together.setdefault(name, version) == version, name
    assert {name for name, _, _ in pins("")} <= {name for name, _, _ in pins("test")} <= set(together)


def test_the_extension_installs_the_same_versions():
    assert torch_builds.TORCH == bootstrap.TORCH
    assert {python: bootstrap.LOCKS / file for python, file in build.LOCKS.items()} == bootstrap.ENGINE_LOCKS


def test_these_tests_run_with_the_locked_versions():
    state = bootstrap.read_state(Path(sys.prefix) / bootstrap._STAMP)
    if not state.get("locked"):
        pytest.skip("this environment was not made from the locks")
    for extra in state["extras"]:
        for name, version, _ in pins(extra):
            try:
                installed = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue  # for another system
            assert installed == version, name


def test_the_readme_starts_with_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    (python .*)$", text, re.MULTILINE)
    assert commands[:2] == ["python server/quickstart.py [PHOTO]", "python tests/run.py"]
    assert (ROOT / "server" / "quickstart.py").is_file() and (ROOT / "tests" / "run.py").is_file()
    assert "python" in (ROOT / ".ci" / "run").read_text() and "tests/run.py" in (ROOT / ".ci" / "run").read_text()


def test_ci_checks_the_sources_first():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.index("tests/lint.py") < script.index("tests/run.py")


def test_the_checks_before_a_commit_have_the_versions_of_ci():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    pinned = {str(one) for one in requirements_of("lint")}
    named = re.findall(r"additional_dependencies: \[(.+)\]", text)
    assert named and set(named) <= pinned


def test_the_citation_has_the_manifests_version():
    version = re.search(r'^version = "(.+)"$', (ROOT / "addon_manifest.toml").read_text(encoding="utf-8"), re.M).group(
        1
    )
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


# Interruptions and folders


@pytest.fixture
def maker(tmp_path, monkeypatch):
    """bootstrap on a folder in tmp_path; instead of Python's venv and pip, something that can be interrupted."""
    folder = tmp_path / "env"
    monkeypatch.setenv("HFFNE_VENV", str(folder))
    done = []

    def make(command):
        python = bootstrap.python_in(Path(command[-1]))
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text("")
        done.append("venv")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(bootstrap.subprocess, "run", make)
    monkeypatch.setattr(bootstrap, "_find_maker", lambda: ["python"])
    monkeypatch.setattr(bootstrap, "_works", lambda path: path.exists())
    monkeypatch.setattr(bootstrap, "_version_of", lambda path: bootstrap.PYTHON)
    monkeypatch.setattr(bootstrap, "_installed_torch", lambda _: bootstrap.TORCH.split("==")[1])
    monkeypatch.setattr(bootstrap, "pip", lambda _, *arguments: done.append("pip"))
    return folder, done


def test_an_interruption_at_any_step_is_made_good_by_the_next_run(maker, monkeypatch):
    folder, done = maker
    write, unlink, pip = bootstrap._write, Path.unlink, bootstrap.pip
    steps = {"count": 0, "stop": None}

    def step():
        steps["count"] += 1
        if steps["count"] == steps["stop"]:
            raise KeyboardInterrupt

    def stepped(function):
        def call(*arguments, **options):
            step()
            result = function(*arguments, **options)
            step()
            return result

        return call

    monkeypatch.setattr(bootstrap, "_write", stepped(write))
    monkeypatch.setattr(bootstrap, "pip", stepped(pip))
    monkeypatch.setattr(bootstrap, "_empty", stepped(bootstrap._empty))
    monkeypatch.setattr(Path, "unlink", stepped(unlink))
    for stop in range(1, 40):
        shutil.rmtree(folder, ignore_errors=True)
        steps.update(count=0, stop=stop)
        try:
            bootstrap.ensure_environment(["test"])
            break
        except KeyboardInterrupt:
            pass
        # What was interrupted is not taken for whole.
        (folder / "half").mkdir(parents=True, exist_ok=True)
        steps.update(stop=None)
        if not (folder / bootstrap._MADE).exists():
            (folder / "half").rmdir()
        del done[:]
        bootstrap.ensure_environment(["test"])
        finished = bootstrap.read_state(folder / bootstrap._STAMP)
        assert finished["extras"] == ["test"] and not (folder / bootstrap._BEGUN).exists(), stop
        assert "pip" in done or stop > 10, stop
    assert stop > 12, "all steps were interrupted"


def test_a_folder_that_was_not_made_here_is_never_emptied(maker):
    folder, done = maker
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(bootstrap.SetupFailed, match="not empty"):
        bootstrap.ensure_environment(["test"])
    assert (folder / "thesis.tex").read_text() == "years of work" and not done
    # A working environment of the user's own is used, and not made again after an interruption.
    bootstrap.python_in(folder).parent.mkdir()
    bootstrap.python_in(folder).write_text("")
    (folder / bootstrap._BEGUN).write_text("{}")
    bootstrap.ensure_environment(["test"])
    assert (folder / "thesis.tex").exists() and "venv" not in done and "pip" in done


def test_an_interrupt_of_the_quick_start_is_a_line(tmp_path, monkeypatch, capsys):
    import quickstart  # in server/

    def interrupted(*command):
        raise KeyboardInterrupt

    monkeypatch.setattr(quickstart, "ensure_environment", lambda extras: Path(sys.executable))
    monkeypatch.setattr(quickstart, "run", interrupted)
    monkeypatch.setattr(sys, "argv", ["quickstart", "-o", str(tmp_path)])
    assert quickstart.main() == 130
    assert "the same command goes on" in capsys.readouterr().err
