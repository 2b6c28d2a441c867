# SPDX-License-Identifier: GPL-3.0-or-later
"""From nothing to a face in Blender: python server/quickstart.py [PHOTO]

Makes the project's environment when there is none, then builds a .blend from the
photo (by default the astronaut photo of scikit-image). Standard library only.
"""

import argparse
import sys
from pathlib import Path

from bootstrap import ROOT, SetupFailed, ensure_environment, run, say

_SAVE_ASTRONAUT = """
import sys
import skimage.data
from PIL import Image
Image.fromarray(skimage.data.astronaut()).save(sys.argv[1])
"""


def main() -> int:
    """Set up the environment, build the face and say where it is; returns the exit code of `hffne build`."""
    parser = argparse.ArgumentParser(description="Build a face in Blender from a photo.")
    parser.add_argument("photo", nargs="?", type=Path, help="default: the astronaut photo of scikit-image")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "out", help="folder to write to (default: out)")
    parser.add_argument("--blender", metavar="PROGRAM", help="a Blender program to use instead of the Python module")
    args = parser.parse_args()
    if args.photo and not args.photo.is_file():
        parser.error(f"there is no file '{args.photo}'")
    try:
        return _build(args)
    except SetupFailed as error:
        print(f"quickstart: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("quickstart: interrupted; the same command goes on", file=sys.stderr)
        return 130


def _build(args: argparse.Namespace) -> int:
    """The exit code of `hffne build`, in an environment that is made first. Raises SetupFailed."""
    python = ensure_environment(["test"] if args.blender else ["blender", "test"])
    photo = args.photo
    if photo is None:
        args.output.mkdir(parents=True, exist_ok=True)
        photo = args.output / "astronaut.png"
        say(f"Using the astronaut photo of scikit-image: {photo}")
        if run(python, "-c", _SAVE_ASTRONAUT, photo):
            return 1
    say(f"Building the face of {photo}")
    command = ["-m", "hffne", "build", photo, "-o", args.output]
    if args.blender:
        command += ["--blender", args.blender]
    code = run(python, *command)
    if code == 0:
        say(f"Blender file: {args.output / (photo.stem + '.blend')}")
        say(f"Preview:      {args.output / (photo.stem + '_preview.png')}")
    return code


if __name__ == "__main__":
    sys.exit(main())
