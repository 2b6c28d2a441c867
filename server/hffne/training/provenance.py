# SPDX-License-Identifier: GPL-3.0-or-later
"""Where weights come from: what is needed to train them again, as notes for their file."""

import hashlib
import subprocess
from functools import cache
from pathlib import Path

from hffne import __version__
from hffne.training.recipe import Recipe


def notes(network: str, step: int, recipe: Recipe, seed: int, data: str, inputs: dict[str, str]) -> dict[str, str]:
    """The metadata of a file of weights, all values texts.

    data: the fingerprint of the data. inputs: hashes of the files that the run began with, by name ("start", "coarse").
    """
    return {
        "network": network,
        "task": recipe.task,
        "steps": str(step),
        "steps_planned": str(recipe.steps),
        "seed": str(seed),
        "recipe": recipe.as_json(),
        "recipe_hash": recipe.digest,
        "data": data,
        "version": __version__,
        "commit": commit(),
        **{f"input_{name}": value for name, value in inputs.items()},
    }


@cache
def commit() -> str:
    """The commit of the sources that run, with "+changes" where they differ from it; "" for an installed package.

    Found once, when it is first needed: a process runs the sources that it has loaded.
    """
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return ""
    try:
        head, changes = (
            subprocess.run(
                ["git", "-C", str(root), *command], capture_output=True, text=True, check=True, timeout=30
            ).stdout.strip()
            for command in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{head}+changes" if changes else head


def files_fingerprint(folder: Path, paths: list[Path], samples: int = 4, block: int = 1 << 16) -> str:
    """A short hash of files by their names, their sizes, and a few blocks of each: quick for large files."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()} {size}\n".encode())
        with open(path, "rb") as file:
            for k in range(samples):
                file.seek(max(0, size - block) * k // max(1, samples - 1))
                digest.update(file.read(block))
    return digest.hexdigest()[:16]
