# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne serve`: the engine on stdin and stdout, for Blender and other clients."""

from hffne.cli.options import add_engine_options, engine_arguments


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "serve",
        help="run the engine on stdin and stdout (started by the Blender extension)",
        description="Speak the frame protocol on stdin and stdout; the log goes to stderr.",
    )
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args):
    from hffne.service.engine_loop import serve

    return serve(**engine_arguments(args))
