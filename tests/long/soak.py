# SPDX-License-Identifier: GPL-3.0-or-later
"""Random faults in one Blender session: python tests/long/soak.py [--faults 200] [--real 0.1] [--seed 1]

Needs `bpy` and the engine in this Python. Each round asks for a face with a fault at a random stage of the request,
for one from a photo that is refused or odd, or runs operators on a face whose data in the file are wrong; then it
compares the scene with what it was; after each, an ordinary request must build a face. A share of the faults meets the
real networks, the others an engine process with a stand-in for them, which starts much sooner. Exit code 1 when
anything was lost.
"""

import argparse
import collections
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(HERE.parent / "support" / "faults"), str(HERE.parents[1] / "server"), str(HERE.parents[1])]
)
sys.path[:0] = [str(HERE.parent / "in_blender"), str(HERE.parent / "support"), str(HERE.parents[1])]

import bpy
import hostile_values

import fake_face
import fake_head
import hffne_blender
from hffne_blender.engine import session, watchdog
from hffne_blender.numeric.received_face import ReceivedFace
from hffne_blender.scene import face

STAGES = ("load", "detect", "prn", "coarse", "fine", "band_merge", "unwrap", "mesh", "result")
# Faults and the codes with which they may be told; None: the face is built all the same.
FAULTS = {
    "kill": {"engine_died"},
    "hang": {"engine_silent", "engine_stuck"},
    "stall": {"engine_stuck"},
    "memory": {"out_of_memory", "engine_died"},
    "pipe": {"engine_died"},
    "stderr": {None},
    "half": {"engine_died"},
    "version": {"version_mismatch"},
    "garbage": {"engine_garbled"},
    "disk": {"file_error", "engine_died"},
    "device": {None},
    "spin": {"engine_stuck"},
    "nan": {"bad_asset"},
    "types": {"bad_asset"},
}
# It takes as long as a stage may take, so it is every so many faults and not drawn by chance.
SPIN_EVERY = 40
# Photos that are refused, and the codes; see `photos`.
REFUSED = {
    "raw.dng": "camera_raw",
    "scans.jpg": "photo_too_complex",
    "bomb.png": "photo_too_large",
    "cut.jpg": "damaged_photo",
    "text.jpg": "not_a_photo",
    "nobody.png": "no_face",
    "directories.tif": "not_a_photo",
    "name{0}%s\u202e.jpg": "not_a_photo",
}
# Photos that are odd and read all the same.
ODD = ("float.tif", "clear.png", "profile.jpg", "turned.jpg", "{}%s name.png")
# Rounds of operators on wrong data, and what they export into a full disk's place.
SCENE = "scene"


