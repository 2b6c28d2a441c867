# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the second family's part of a training set: rendered buffers with colors, as .npy files."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from hffne.synthesis.array_folder import fill_folder
from hffne.synthesis.avatar_heads import load_avatar_heads
from hffne.synthesis.avatar_render import AvatarRenderer
from hffne.synthesis.avatar_sampling import avatar_sample
from hffne.synthesis.build import FIELDS
from hffne.synthesis.face_model import load_face_model
from hffne.synthesis.render import SIZE
from hffne.synthesis.uv_layout import build_layout

FOLDER = "avatars"
AVATAR_FIELDS = FIELDS | {"albedo": ((SIZE, SIZE), np.uint8)}


def build_avatars(
    heads: str | Path,
    shapes: str | Path,
    output: str | Path,
    renders: int = 2000,
    seed: int = 0,
    processes: int = 1,
    report: Callable[[str], None] = print,
) -> None:
    """Write `renders` buffers of the people that training may see to `output`/avatars, unless they are there.

    heads: folder of the second family; shapes: of ict_facekit.npz. Every render has its own random generator, so the
    set is the same however many processes make it.
    """
    folder = Path(output) / FOLDER
    if (folder / "done").exists():
        return
    load_avatar_heads(heads, load_face_model(shapes))  # what is missing is told before anything is written
    fill_folder(folder, AVATAR_FIELDS, _work, (heads, shapes, folder), renders, seed, processes, report)


def _work(heads: str | Path, shapes: str | Path, folder: Path, count: int, seed: int, part: int, parts: int) -> None:
    cv2.setNumThreads(1)
    model = load_face_model(shapes)
    family = load_avatar_heads(heads, model)
    renderer, people = AvatarRenderer(family, model, build_layout(model)), family.people(held_out=False)
    arrays = {name: np.lib.format.open_memmap(folder / f"{name}.npy", "r+") for name in AVATAR_FIELDS}
    for index in range(part, count, parts):
        sample = avatar_sample(renderer, people, np.random.default_rng([seed, 3, index]))
        for name, array in arrays.items():
            array[index] = sample[name]
