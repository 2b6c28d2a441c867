# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne doctor`: check the engine and print what a report of a problem needs."""

import argparse

from hffne.cli.options import Subparsers
from hffne.exit_codes import DONE, ERROR


def add_parser(subparsers: Subparsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        help="check the engine; print a report for a question or a bug",
        description="Print versions, device and models, and test each part. The report has no photo, and the user's "
        "folder and name are replaced. Exit code 1 when a check fails.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the report; returns the exit code."""
    from hffne.doctor import report

    lines, passed = report()
    print("\n".join(lines))
    return DONE if passed else ERROR
