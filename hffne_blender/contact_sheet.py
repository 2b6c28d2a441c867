# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws faces on one sheet for comparison: each rendered from the left, the front and the right, one row per face.

    python -m hffne_blender.contact_sheet FACE.blend... -o SHEET.png [--photos DIR] [--turns 0 90] [--keys jawOpen]

Takes what `hffne build` makes. The lights stand still while the head turns, so each view is lit differently; with
`--clay` the relief is shown without its color. With `--photos` a row begins with the photo of the same name; with
`--keys` it ends with the head's relaxed face moved by shape keys.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .commands import preview
from .commands.leave import leave
from .numeric.png import png_bytes
from .numeric.received_face import PhotoCrop
from .scene import camera, images, skin_nodes
from .scene.access import first_material
from .scene.nodes import set_input
from .scene.temporary import cycles_of
from .system.file_set import FileSet
from .system.photo_formats import EXTENSIONS
from .system.required import required
from .system.silence_stdout import silence_stdout

TURNS = (-55.0, 0.0, 55.0)  # degrees about the upright axis
KEY_TURN = 20.0  # degrees, of the pictures of shape keys
GAP = 4  # pixels between the rows


@dataclass(frozen=True)
class RowOptions:
    """How a row is rendered.

    height in pixels; samples of Cycles; clay: without color; engine: Blender's name; turns: degrees about the upright
    axis, a picture each; keys: names of shape keys, a picture each, where "eyeBlink" is both eyeBlinkLeft and
    eyeBlinkRight
    """

    height: int = 480
    samples: int = 16
    clay: bool = False
    engine: str = "CYCLES"
    turns: tuple[float, ...] = TURNS
    keys: tuple[str, ...] = ()


def row(blend: str, folder: str, photo: str = "", options: RowOptions = RowOptions()) -> np.ndarray:
    """The pictures of one .blend side by side: (height, W, 3) float32, display-referred, row 0 at the top.

    folder  for the renders
    photo   a file whose face is shown first, cropped as the engine saw it, or ""

    Raises ValueError when the file does not have exactly one face, RuntimeError when it cannot be opened or rendered.
    """
    bpy.ops.wm.open_mainfile(filepath=os.path.abspath(blend))
    faces = [obj for obj in bpy.data.objects if camera.load(obj) is not None]
    if len(faces) != 1:
        raise ValueError(f"{blend} has {len(faces)} face objects; it needs exactly one.")
    obj, scene, height = faces[0], required(bpy.context.scene), options.height
    if scene.camera is None:
        preview.set_up(scene, obj, options.samples)
    render: Any = scene.render
    render.engine = options.engine
    cycles_of(scene).samples = options.samples
    render.resolution_x, render.resolution_y = height * preview.WIDTH // preview.HEIGHT, height
    render.resolution_percentage = 100
    if options.clay:
        set_input(required(skin_nodes.find_node(first_material(obj))), "Clay", 1.0)
    pictures = [_cropped(photo, camera.of_face(obj)["crop"], height)] if photo else []
    before = obj.rotation_euler.z
    for turn, key in [*((turn, "") for turn in options.turns), *((KEY_TURN, key) for key in options.keys)]:
        obj.rotation_euler.z = before + np.radians(turn)
        if key:
            _pose(obj, key)
        path = os.path.join(folder, "view.png")
        preview.render(scene, path)
        pictures.append(_read(path))
    return np.concatenate(pictures, 1)


def _pose(obj: bpy.types.Object, name: str) -> None:
    """Set the shape keys of a name, or of its left and right, to 1 and all others to 0. Raises ValueError for none."""
    keys = getattr(obj.data, "shape_keys", None)
    wanted = {name, f"{name}Left", f"{name}Right"}
    if keys is None or not wanted & set(keys.key_blocks.keys()):
        raise ValueError(f"{obj.name} has no shape key '{name}'.")
    for block in keys.key_blocks:
        block.value = float(block.name in wanted)


def _cropped(path: str, crop: PhotoCrop, height: int) -> np.ndarray:
    """The photo's square that the engine saw, nearest pixels, (height, height, 3)."""
    picture = _read(path)
    step = ((np.arange(height) + 0.5) / height - 0.5) * crop["side"] - 0.5
    x = np.clip(np.round(crop["center_x"] + step), 0, picture.shape[1] - 1).astype(int)
    y = np.clip(np.round(crop["center_y"] + step), 0, picture.shape[0] - 1).astype(int)
    return picture[y[:, None], x]


def _read(path: str) -> np.ndarray:
    image = bpy.data.images.load(path)
    try:
        return images.values(image)[..., :3]
    finally:
        bpy.data.images.remove(image)


def _photo_of(blend: str, folder: str) -> str:
    """The photo in a folder whose name is that of the .blend, or ""."""
    stem = os.path.splitext(os.path.basename(blend))[0]
    paths = [os.path.join(folder, stem + ending) for ending in EXTENSIONS] if folder else []
    return next((path for path in paths if os.path.isfile(path)), "")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status: 0, 2 for a bad file, 4 where the sheet cannot be written."""
    parser = argparse.ArgumentParser(prog="hffne_blender.contact_sheet", description=__doc__.split("\n")[0])
    parser.add_argument("blends", nargs="+", metavar="BLEND", help="a file that `hffne build` wrote")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the sheet, a PNG")
    parser.add_argument("--photos", default="", metavar="DIR", help="folder of the photos, by the same names")
    parser.add_argument("--height", type=int, default=480, metavar="PIXELS", help="of a row (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=16, metavar="N", help="of Cycles (default: %(default)s)")
    parser.add_argument(
        "--turns", type=float, nargs="+", default=TURNS, metavar="DEGREES", help="the views (default: -55 0 55)"
    )
    parser.add_argument("--keys", nargs="+", default=(), metavar="NAME", help="shape keys of heads, a picture each")
    parser.add_argument("--clay", action="store_true", help="without color")
    parser.add_argument("--eevee", action="store_true", help="EEVEE instead of Cycles (needs a window or a GPU)")
    options = parser.parse_args(arguments)
    engine = "CYCLES"
    if options.eevee:
        engine = "BLENDER_EEVEE_NEXT" if (4, 2) <= bpy.app.version < (5, 0) else "BLENDER_EEVEE"
    turns, keys = tuple(options.turns), tuple(options.keys)
    rendering = RowOptions(options.height, options.samples, options.clay, engine, turns, keys)
    rows = []
    with tempfile.TemporaryDirectory(prefix="hffne-") as folder:
        for blend in options.blends:
            try:
                with silence_stdout():
                    rows.append(row(blend, folder, _photo_of(blend, options.photos), rendering))
            except (ValueError, RuntimeError) as error:
                print(str(error).strip(), file=sys.stderr)
                return 2
            print(blend, flush=True)
    width = max(len(picture[0]) for picture in rows)
    padded = [np.pad(picture, ((0, GAP), (0, width - len(picture[0])), (0, 0))) for picture in rows]
    sheet = np.rint(np.clip(np.concatenate(padded), 0, 1) * 255).astype(np.uint8)
    try:
        with FileSet() as files:
            files.add(options.output).write_bytes(png_bytes(sheet))
            files.commit()
    except OSError as error:
        print(f"{options.output} could not be written: {error}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    leave(main())
