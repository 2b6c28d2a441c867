# SPDX-License-Identifier: GPL-3.0-or-later
"""One photo of a batch, built in a Blender of its own."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hffne import blender
from hffne.batch.settings import BatchSettings
from hffne.errors import HffneError, OutputError
from hffne.scratch import Scratch


class BlenderEnded(Exception):
    """Blender, or its engine, ended without a word."""


def options_of(settings: BatchSettings, device: str | None) -> dict[str, Any]:
    """The options of `blender.build` for a photo of the batch."""
    return {**settings.engine, **(settings.build or {}), "face": settings.face, "device": device}


def builds_of(
    path: Path, settings: BatchSettings, device: str | None
) -> Iterator[tuple[dict[str, Any], dict[str, bytes]]]:
    """(facts, {ending: content}) of each file that `hffne build` writes for a photo; facts: the face's number.

    Raises BlenderEnded, OutputError without room for temporary files, what `blender.build` raises and Blender tells.
    """
    number = blender.check_photo(path, settings.face)
    try:
        scratch = Scratch(tempfile.gettempdir(), folder=True)
    except OSError as full:
        raise OutputError.of(tempfile.gettempdir(), full) from None
    with scratch as place:
        error, folder = place / "error.json", place / "built"
        code = blender.build(path, folder, options_of(settings, device), subprocess.DEVNULL, error)
        if code:
            told = json.loads(error.read_text(encoding="utf-8")) if error.is_file() else {}
            if told.get("code") in (None, "engine_died"):
                raise BlenderEnded
            raise HffneError.from_dict(told)
        for file in sorted(folder.iterdir()):
            yield {"face": number}, {file.name.removeprefix(path.stem): file.read_bytes()}
