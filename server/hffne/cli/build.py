# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne build`: a photo in, a .blend with the face, its textures and a preview out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hffne import blender
from hffne.cli.options import add_build_options, add_size_option, build_arguments, face_choice, size_argument
from hffne.errors import HffneError
from hffne.service import protocol

if TYPE_CHECKING:
    from hffne.cli.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        "build",
        help="build a face in Blender from a photo",
        description="Write <stem>.blend (mesh, UVs, material, packed normal map), the textures as files, and "
        "<stem>_preview.png. Needs Blender: the Python module bpy, or a Blender program.",
    )
    parser.add_argument("photo", metavar="PHOTO", type=Path)
    parser.add_argument("-o", "--output", required=True, metavar="DIR", type=Path, help="folder to write to")
    parser.add_argument(
        "--base",
        choices=protocol.BASES,
        help="a whole head with shape keys, or a mask of the face's front (default: head)",
    )
    parser.add_argument("--face", type=face_choice, metavar="N", help="which face, from 0 (default: the largest)")
    add_build_options(parser)
    add_size_option(parser)
    parser.add_argument("--device", metavar="NAME", help="cuda, xpu, mps or cpu (default: the best one there is)")
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="networks that you trained, in a folder of `hffne train`"
    )
    parser.add_argument(
        "--coarse", type=Path, metavar="FILE.onnx", help="a network of normals that takes the coarse one's place"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Build the face in a Blender of its own; the exit code is that process's."""
    if args.face == "all":
        raise HffneError("'build' makes one face at a time.", hint="Give --face a number.")
    options = {**build_arguments(args), **size_argument(args)}
    blender.check_photo(args.photo, "largest" if args.face is None else args.face)
    options |= {name: getattr(args, name) for name in ("base", "face", "device", "weights", "coarse")}
    return blender.build(args.photo, args.output, options)
