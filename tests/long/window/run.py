# SPDX-License-Identifier: GPL-3.0-or-later
"""Drive a real Blender with a window as an artist would: install the zip, press the buttons, look.

Not part of the tests that the CI runs: it needs a Blender application, an X display and some minutes.

    python tests/long/window/run.py --blender blender --engine .venv/bin/python --out out/window

It needs xdotool and ImageMagick (and xclip for the step that pastes), and Xvfb where there is no display (it starts one
unless --display names one). It starts Blender with factory settings and a user folder of its own under --out, so your
settings are not touched. Each step prints what it found and leaves a screenshot in --out; `report.json` holds all of
it, with the stalls of Blender's main thread. The exit code is 1 when a step found something else than it should. The
pictures show scikit-image's astronaut (or --photo), so scikit-image must be in the Python that runs this, unless there
is a --photo.
"""

import argparse
import sys
from pathlib import Path

import steps_artist
import steps_buttons
import steps_editors
import steps_face
import steps_guide
import steps_more
import steps_pins
import steps_start
import steps_views
from checks import WindowTest

ROOT = Path(__file__).resolve().parents[3]


def photos(out, photo):
    """{one, two, none}: the photo, one with the face twice, and one without a face."""
    from PIL import Image, ImageOps

    if photo:
        one, name = Image.open(photo).convert("RGB"), Path(photo).stem
    else:
        from skimage import data

        one, name = Image.fromarray(data.astronaut()), "astronaut"
    two = Image.new("RGB", (one.width * 2, one.height), "gray")
    two.paste(one, (0, 0))
    two.paste(
        ImageOps.mirror(one).resize((one.width * 3 // 4, one.height * 3 // 4)),
        (one.width + one.width // 8, one.height // 8),
    )
    made = {
        "one": (one, name),
        "two": (two, f"two {name}s"),
        "none": (Image.new("RGB", (512, 512), "gray"), "nobody"),
    }
    paths = {}
    for key, (picture, name) in made.items():
        paths[key] = out / f"{name}.png"
        picture.save(paths[key])
    return paths


def steps(wanted):
    """The steps of all modules, or those with one of the wanted words in their names; the guide's only when wanted."""
    own = (steps_start, steps_face, steps_more, steps_artist, steps_pins, steps_views, steps_buttons, steps_editors)
    found = [step for module in (*own, steps_guide) for name, step in vars(module).items() if name.startswith("step_")]
    if wanted:
        return [step for step in found if any(word in step.__name__ for word in wanted)]
    return [step for step in found if "guide" not in step.__name__]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blender", default="blender", help="the Blender program (4.2 or later)")
    parser.add_argument("--engine", required=True, help="the Python, or the environment's folder, with the engine")
    parser.add_argument("--out", default="out/window", help="the folder for screenshots and the report")
    parser.add_argument("--photo", help="a photo with one face, instead of scikit-image's astronaut")
    parser.add_argument("--zip", help="the extension's zip; built when it is not given")
    parser.add_argument(
        "--shader-seconds", type=float, default=60, metavar="SECONDS", help="time for compiling the shaders"
    )
    parser.add_argument("--steps", nargs="*", metavar="WORD", help="only steps with one of these words in their names")
    parser.add_argument("--display", help="an existing X display, such as :0; otherwise Xvfb is started")
    options = parser.parse_args()
    out = Path(options.out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    if options.zip is None:
        sys.path.insert(0, str(ROOT))
        from hffne_blender import build

        options.zip = build.build(out)
    return WindowTest(out, photos(out, options.photo), options).run(steps(options.steps))


if __name__ == "__main__":
    sys.exit(main())
