# SPDX-License-Identifier: GPL-3.0-or-later
"""The set-up of the project's environment, and the locked versions that it installs."""

import importlib.metadata
import json
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from paths import ROOT

sys.path.insert(0, str(ROOT / "server"))

import bootstrap
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


def requirements_of(extra):
    """The project's own requirements with an extra that apply to this Python."""
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    wanted = [Requirement(line) for line in lines]
    return [one for one in wanted if one.marker is None or one.marker.evaluate()]


def pins(extra):
    """[(name, version, count of hashes)] of a lock."""
    text = bootstrap.lock_of(extra).read_text(encoding="utf-8")
    entries = re.findall(r"^(\S+)==(\S+)[^\n]*\\\n((?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M)
    # Nothing stands in the file that this does not read.
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == sum(1 + hashes.count("\n") for _, _, hashes in entries), extra
    return [(canonicalize_name(name), version, hashes.count("\n")) for name, version, hashes in entries]


@pytest.mark.parametrize("extra", bootstrap.LOCKED_EXTRAS)
def test_a_lock_has_what_the_project_requires_with_hashes(extra):
    versions = {name: version for name, version, _ in pins(extra)}
    assert len(versions) == len(pins(extra)) and all(hashes for _, _, hashes in pins(extra))
    assert not [name for name in versions if name.startswith(UNLOCKED)]
    versions["torch"] = bootstrap.TORCH.split("==")[1]
    for wanted in requirements_of(extra):
        assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), wanted


def test_the_locks_agree_with_one_another():
    together = {}
    for extra in bootstrap.LOCKED_EXTRAS:
        for name, version, _ in pins(extra):
            assert together.setdefault(name, version) == version, name
    assert {name for name, _, _ in pins("")} <= {name for name, _, _ in pins("test")} <= set(together)


def test_the_extension_installs_the_same_pytorch():
    assert torch_builds.TORCH == bootstrap.TORCH


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
