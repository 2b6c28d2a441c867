# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne serve`: the engine on stdin and stdout, for Blender and other clients."""

import argparse
import os
import sys

from hffne.cli.options import Subparsers, add_engine_options, engine_arguments


def add_parser(subparsers: Subparsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "serve",
        help="run the engine on stdin and stdout (started by the Blender extension)",
        description="Send and receive frames on stdin and stdout; the log goes to stderr.",
    )
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the engine until its client has gone, then end the process with the exit code."""
    from hffne.service.engine_loop import serve

    code = serve(**engine_arguments(args))
    sys.stderr.flush()
    # Everything is sent. The thread pools of native libraries sometimes abort a process that ends in the usual way,
    # and then the exit code would be wrong.
    os._exit(code)
