# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of one photo, each by itself and warm, at several sizes."""

import numpy as np

from hffne.benchmark.memory import peak_memory
from hffne.benchmark.timing import timed

# What is large and slow needs fewer runs.
FEW = 3


def stage_times(engine, path, runs, fine_sizes, texture_sizes):
    """{stage: `spread.timed`} of a photo's largest face, and its peak memory in MB where it may grow ("memory")."""
    from hffne.geometry import mesh, unwrap
    from hffne.geometry.band_merge import enlarge, merge
    from hffne.photo.crop import crop_for_box, extract_crop, to_gray
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import load_photo

    networks = engine.networks
    photo = load_photo(path)
    face = choose_faces(find_faces(photo), "largest", path)[0][1]
    estimate = engine.normals(photo, face)
    crop = estimate.crop.resized(256)
    gray = to_gray(extract_crop(photo.rgb, crop))
    coarse = engine.coarse_normal(gray)

    def align():
        # As the pipeline does: the detector's square, then the one around the position map.
        for square in (crop_for_box(face.box, 256), crop):
            to_gray(extract_crop(photo.rgb, square))

    rows = {
        "load": timed(lambda: load_photo(path), runs),
        "detect": timed(lambda: find_faces(photo), runs),
        "align": timed(align, runs),
        "prn": timed(lambda: networks.position_map(gray), runs),
        "shape": timed(lambda: mesh.regularize(estimate.position_map), runs),
        "coarse": timed(lambda: engine.coarse_normal(gray), runs),
    }
    memory = {}
    for size in fine_sizes:
        large = to_gray(extract_crop(photo.rgb, crop.resized(size)))
        exemplar = enlarge(coarse, size)
        few = runs if size == fine_sizes[0] else min(runs, FEW)
        rows[f"fine {size}"] = timed(lambda: networks.fine(large, exemplar), few)
        memory[f"fine {size}"] = peak_memory()
    rows["band_merge"] = timed(lambda: merge(estimate.coarse, estimate.fine, estimate.mask), runs)
    for size in texture_sizes:
        few = runs if size == texture_sizes[0] else min(runs, FEW)
        rows[f"unwrap {size}"] = timed(
            lambda: unwrap.unwrap(estimate.shape, estimate.projection, estimate.normal, photo.rgb, crop, size),
            few,
        )
        memory[f"unwrap {size}"] = peak_memory()
    rows["mesh"] = timed(lambda: mesh.build_mesh(estimate.shape, 128), runs)
    rows["normals"] = timed(lambda: _normals(engine, path), runs)
    return rows, memory


def _normals(engine, path):
    """All that `hffne normals` computes for a photo."""
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import load_photo

    photo = load_photo(path)
    face = choose_faces(find_faces(photo), "largest", path)[0][1]
    return np.asarray(engine.normals(photo, face).on_photo(photo.rgb.shape)[0])


def markdown(rows, memory):
    lines = ["| stage | median ms | from - to | processor ms | peak memory so far, MB |", "|---|---|---|---|---|"]
    for name, t in rows.items():
        peak = memory.get(name)
        lines.append(
            f"| {name} | {t['median']:.0f} | {t['low']:.0f} - {t['high']:.0f} | {t['cpu']:.0f} | "
            f"{'' if peak is None else format(peak, '.0f')} |"
        )
    return "\n".join(lines)
