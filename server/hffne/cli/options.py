# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several verbs share."""

import argparse


def add_engine_options(parser):
    """--device, --model and --stochastic, as `pipeline.Engine` takes them."""
    parser.add_argument(
        "--device", metavar="NAME", help="cuda, xpu, mps or cpu (default: the best one there is)"
    )
    parser.add_argument(
        "--model", default="compact", choices=["compact", "paper"],
        help="compact: the networks that come with hffne (default); paper: the published ones, see `hffne weights`"
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


def face_choice(text):
    """--face: "largest", "all", or an index from 0."""
    if text in ("largest", "all"):
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not 'largest', 'all' or a number from 0")
