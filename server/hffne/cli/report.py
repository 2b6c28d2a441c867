# SPDX-License-Identifier: GPL-3.0-or-later
"""What commands print and write: errors and progress on stderr, results as JSON, a contact sheet."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hffne.cli.options import whole
from hffne.errors import HffneError

if TYPE_CHECKING:
    from hffne.evaluation.contact_sheet import BestAndWorst, Row


def print_error(error: HffneError) -> None:
    """Print an error on stderr, its hint on a second line."""
    print(f"hffne: error: {printable(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"  {printable(error.hint)}", file=sys.stderr)


def printable(text: str) -> str:
    """A text for a terminal: what would control it, and bytes of a file's name that are no letters, as "?"."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def print_progress(text: str) -> None:
    """Print a line of progress on stderr, so that stdout holds the results only."""
    print(printable(text), file=sys.stderr, flush=True)


def add_report_options(parser: argparse.ArgumentParser, sheet: bool = True) -> None:
    """Add --json and, for commands with a contact sheet of single faces, --sheet and --sheet-rows."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to this file")
    if not sheet:
        return
    add_sheet_option(parser)
    parser.add_argument(
        "--sheet-rows",
        type=whole(),
        default=10,
        metavar="N",
        help="show the N best and the N worst faces (default: %(default)s)",
    )


def add_sheet_option(parser: argparse.ArgumentParser) -> None:
    """Add --sheet."""
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a contact sheet (PNG) to this file")


def sheet_collector(args: argparse.Namespace) -> "BestAndWorst | None":
    """The collector of the contact sheet's rows, or None without --sheet."""
    from hffne.evaluation.contact_sheet import BestAndWorst

    return BestAndWorst(args.sheet_rows) if args.sheet else None


def engine_info(engine: Any) -> dict[str, Any]:
    """Version, model, device and the user's own weights of a `pipeline.Engine`, for the JSON report."""
    from hffne import __version__
    from hffne.weights.notes import file_hash

    trained = {role: file.about for role, file in getattr(engine, "trained", {}).items()}
    info: dict[str, Any] = {"version": __version__, "model": engine.model, "device": engine.device_name}
    if trained:
        info["weights"] = trained
    if coarse := getattr(engine, "coarse", None):
        info["coarse"] = {"file": coarse.path.name, "hash": file_hash(coarse.path), "title": coarse.conventions.title}
    return info


def full_width(rows: "list[Row] | None") -> int | None:
    """The width of the widest picture of a contact sheet's rows, for a sheet at full resolution; None without any."""
    return max((picture.shape[1] for _, tiles in rows or () for _, picture in tiles), default=None)


def write_report(
    args: argparse.Namespace, data: dict[str, Any], rows: "list[Row] | None", tile: int | None = None
) -> None:
    """Write the files of --json and --sheet.

    data: the report as plain data; rows: the contact sheet's, or None for no sheet; tile: the width of its pictures in
    pixels. Raises OutputError.
    """
    from hffne.evaluation import contact_sheet
    from hffne.output import output_folder, write_files

    if args.json:
        text = json.dumps(data, indent=1).encode()
        with output_folder(args.json.parent):
            write_files({args.json: lambda file: file.write(text)})
    if rows:
        with output_folder(args.sheet.parent):
            contact_sheet.save(rows, args.sheet, tile or contact_sheet.TILE)