def photos(folder, plain):
    """Write the photos of REFUSED and of ODD."""
    import numpy as np
    from PIL import Image

    picture = Image.open(plain)
    data = np.asarray(picture)
    Image.fromarray(np.where(data[..., 0] > 250, 9.0, data[..., 0] / 255).astype(np.float32)).save(folder / ODD[0])
    Image.fromarray(np.dstack([data, np.zeros(data.shape[:2], np.uint8)])).save(folder / ODD[1])
    picture.save(folder / ODD[2], icc_profile=os.urandom(3000))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.rotate(90).save(folder / ODD[3], exif=exif)
    shutil.copy(plain, folder / ODD[4])
    # Its directories go round in a circle.
    (folder / "directories.tif").write_bytes(b"II*\0\x08\0\0\0" + b"\0\0\x08\0\0\0" * 3)
    (folder / "name{0}%s\u202e.jpg").write_text("no photo")
    picture.save(folder / "raw.dng", "TIFF", tiffinfo={50706: b"\1\4\0\0"})
    picture.save(folder / "scans.jpg", progressive=True)
    data = (folder / "scans.jpg").read_bytes()
    last = data.rindex(b"\xff\xda")
    (folder / "scans.jpg").write_bytes(data[:last] + data[last:-2] * 300 + data[-2:])
    (folder / "cut.jpg").write_bytes(data[: len(data) // 3])
    (folder / "text.jpg").write_text("no photo")
    Image.new("RGB", (200, 200), (90, 120, 150)).save(folder / "nobody.png")
    Image.new("1", (20_000, 20_000)).save(folder / "bomb.png")


class Losses(list):
    """A list of sentences, each of which is also printed at once."""

    def append(self, text):
        print(f"LOST {text}", flush=True)
        super().append(text)


def scene_round(folder, chance):
    """What went wrong when operators met wrong data of a file, as a text; all that was made for it is removed."""
    kinds = ("objects", "meshes", "images", "materials", "collections", "texts", "scenes", "node_groups", "lights")
    kinds += ("cameras", "worlds", "actions", "curves")
    before = {kind: set(getattr(bpy.data, kind)) for kind in kinds}
    answer = chance.choice((fake_face, fake_head)).answer(texture_size=16, grid=12, names=("albedo", "height"))
    obj = face.build(ReceivedFace.from_answer(*answer), bpy.context.scene.collection)
    target = bpy.data.objects.new("Target", obj.data.copy())
    bpy.context.scene.collection.objects.link(target)
    bpy.context.view_layer.update()
    spoilt = [hostile_values.spoil(obj, chance) for _ in range(chance.choice((1, 2)))]
    output = folder / "out"
    output.mkdir(exist_ok=True)
    bad = hostile_values.try_all(obj, target, output, chance, 6)
    hidden = [path.name for path in output.iterdir() if path.name.startswith(".")]
    shutil.rmtree(output)
    for kind in kinds:
        bpy.data.batch_remove(set(getattr(bpy.data, kind)) - before[kind])
    for name in hostile_values.PLACES["scene"]:
        if name in bpy.context.scene:
            del bpy.context.scene[name]
    return f"{spoilt}: {bad} {hidden}" if bad or hidden else ""


def fingerprint():
    """Everything in the file that a user could lose: a list of lines."""
    lines = []
    for obj in sorted(bpy.data.objects, key=lambda item: item.name):
        lines.append(repr((obj.name, obj.type, tuple(tuple(row) for row in obj.matrix_world))))
        if obj.type == "MESH":
            points = hashlib.sha256()
            for vertex in obj.data.vertices:
                points.update(repr(vertex.co[:]).encode())
            lines.append(points.hexdigest())
    for kind in ("meshes", "images", "materials", "collections", "texts", "scenes"):
        lines += sorted(f"{kind} {item.name} {item.users}" for item in getattr(bpy.data, kind))
    return lines


def generate(photo):
    """None when the face was built, else the error's code. The face is removed again."""
    kinds = ("objects", "meshes", "materials", "images")
    before = {kind: set(getattr(bpy.data, kind)) for kind in kinds}
    try:
        bpy.ops.hffne.generate(
            "EXEC_DEFAULT",
            photo=str(photo),
            texture_pixels=64,
            grid="64",
            device="cpu",
            engine_python=sys.executable,
            maps=set(),
        )
    except RuntimeError:
        return session.state.last_error["code"]
    for kind in kinds:
        bpy.data.batch_remove(set(getattr(bpy.data, kind)) - before[kind])
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--real", type=float, default=0.1, help="share of faults in engines with the real networks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--terms",
        type=float,
        nargs=3,
        default=(0.5, 10, 15),
        metavar="SECONDS",
        help="heartbeat, and how long silence and standstill are borne",
    )
    options = parser.parse_args()
    watchdog.HEARTBEAT, watchdog.SILENT_SECONDS, watchdog.STUCK_SECONDS = options.terms
    chance = random.Random(options.seed)
    import skimage.data
    from PIL import Image

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_monkey_add(location=(1, 2, 3))
    hffne_blender.register()
    folder = Path(tempfile.mkdtemp(prefix="hffne-soak-"))
    done, lost, started = collections.Counter(), Losses(), time.monotonic()
    try:
        plain = folder / "plain.png"
        Image.fromarray(skimage.data.astronaut()).save(plain)
        photos(folder, plain)
        others = [name for name in FAULTS if name != "spin"]
        real_until = round(options.faults * options.real)
        for number in range(options.faults):
            if number == 0 and real_until:
                os.environ.pop("HFFNE_TEST_STANDIN", None)
            elif number == real_until:
                session.close()
                os.environ["HFFNE_TEST_STANDIN"] = "1"
            # Loading the real networks takes its time.
            watchdog.STAGE_SECONDS = (18 if number < real_until else 2.5) * options.terms[2]
            action = chance.choice([*others, "kill", "half", "memory", *REFUSED, *ODD, SCENE, SCENE, SCENE])
            if number % SPIN_EVERY == SPIN_EVERY - 1:
                action = "spin"
            # A device can only fail where something is computed.
            stage = chance.choice(
                STAGES[2:-1]
                if action == "device"
                else STAGES[:-1]
                if action in ("disk", "memory", "spin", "nan", "types")
                else STAGES
            )
            photo = folder / (action if action in (*REFUSED, *ODD) else f"fault.{action}.{stage}.png")
            if action != SCENE and not photo.exists():
                shutil.copy(plain, photo)
            before = fingerprint()
            done[action] += 1
            if action == SCENE:
                wrong = scene_round(folder, chance)
                if wrong:
                    lost.append(f"{number}: {wrong}")
                code = None
            else:
                code = generate(photo)
            told = {REFUSED[action]} if action in REFUSED else FAULTS.get(action, {None})
            if code not in told:
                lost.append(f"{number}: {action} at {stage}: told as {code}")
            changed = set(before) ^ set(fingerprint())
            if changed:
                lost.append(f"{number}: {action} at {stage}: the scene has changed: {sorted(changed)}")
            if generate(plain) is not None:
                lost.append(f"{number}: {action} at {stage}: the next request failed: {session.state.last_error}")
            if number % 10 == 9:
                print(f"{number + 1} faults, {len(lost)} losses, {time.monotonic() - started:.0f} s", flush=True)
    finally:
        hffne_blender.unregister()
        shutil.rmtree(folder, ignore_errors=True)
    report = {
        "faults": sum(done.values()),
        "real": real_until,
        "seed": options.seed,
        "lost": lost,
        "by_kind": dict(done),
        "seconds": round(time.monotonic() - started),
    }
    print(json.dumps(report, indent=1))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
