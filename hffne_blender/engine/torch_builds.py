# SPDX-License-Identifier: GPL-3.0-or-later
"""The builds of PyTorch: which exist, which fits this machine, and how much room an installation takes."""

import os
import shutil
import sys

TORCH = "torch==2.13.0"
INDEX = "https://download.pytorch.org/whl/"
# Builds that only PyTorch's own index has, for this version of TORCH (its RELEASE.md), by platform and build.
# Elsewhere the usual index has the right one: CUDA 13.0 on Linux, CPU on Windows, Metal on macOS.
OWN_BUILDS = {("linux", "cpu"): "cpu", ("linux", "rocm"): "rocm7.2", ("win32", "cuda"): "cu130"}
# Bytes that an installation may take, downloads included. On the safe side.
ROOM = {"cpu": 3e9, "mps": 3e9, "cuda": 12e9, "rocm": 25e9}
BUILDS = {"cpu": "CPU", "mps": "Apple Metal", "cuda": "NVIDIA CUDA", "rocm": "AMD ROCm"}


def choose_build() -> str:
    """The build of torch that fits this machine."""
    if sys.platform == "darwin":
        return "mps"
    if shutil.which("nvidia-smi"):
        return "cuda"
    if sys.platform.startswith("linux") and (shutil.which("rocminfo") or os.path.isdir("/opt/rocm")):
        return "rocm"
    return "cpu"


def exists(build: str) -> bool:
    """Whether PyTorch has such a build for this system."""
    if sys.platform == "darwin":
        return build in ("cpu", "mps")
    return build in ("cpu", "cuda") or (build == "rocm" and sys.platform.startswith("linux"))
