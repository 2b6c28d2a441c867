# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate`: the published metrics on the published benchmarks, as a table and as JSON."""

from pathlib import Path

from hffne.cli.evaluate import normals, response, robustness, scales, stability, wild
from hffne.cli.options import add_engine_options, engine_arguments
from hffne.cli.report import about, add_report_options, tell, write_report


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "evaluate",
        help="measure the normals and the landmarks on a benchmark",
        description="Run the whole product on a benchmark's photos and print its metrics as a table.",
    )
    benchmarks = parser.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    aflw = benchmarks.add_parser(
        "aflw2000",
        help="68 landmarks on AFLW2000-3D",
        description="NME of x and y over the root of the area of the truth's bounding box, by yaw.",
    )
    aflw.add_argument("folder", type=Path, metavar="DIR", help="<name>.jpg and <name>.mat files")
    aflw.set_defaults(run=run_aflw2000)
    add_report_options(aflw)
    add_engine_options(aflw)
    normals.add_parsers(benchmarks)
    wild.add_parser(benchmarks)
    robustness.add_parser(benchmarks)
    response.add_parser(benchmarks)
    stability.add_parser(benchmarks)
    scales.add_parser(benchmarks)


def run_aflw2000(args):
    from hffne.datasets import aflw2000 as dataset
    from hffne.evaluation import aflw2000
    from hffne.pipeline import Engine

    items = dataset.find(args.folder, part=True)
    items[0].read_truth()  # without SciPy it is told before the networks are loaded
    pictures = [] if args.sheet else None
    engine = Engine(**engine_arguments(args))
    results = aflw2000.evaluate(engine, items, tell, _drawer(pictures) if args.sheet else None)
    print(aflw2000.table(results))
    write_report(args, {**aflw2000.as_dict(results), **about(engine)}, _worst_and_best(pictures))
    return 0


def _drawer(pictures):
    import cv2
    import numpy as np

    def draw(photo, landmarks, truth, result):
        picture = np.array(photo.rgb)
        for points, color in ((truth, (0, 220, 0)), (landmarks, (255, 40, 40))):
            for x, y in points[:, :2] if points is not None else ():
                cv2.circle(picture, (round(float(x)), round(float(y))), 2, color, -1, cv2.LINE_AA)
        left, top = np.maximum(truth.min(0) - np.ptp(truth, axis=0) * 0.3, 0).astype(int)
        right, bottom = (truth.max(0) + np.ptp(truth, axis=0) * 0.3).astype(int)
        side = max(right - left, bottom - top, 16)
        part = picture[top : top + side, left : left + side]
        part = cv2.copyMakeBorder(part, 0, side - part.shape[0], 0, side - part.shape[1], cv2.BORDER_CONSTANT)
        pictures.append((result, cv2.resize(part, (192, 192), interpolation=cv2.INTER_AREA)))

    return draw


def _worst_and_best(pictures, rows=2, columns=8):
    """The best and the worst photos (truth green, ours red), as rows of a contact sheet."""
    if not pictures:
        return None
    ordered = sorted(pictures, key=lambda pair: float("inf") if pair[0].error is None else pair[0].error)
    count = rows * columns
    chosen = [("best", ordered[:count]), ("worst", ordered[count:][-count:])]
    sheet = []
    for label, group in chosen:
        for start in range(0, len(group), columns):
            tiles = [("", picture) for _, picture in group[start : start + columns]]
            names = "  ".join(
                f"{r.name[-5:]}: " + ("no face" if r.error is None else f"{r.error:.1f}")
                for r, _ in group[start : start + columns]
            )
            sheet.append((f"{label}  {names}", tiles))
    return sheet
