# SPDX-License-Identifier: GPL-3.0-or-later
"""``hffne train``: make the training set and train networks on it."""

import argparse

from hffne.cli.train import data, head_model, networks, pack, rest


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "train",
        help="train the networks from photos and a face model",
        description="`data` fits the face model to photos and makes the training set. `prn` trains the position map "
        "network on it, `coarse` the exemplar's, `fine` the fine network on top of that; `paper-coarse` and "
        "`paper-fine` are the two stages as published (docs/paper.md). Each step resumes where it was interrupted. "
        "See server/hffne/weights/MODEL_CARD.md for the run that made the shipped weights.",
    )
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    data.add_parser(steps)
    head_model.add_parser(steps)
    rest.add_parser(steps)
    networks.add_parsers(steps)
    pack.add_parser(steps)
