# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: one verb, one module.

A verb's module exposes `add_parser(subparsers)`, which sets the default `run`:
a function of the parsed arguments that returns the exit code. Importing it must
be cheap: torch, OpenCV and the like are imported inside `run`.
"""
