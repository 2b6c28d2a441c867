# SPDX-License-Identifier: GPL-3.0-or-later
"""What the measuring commands share: progress on stderr, figures as JSON, a contact sheet."""

import json
import sys
from pathlib import Path


def add_report_options(parser, sheet=True):
    """--json and, where there is a sheet, --sheet and --sheet-rows, as `write_report` and `sheet.BestAndWorst` take them."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    if not sheet:
        return
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a contact sheet (PNG) here")
    parser.add_argument(
        "--sheet-rows",
        type=int,
        default=10,
        metavar="N",
        help="show the N best and the N worst faces (default: %(default)s)",
    )


def sheet_rows(args):
    """A collector for the contact sheet that was asked for, or None."""
    from hffne.evaluation.contact_sheet import BestAndWorst

    return BestAndWorst(max(1, args.sheet_rows)) if args.sheet else None


def tell(text):
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


def about(engine):
    """What measured: plain data for the report."""
    from hffne import __version__

    return {"version": __version__, "model": engine.model, "device": engine.device_name}


def write_report(args, data, rows, tile=None):
    """Write what --json and --sheet ask for. rows: the sheet's, or None; tile: the width of its pictures.

    Raises OutputError.
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
