# SPDX-License-Identifier: GPL-3.0-or-later
"""The wheels that the engine needs on another machine, for an installation without a network."""

import hashlib
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hffne.errors import PlatformError, WheelsError
from hffne.output import write_files

# What pip calls the systems that the engine runs on, the newest tag first: a wheel may be made for an older one.
_MACOS = range(15, 10, -1)
_GLIBC = (34, 31, 28, 27, 24, 17)
PLATFORMS = {
    "win_amd64": ["win_amd64"],
    "macosx_arm64": [f"macosx_{version}_0_{cpu}" for version in _MACOS for cpu in ("arm64", "universal2")],
    **{
        f"manylinux_{cpu}": [*(f"manylinux_2_{version}_{cpu}" for version in _GLIBC), f"manylinux2014_{cpu}"]
        for cpu in ("x86_64", "aarch64")
    },
}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# On these the usual index has PyTorch with CUDA; this one has it for the processor.
_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_CUDA = ("nvidia-", "cuda-", "triton")
SUMS = "SHA256SUMS"


def pip_options(platform: str, python: str) -> list[str]:
    """pip's options that choose wheels for a name of PLATFORMS and a Python such as "3.11".

    Raises PlatformError for others.
    """
    if platform not in PLATFORMS:
        raise PlatformError(f"There is no platform '{platform}'.", hint=f"Choose one of: {', '.join(PLATFORMS)}.")
    if python not in PYTHONS:
        raise PlatformError(f"The engine does not run on Python {python}.", hint=f"Choose {', '.join(PYTHONS)}.")
    tags = [part for tag in PLATFORMS[platform] for part in ("--platform", tag)]
    abi = f"cp{python.replace('.', '')}"
    versions = ["--python-version", python, "--implementation", "cp", "--abi", abi, "--abi", "abi3", "--abi", "none"]
    return ["--only-binary=:all:", *tags, *versions]


def requirements(python: str) -> list[str]:
    """What the engine needs in a Python such as "3.11": the versions installed here where that is this Python's
    version, else those that the engine allows; PyTorch always as here.

    All of it by name, for pip would read the packages' markers for this machine and not for the other one. What only
    PyTorch's CUDA build needs is left out.
    """
    own = {_name(line): line.partition(";")[0].strip() for line in _requires("hffne")}
    found: dict[str, str] = {}
    waiting = list(own)
    while waiting:
        name = waiting.pop()
        if name in found or name.startswith(_CUDA):
            continue
        try:
            version = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            # Not needed on this system, or this is a part of a project without its packages.
            if name in own:
                found[name] = own[name]
            continue
        same = name == "torch" or python == "{}.{}".format(*sys.version_info)
        found[name] = f"{name}=={version}" if same else own.get(name, name)
        waiting += map(_name, _requires(name))
    return sorted(found.values())


def _requires(name: str) -> list[str]:
    return [line for line in importlib.metadata.requires(name) or [] if "extra ==" not in line]


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub("[-_.]+", "-", match[0]).lower() if match else ""


def collect(folder: Path, platform: str, python: str, cuda: bool = False, more: Sequence[str] = ()) -> list[Path]:
    """Download the wheels into `folder` and write their hashes to SHA256SUMS; returns the wheels.

    cuda: PyTorch as the usual index has it, where that is with CUDA; its further packages are not collected.
    more: further options for pip.
    Raises PlatformError, and WheelsError with pip's last line.
    """
    options = ["--no-deps", *pip_options(platform, python)]
    if not cuda and not platform.startswith("macosx"):
        options += ["--extra-index-url", _CPU_INDEX]
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--dest", str(folder), *options, *more, *requirements(python)]
    done = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise WheelsError(f"The wheels for {platform} and Python {python} are not all there: {(said or [''])[-1]}")
    wheels = sorted(folder.glob("*.whl"))
    write_sums(folder, wheels)
    return wheels


def write_sums(folder: Path, files: Sequence[Path]) -> None:
    """Write SHA256SUMS, as `sha256sum --check` reads it."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    write_files({folder / SUMS: lambda file: file.write("".join(lines).encode())})
