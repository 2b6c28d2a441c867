# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photos training may see: some people are held out by name, and fits that are not sound are left out."""

import zlib
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from hffne.synthesis.fit import FittedPhotos

SHARE = 10  # every tenth person is held out
# Endings of a file's name that differ between photos of one person.
_TAKES = ("_neutral", "_smiling")
# Of a sound fit: how far its points lie beside the landmarks over the eyes' distance. Photos of several faces, of
# engravings and of faces behind hands have more.
RESIDUAL = 0.05


def person(path: str | Path) -> str:
    """Who a photo shows, by its file's name."""
    name = Path(path).stem
    for take in _TAKES:
        name = name.removesuffix(take)
    return name


def held_out(path: str | Path) -> bool:
    """Whether a photo shows one of the people that training never sees. The same on every machine."""
    return zlib.crc32(person(path).encode()) % SHARE == 0


def training_photos(paths: list[Path]) -> list[Path]:
    """Of all photos those that training may see."""
    return [path for path in paths if not held_out(path)]


def sound_fits(fits: FittedPhotos) -> FittedPhotos:
    """Of fitted photos those whose fits are sound."""
    good = np.flatnonzero(fits.residual < RESIDUAL)
    chosen = {field.name: getattr(fits, field.name)[good] for field in fields(fits) if field.name != "paths"}
    return replace(fits, **chosen, paths=[fits.paths[i] for i in good])
