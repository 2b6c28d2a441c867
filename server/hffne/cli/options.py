# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several commands share."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from hffne.service import protocol

# What `ArgumentParser.add_subparsers` returns.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

T = TypeVar("T")

# The largest count of anything: more is a mistake.
_MOST = 1_000_000_000


def whole(low: int = 1, high: int = _MOST) -> Callable[[str], int]:
    """The type, for argparse, of an option that is a whole number from `low` to `high`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            limits = f"from {low} to {high}" if high < _MOST else f"from {low}"
            raise argparse.ArgumentTypeError(f"{text!r:.60} is not a whole number {limits}")
        return number

    return read


def number(low: float, high: float) -> Callable[[str], float]:
    """The type, for argparse, of an option that is a number from `low` to `high`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r:.60} is not a number from {low:g} to {high:g}")
        return value

    return read


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add --device, --model, --stochastic, --weights, --coarse and --crop, the
    options of `pipeline.Engine`."""
    parser.add_argument("--device", metavar="NAME", help="cuda, xpu, mps or cpu (default: the fastest one available)")
    parser.add_argument(
        "--model",
        default="compact",
        choices=["compact", "paper"],
        help="compact: the networks that come with hffne (default); paper: the published ones, see `hffne weights`",
    )
    parser.add_argument(
        "--stochastic", action="store_true", help="paper: keep its dropout on, as in the published test runs"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="DIR",
        help="networks that you trained, in a folder of `hffne train`: they take the place of the model's",
    )
    parser.add_argument(
        "--coarse",
        type=Path,
        metavar="FILE.onnx",
        help="a network of normals that takes the coarse one's place, its conventions in FILE.json (docs/paper.md)",
    )
    parser.add_argument(
        "--crop",
        choices=["auto", "wide", "published", "picture"],
        default="auto",
        help="what the networks see: wide, our own crop (default of compact); published, 1.33 times tighter, as the "
        "published samples are (default of paper); picture, the picture as it is, for faces that are cropped already",
    )


def engine_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """The options of `add_engine_options` as keyword arguments of `pipeline.Engine`."""
    chosen: dict[str, Any] = {"device": args.device, "model": args.model}
    if args.stochastic:
        chosen["stochastic"] = True
    if args.weights:
        chosen["weights"] = args.weights
    if args.coarse:
        chosen["coarse"] = args.coarse
    if args.crop != "auto":
        chosen["framing"] = args.crop
    return chosen


def add_size_option(parser: argparse.ArgumentParser) -> None:
    """Add --size, the option that `size_argument` reads."""
    parser.add_argument(
        "--size",
        type=crop_size,
        metavar="PIXELS",
        help="side of the crop for the fine network: a multiple of 32 from 256 to 2048, or auto (default): the "
        "smallest of 256, 512, 1024 and 2048 that shows what each photo holds (2048 on a GPU only)",
    )


def size_argument(args: argparse.Namespace) -> dict[str, Any]:
    """The option of `add_size_option` as an argument of `pipeline.Engine`. Raises HffneError for a wrong size."""
    if args.size in (None, "auto"):
        return {}
    from hffne.crop_levels import check_size

    return {"size": check_size(args.size)}


def crop_size(text: str) -> str | int:
    """The type of --size: "auto" or a number of pixels. Raises argparse.ArgumentTypeError."""
    if text == "auto":
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is neither 'auto' nor a number of pixels")


def face_choice(text: str) -> str | int:
    """The type of --face: "largest", "all", or an index from 0. Raises argparse.ArgumentTypeError."""
    if text in ("largest", "all"):
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not 'largest', 'all' or a number from 0")


def add_build_options(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Add the options that `build_arguments` reads: how a face is built in Blender."""
    parser.add_argument(
        "--blender", metavar="PROGRAM", help="a Blender program, or a Python that has bpy (default: this Python's bpy)"
    )
    low, high = protocol.TEXTURE_SIZES
    parser.add_argument(
        "--texture-size",
        type=whole(low, high),
        metavar="PIXELS",
        help=f"side of the textures, {low} to {high} (default: 1024)",
    )
    parser.add_argument("--lod", choices=protocol.LODS, help="density of a head's mesh (default: full)")
    parser.add_argument(
        "--grid", type=int, choices=(32, 64, 128), help="faces of a mask's mesh along one side of the UV square"
    )
    parser.add_argument(
        "--maps",
        type=_maps,
        metavar="NAMES",
        help=f"further textures, separated by commas: {', '.join(protocol.MAP_ARRAYS)}; or all, or none "
        "(default: albedo, bands, height, occlusion, roughness)",
    )
    parser.add_argument(
        "--keep",
        action="append",
        choices=protocol.COVERS,
        help="leave what covers the face as the photo shows it; else the skin below is completed",
    )
    parser.add_argument(
        "--samples", type=whole(0), metavar="N", help="quality of the preview (default: 32; 0: no preview)"
    )


def build_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """The options of `add_build_options` that were given, as plain data for `blender.build`."""
    names = ("blender", "texture_size", "lod", "grid", "maps", "keep", "samples")
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _maps(text: str) -> str:
    """The type of --maps. Raises argparse.ArgumentTypeError."""
    unknown = [name for name in text.split(",") if name.strip().lower() not in protocol.MAP_ARRAYS]
    if unknown and text not in ("all", "none"):
        raise argparse.ArgumentTypeError(f"unknown map {', '.join(map(repr, unknown))}")
    return text


def evenly_spaced(items: Sequence[T], count: int | None) -> list[T]:
    """`count` of the items, evenly spaced over all of them; all items when there are fewer, or when count is None."""
    if count is None or count >= len(items):
        return list(items)
    return [items[k * len(items) // count] for k in range(count)]
