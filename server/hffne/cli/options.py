# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several verbs share."""

import argparse
from typing import TypeAlias

# What `add_parser` of a verb gets.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_engine_options(parser):
    """--device, --model and --stochastic, as `pipeline.Engine` takes them."""
    parser.add_argument("--device", metavar="NAME", help="cuda, xpu, mps or cpu (default: the best one there is)")
    parser.add_argument(
        "--model",
        default="compact",
        choices=["compact", "paper"],
        help="compact: the networks that come with hffne (default); paper: the published ones, see `hffne weights`",
    )
    parser.add_argument(
        "--stochastic", action="store_true", help="paper: leave its dropout on, as the published test runs have it"
    )


def engine_arguments(args):
    """What `add_engine_options` gave, as keywords of `pipeline.Engine`."""
    chosen = {"device": args.device, "model": args.model}
    if args.stochastic:
        chosen["stochastic"] = True
    return chosen


def add_size_option(parser):
    """--size, as `size_argument` takes it."""
    parser.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help="side of the crop that the fine network sees: a multiple of 32 from 256 (default) to 2048. Larger: "
        "finer relief from large photos, in more time",
    )


def size_argument(args):
    """What `add_size_option` gave, as a keyword of `pipeline.Engine`. Raises HffneError for a wrong size."""
    if args.size is None:
        return {}
    from hffne.pipeline import check_size

    return {"size": check_size(args.size)}


def face_choice(text):
    """--face: "largest", "all", or an index from 0."""
    if text in ("largest", "all"):
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not 'largest', 'all' or a number from 0")
