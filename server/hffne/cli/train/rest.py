# SPDX-License-Identifier: GPL-3.0-or-later
"""``hffne train rest``: the expressions that the head's fit finds on relaxed faces, which are their own shape."""

import argparse
from pathlib import Path

from hffne.output import write_files


def add_parser(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the step to the command line."""
    parser = steps.add_parser(
        "rest",
        help="measure which expressions the head's fit finds on relaxed faces",
        description="Fits the head to the largest face of each photo and writes the median weight of each expression. "
        "For photos of relaxed faces, after the position map network was trained; the people whom training holds out "
        "are left out here too.",
    )
    parser.add_argument("--photos", type=Path, required=True, nargs="+", metavar="FILE", help="photos of relaxed faces")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: the engine's own file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the file; returns the exit code."""
    import json

    import numpy as np

    from hffne.head.fit import fit_coefficients
    from hffne.head.fitted import REST_FILE
    from hffne.head.model import head_model
    from hffne.photo.detect import find_faces
    from hffne.photo.load import load_photo
    from hffne.pipeline import Engine
    from hffne.synthesis.photo_split import training_photos

    engine = Engine("cpu")
    weights: dict[str, list[float]] = {name: [] for name in head_model().expressions.names}
    count = 0
    for path in training_photos(options.photos):
        photo = load_photo(path)
        faces = find_faces(photo)
        if not faces:
            continue
        found = fit_coefficients(engine.normals(photo, faces[0]).shape).expression
        count += 1
        for name, values in weights.items():
            values.append(found.get(name, 0.0))
    medians = {name: round(float(np.median(values)), 3) for name, values in weights.items()} if count else {}
    # A face and its mirror image rest alike.
    for name in list(medians):
        if name.endswith("Left"):
            twin = name.removesuffix("Left") + "Right"
            medians[name] = medians[twin] = round((medians[name] + medians[twin]) / 2, 3)
    kept = {name: value for name, value in medians.items() if value >= 0.02}
    text = json.dumps(kept, indent=1) + "\n"
    write_files({Path(options.output or REST_FILE): lambda file: file.write(text.encode())})
    print(f"{count} faces: {kept}")
    return 0
