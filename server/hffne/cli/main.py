# SPDX-License-Identifier: GPL-3.0-or-later
"""The console command `hffne`: find the verb, run it, turn errors into words."""

import argparse
import importlib
import os
import sys
import traceback

from hffne import __version__
from hffne.cli.report import print_error
from hffne.errors import HffneError

VERBS = ("normals", "build", "serve", "evaluate", "bench", "train", "study", "weights", "dataset", "figure", "doctor")

EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130


def main(argv=None):
    """Run one command; returns the exit code (argparse itself exits with 2)."""
    argv = sys.argv[1:] if argv is None else list(argv)
    _print_any_text()
    args = _parser(argv).parse_args(argv)
    try:
        return args.run(args)
    except HffneError as error:
        print_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("hffne: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (`| head`) has enough; keep the exit from complaining again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:
        if os.environ.get("HFFNE_DEBUG"):
            traceback.print_exc()
        text = " ".join(str(error).split())
        print(f"hffne: internal error: {type(error).__name__}: {text}", file=sys.stderr)
        print("  Set HFFNE_DEBUG=1 to see where, and please report it.", file=sys.stderr)
        return EXIT_INTERNAL


def _parser(argv):
    parser = argparse.ArgumentParser(
        prog="hffne", description="From one photo to high-fidelity face normals and a face in Blender."
    )
    parser.add_argument("--version", action="version", version=f"hffne {__version__}")
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    # Only the verb that runs is imported; help needs them all.
    wanted = [argv[0]] if argv and argv[0] in VERBS else VERBS
    for verb in wanted:
        importlib.import_module(f"hffne.cli.{verb}").add_parser(subparsers)
    return parser


def _print_any_text():
    # A console that cannot show a letter of a file's name must not end the work.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
