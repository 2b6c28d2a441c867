# SPDX-License-Identifier: GPL-3.0-or-later
"""The console command `hffne`: run one of its commands and print its errors."""

import argparse
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import NoReturn

from hffne import __version__
from hffne.child import Interrupted, end_by_exception
from hffne.cli.report import print_error, printable
from hffne.errors import HffneError
from hffne.exit_codes import DONE, INTERNAL, INTERRUPTED

VERBS = (
    *("normals", "batch", "build", "serve", "evaluate", "bench"),
    *("train", "study", "weights", "dataset", "figure", "doctor", "wheels"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (argparse itself exits with 2)."""
    argv = sys.argv[1:] if argv is None else list(argv)
    _print_any_text()
    try:
        if argv[:1] != ["serve"] and threading.current_thread() is threading.main_thread():
            end_by_exception()
        args = _parser(argv).parse_args(argv)
        code: int = args.run(args)
        return code
    except HffneError as error:
        print_error(error)
        return error.exit_code
    except KeyboardInterrupt as error:
        print("hffne: interrupted", file=sys.stderr)
        return error.exit_code if isinstance(error, Interrupted) else INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (`| head`) has closed it; without this Python would report that once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return DONE
    except Exception as error:
        if os.environ.get("HFFNE_DEBUG"):
            traceback.print_exc()
        text = " ".join(str(error).split())
        print(f"hffne: internal error: {type(error).__name__}: {text}", file=sys.stderr)
        print("  Set HFFNE_DEBUG=1 to see where, and please report it.", file=sys.stderr)
        return INTERNAL


class _Parser(argparse.ArgumentParser):
    """Prints what would control a terminal as "?"; the parsers of the verbs are of this class too."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(prog="hffne", description="From one photo to high-fidelity face normals and a face in Blender.")
    parser.add_argument("--version", action="version", version=f"hffne {__version__}")
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    # Only the command that runs is imported; help needs all of them.
    wanted = [argv[0]] if argv and argv[0] in VERBS else VERBS
    for verb in wanted:
        importlib.import_module(f"hffne.cli.{verb}").add_parser(subparsers)
    return parser


def _print_any_text() -> None:
    # A console that cannot show a letter of a file's name must not stop the command.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
