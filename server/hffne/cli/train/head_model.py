# SPDX-License-Identifier: GPL-3.0-or-later
"""``hffne train head-model``: make the head model that the engine ships."""

import argparse
from pathlib import Path


def add_parser(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the step to the command line."""
    parser = steps.add_parser(
        "head-model",
        help="make the head model that the engine ships",
        description="Reduces ICT-FaceKit's model to the engine's head: identities of the most variance, sparse "
        "expressions under ARKit's names, one UV square for the skin, and coarser meshes. Nothing is trained.",
    )
    parser.add_argument(
        "--shapes", type=Path, required=True, metavar="DIR", help="folder of ict_facekit.npz (ICT-FaceKit, MIT)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: the engine's own file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the file; returns the exit code."""
    from hffne.head.model import ASSET, write_head_model
    from hffne.synthesis.head_asset import build_head_model

    output = options.output or ASSET
    model = build_head_model(options.shapes)
    write_head_model(model, output)
    sizes = ", ".join(f"{name} {len(mesh.vertices)}" for name, mesh in model.lods.items())
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB; vertices: {sizes}; keys: {len(model.expressions.names)}")
    return 0
