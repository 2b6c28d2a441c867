# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of each stage of one photo by itself, warm, at several sizes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hffne.benchmark.memory import peak_memory
from hffne.benchmark.timing import Summary, timed

if TYPE_CHECKING:
    from hffne.pipeline import Engine

# Large and slow stages need fewer runs.
FEW = 3


def stage_times(
    engine: "Engine", path: Path, runs: int, fine_sizes: Sequence[int], texture_sizes: Sequence[int]
) -> tuple[dict[str, Summary], dict[str, float | None]]:
    """Time the stages of a photo's largest face.

    Returns {stage: `timing.timed`}, and the peak memory of this process in MB after the stages that may raise it (None
    where it is unknown).
    """
    from hffne.geometry.band_merge import merge_bands, resize_normals
    from hffne.geometry.base_shape import fit_base_shape
    from hffne.geometry.face_parts import wide_crop
    from hffne.geometry.mesh import build_mesh
    from hffne.geometry.unwrap import unwrap
    from hffne.photo.crop import CROP, crop_for_box, extract_crop, to_gray
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import load_photo

    networks = engine.networks
    photo = load_photo(path)
    face = choose_faces(find_faces(photo), "largest", path)[0][1]
    estimate = engine.normals(photo, face)
    crop = estimate.crop.resized(CROP)
    gray = to_gray(extract_crop(photo.rgb, crop))
    coarse = engine.coarse_normal(gray)
    surroundings = extract_crop(photo.rgb, wide_crop(crop))

    def align() -> None:
        # As the pipeline does: the detector's square, then the one around the position map.
        for square in (crop_for_box(face.box, CROP), crop):
            to_gray(extract_crop(photo.rgb, square))

    rows = {
        "load": timed(lambda: load_photo(path), runs),
        "detect": timed(lambda: find_faces(photo), runs),
        "align": timed(align, runs),
        "prn": timed(lambda: networks.position_map(gray), runs),
        "shape": timed(lambda: fit_base_shape(estimate.position_map), runs),
        "parts": timed(lambda: networks.parts(surroundings), runs),
        "coarse": timed(lambda: engine.coarse_normal(gray), runs),
    }
    memory = {}
    for size in fine_sizes:
        large = to_gray(extract_crop(photo.rgb, crop.resized(size)))
        few = runs if size == fine_sizes[0] else min(runs, FEW)
        rows[f"fine {size}"] = timed(partial(networks.fine, large, resize_normals(coarse, size)), few)
        memory[f"fine {size}"] = peak_memory()
    rows["band_merge"] = timed(lambda: merge_bands(estimate.coarse, estimate.fine, estimate.mask), runs)
    for size in texture_sizes:
        few = runs if size == texture_sizes[0] else min(runs, FEW)
        inputs = estimate.shape, estimate.projection, estimate.normal, photo.rgb, crop
        rows[f"unwrap {size}"] = timed(partial(unwrap, *inputs, size), few)
        memory[f"unwrap {size}"] = peak_memory()
    rows["mesh"] = timed(lambda: build_mesh(estimate.shape, 128), runs)
    rows["normals"] = timed(lambda: _normals(engine, path), runs)
    return rows, memory


def _normals(engine: "Engine", path: Path) -> np.ndarray:
    """The normals (H, W, 3) that `hffne normals` computes for a photo."""
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import load_photo

    photo = load_photo(path)
    face = choose_faces(find_faces(photo), "largest", path)[0][1]
    return np.asarray(engine.normals(photo, face).on_photo(photo.rgb.shape)[0])


def markdown(rows: dict[str, Summary], memory: dict[str, float | None]) -> str:
    """The result of `stage_times` as a table."""
    lines = ["| stage | median ms | from - to | processor ms | peak memory so far, MB |", "|---|---|---|---|---|"]
    for name, t in rows.items():
        peak = memory.get(name)
        lines.append(
            f"| {name} | {t['median']:.0f} | {t['low']:.0f} - {t['high']:.0f} | {t['cpu']:.0f} | "
            f"{'' if peak is None else format(peak, '.0f')} |"
        )
    return "\n".join(lines)
