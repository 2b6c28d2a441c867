# SPDX-License-Identifier: GPL-3.0-or-later
"""The notes in a file of weights: what it was trained on and how."""

import hashlib
from pathlib import Path

from safetensors import SafetensorError, safe_open

from hffne.errors import WeightsError


def read_notes(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file. Raises WeightsError when it is missing, damaged or of another kind."""
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except FileNotFoundError:
        raise WeightsError(f"There is no file '{path}'.", hint="Check the path.") from None
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"'{path}' is damaged or not a safetensors file.", hint="Name a file that `hffne train` has written."
        ) from error


def file_hash(path: Path) -> str:
    """A short SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]
