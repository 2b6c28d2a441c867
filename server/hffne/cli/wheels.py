# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne wheels`: what another machine needs to install the engine without a network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hffne.cli.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        "wheels",
        help="collect the wheels for an installation without a network",
        description="Download the wheels that the engine needs on a platform, with their hashes. In Blender, choose "
        "the folder as *Wheels* in the extension's preferences and press Install Engine.",
    )
    parser.add_argument(
        "--platform", required=True, metavar="NAME", help="win_amd64, macosx_arm64, manylinux_x86_64, manylinux_aarch64"
    )
    parser.add_argument(
        "--python",
        default="3.11",
        metavar="VERSION",
        help="of the Python there: 3.11 in Blender 4.2 to 5.0, 3.13 in 5.1 and later (default: %(default)s)",
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR", type=Path, help="folder to write to")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be needed")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Collect the wheels; 0."""
    from hffne.wheels import SUMS, collect, pip_options, requirements

    if args.dry_run:
        pip_options(args.platform, args.python)
        print("\n".join(requirements(args.python)))
        return 0
    wheels = collect(args.output, args.platform, args.python)
    size = sum(path.stat().st_size for path in wheels)
    print(f"{len(wheels)} wheels, {size / 1e6:.0f} MB, and {SUMS} -> {args.output}")
    return 0
