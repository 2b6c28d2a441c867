# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of samples as .npy files, one array a field, filled by several processes."""

import multiprocessing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

Field: TypeAlias = tuple[tuple[int, ...], type[np.generic]]  # shape and dtype of one sample


def fill_folder(
    folder: Path,
    fields: Mapping[str, Field],
    work: Callable[..., None],
    arguments: tuple[Any, ...],
    count: int,
    seed: int,
    processes: int,
    report: Callable[[str], object],
    note: str = "",
) -> None:
    """Write `count` samples of these fields to a folder, unless they are there.

    work: a function of a module, called in every process with (*arguments, count, seed, part, processes) to fill every
    `processes`-th sample from `part` on. note: told behind the folder's name and the count.
    """
    if (folder / "done").exists() or not count:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, (shape, dtype) in fields.items():
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, (count, *shape))
    report(f"{folder.name}: {count}{note}")
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.starmap(work, [(*arguments, count, seed, part, processes) for part in range(processes)])
    (folder / "done").touch()
