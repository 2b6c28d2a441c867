# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several verbs share."""

import argparse


def add_engine_options(parser):
    """--device and --model, as `pipeline.Engine` takes them."""
    parser.add_argument(
        "--device", metavar="NAME", help="cuda, xpu, mps or cpu (default: the best one there is)"
    )
    parser.add_argument(
        "--model", default="compact", metavar="NAME", help="the networks' configuration (default: %(default)s)"
    )


def face_choice(text):
    """--face: "largest", "all", or an index from 0."""
    if text in ("largest", "all"):
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not 'largest', 'all' or a number from 0")
