# SPDX-License-Identifier: GPL-3.0-or-later
"""HFFNE: from one photo to high-fidelity face normals and a textured face mesh.

    import hffne
    hffne.normals("photo.jpg").save("normal.png")

Importing the package is cheap: what it offers is imported when it is first used, and torch not before something is
computed. See docs/python.md.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hffne._version import __version__

if TYPE_CHECKING:
    from hffne.errors import HffneError, NoFaceError, PhotoError
    from hffne.estimator import FaceNormals, NormalEstimator, normals
    from hffne.parts import PARTS

__all__ = [
    "PARTS",
    "FaceNormals",
    "HffneError",
    "NoFaceError",
    "NormalEstimator",
    "PhotoError",
    "__version__",
    "normals",
]

_HOMES = {
    "FaceNormals": "hffne.estimator",
    "NormalEstimator": "hffne.estimator",
    "normals": "hffne.estimator",
    "HffneError": "hffne.errors",
    "NoFaceError": "hffne.errors",
    "PhotoError": "hffne.errors",
    "PARTS": "hffne.parts",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
