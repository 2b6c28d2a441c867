# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne normals`: photos in, normals on the photos' own pixels out."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hffne.cli.options import add_engine_options, add_size_option, engine_arguments, face_choice, size_argument
from hffne.cli.report import print_error, print_progress, printable
from hffne.errors import HffneError, NoFaceError, OutputError
from hffne.quick_start import without_collector

if TYPE_CHECKING:
    from hffne.cli.options import Subparsers
    from hffne.estimate import FaceEstimate
    from hffne.exemplar import Exemplar
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo

# Values of a photo above which its files are written before the next one is opened: both would take much memory.
_LARGE = 30_000_000


def add_parser(subparsers: Subparsers) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        "normals",
        help="estimate the normals of the faces on photos",
        description="Write <stem>.npz (normal, coarse, fine, mask, landmarks, skin, parts) and <stem>_normal.png, "
        "a 16-bit picture, for each photo. Exit code 3: a photo shows no face (the others are still done).",
    )
    parser.add_argument("photos", nargs="+", metavar="PHOTO", type=Path)
    parser.add_argument("-o", "--output", required=True, metavar="DIR", type=Path, help="folder to write to")
    parser.add_argument(
        "--face",
        type=face_choice,
        default="largest",
        metavar="N|all",
        help="which face: 'largest' (default), a number from 0 (the largest first), or 'all', "
        "which writes <stem>_face<N>.*",
    )
    add_size_option(parser)
    parser.add_argument(
        "--exemplar",
        metavar="FILE|base",
        help="give the fine network this exemplar: an .npz of this command, a picture of normals, or 'base', the base "
        "mesh (default: the coarse network's)",
    )
    parser.add_argument(
        "--no-merge",
        action="store_true",
        help="the fine network's normal as it is, the paper's N, as `normal` and in the picture",
    )
    parser.add_argument(
        "--uncompressed", action="store_true", help="write the .npz without compression: faster and twice as large"
    )
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Estimate the normals of every photo; the exit code is that of the first error, 3 where a face is missing."""
    from hffne.output import output_folder

    more = size_argument(args)
    failures: list[HffneError] = []
    taken: dict[str, Path] = {}
    exemplar = _exemplar(args.exemplar)
    engine = None
    # Files are compressed and written while the next face is estimated; no more than one waits.
    with output_folder(args.output) as folder, ThreadPoolExecutor(1) as writer:
        writing: Future[None] | None = None
        for path in args.photos:
            try:
                _take_name(path, taken)
                photo, chosen = _find(path, args.face, args.crop == "picture")
                if engine is None:
                    # Not before a photo needs it: it takes seconds.
                    with without_collector():
                        from hffne.pipeline import Engine

                        engine = Engine(**engine_arguments(args), **more)
                for index, face in chosen:
                    stem = f"{path.stem}_face{index}" if args.face == "all" else path.stem
                    estimate = partial(engine.normals, photo, face, merged=not args.no_merge, exemplar=exemplar)
                    write = _do_face(estimate, photo, folder / stem, not args.uncompressed)
                    failures += _errors(writing)
                    writing = writer.submit(write)
                    if photo.rgb.size > _LARGE:
                        failures, writing = failures + _errors(writing), None
            except HffneError as error:
                print_error(error)
                failures.append(error)
        failures += _errors(writing)
    if any(isinstance(error, NoFaceError) for error in failures):
        return NoFaceError.exit_code
    return failures[0].exit_code if failures else 0


def _exemplar(wanted: str | None) -> Exemplar | str | None:
    """The exemplar of `Engine.normals`, read before anything is computed."""
    if wanted is None:
        return None
    from hffne.exemplar import BASE, read_exemplar

    return BASE if wanted == BASE else read_exemplar(wanted)


def _take_name(path: Path, taken: dict[str, Path]) -> None:
    """Refuse a photo whose results would replace those of another one of the same run."""
    # Case does not tell files apart on Windows and macOS.
    other = taken.setdefault(path.stem.casefold(), path)
    if other is not path:
        raise OutputError(
            f"The results of '{path}' would replace those of '{other}'.",
            hint="Rename one of them, or use another output folder for it.",
        )


def _find(path: Path, which: str | int, whole: bool) -> tuple[Photo, list[tuple[int, Face]]]:
    """The photo and its faces; whole: the picture is one face, which need not be detected."""
    from hffne.photo.detect import choose_faces, find_faces, whole_picture
    from hffne.photo.load import load_photo

    photo = load_photo(path)
    chosen = [(0, whole_picture(photo))] if whole else choose_faces(find_faces(photo), which, path)
    for notice in photo.notices:
        print_progress(f"hffne: {path}: {notice}")
    return photo, chosen


def _errors(writing: Future[None] | None) -> list[HffneError]:
    """Wait for the files of a face; the error, which is printed, if they could not be written."""
    try:
        if writing is not None:
            writing.result()
    except HffneError as error:
        print_error(error)
        return [error]
    return []


def _do_face(
    estimate_face: Callable[[], FaceEstimate], photo: Photo, target: Path, compressed: bool
) -> Callable[[], None]:
    """Estimate a face; returns what writes its files."""
    from hffne.normal_file import arrays_on_photo, npz_writer, png_writer, suffixed
    from hffne.output import write_files

    started = time.perf_counter()
    estimate = estimate_face()
    arrays = arrays_on_photo(estimate, photo.rgb.shape[:2])
    seconds = time.perf_counter() - started
    for notice in estimate.cover_notices:
        print_progress(f"hffne: {photo.path}: {notice}")

    def write() -> None:
        write_files(
            {
                suffixed(target, ".npz"): npz_writer(compressed, **arrays),
                suffixed(target, "_normal.png"): png_writer(arrays["normal"], arrays["mask"]),
            }
        )
        text = f"{photo.path} -> {target}.npz, {target.name}_normal.png ({seconds:.2f} s, {estimate.crop.size} px)"
        print(printable(text))

    return write
