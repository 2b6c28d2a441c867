# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs a GPU: python tests/gpu.py [PART...] [--json FILE]    (with an engine whose PyTorch has the GPU)

parity    the astronaut's normals on the GPU against the CPU, and in half precision against float32
together  several photos at once against one alone
memory    what a face takes at 256 to 2048 pixels, and that it is given back
bench     faces per second at 256, 512 and 1024 pixels, 1, 8 and 64 at once, against the published widths, and photos
          per second through the whole pipeline
train     200 steps of the coarse network on a small set of rendered ellipsoids: finite losses, and how fast

Prints Markdown with the card's name; exit code 1 where a bound is broken. Takes a few minutes. --quick leaves most of
it out; `--quick --device cpu` tries the script itself where there is no GPU.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS / "support"), str(TESTS.parent / "server")]

import numpy as np
import skimage.data
import torch

from hffne.benchmark import throughput
from hffne.lockstep import in_lockstep
from hffne.models import device_name, pick_device, untrained_paper_models
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo
from hffne.pipeline import Engine

# Degrees: the mean and all but one in a hundred of the face's pixels.
SAME, HALF = (0.05, 0.2), (0.05, 0.2)
PARTS = ("parity", "together", "memory", "bench", "train")
FAILED = []


@dataclass
class Extent:
    """How much is done."""

    parity: tuple = (256, 512, 1024)
    memory: tuple = (256, 512, 1024, 2048)
    bench: tuple = (256, 512, 1024)
    batches: tuple = (1, 8, 64)
    seconds: float = 1.0
    steps: int = 200


QUICK = Extent((256,), (256, 512), (256,), (1, 2), 0.0, 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--device", metavar="NAME", help="default: the fastest one")
    parser.add_argument("--quick", action="store_true", help="few sizes and steps")
    options = parser.parse_args()
    if not set(options.parts) <= set(PARTS):
        parser.error(f"The parts are {', '.join(PARTS)}.")
    device = pick_device(options.device)
    if device.type == "cpu" and not options.device:
        print("There is no GPU here.", file=sys.stderr)
        return 2
    name = device_name(device)
    print(f"{name}, PyTorch {torch.__version__}\n", flush=True)
    data = {"device": name, "torch": torch.__version__}
    for part in options.parts or PARTS:
        print(f"## {part}\n", flush=True)
        data[part] = globals()[part](device, QUICK if options.quick else Extent())
    if options.json:
        options.json.write_text(json.dumps(data, indent=1), encoding="utf-8")
    for line in FAILED:
        print(f"FAILED: {line}", file=sys.stderr)
    return 1 if FAILED else 0


def angles(one, other):
    """(mean, 99th percentile) of the degrees between two estimates' normals where both have the face."""
    both = one.mask & other.mask
    chord = np.linalg.norm(one.normal[both].astype(float) - other.normal[both], axis=1)
    degrees = np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1)))
    return float(degrees.mean()), float(np.percentile(degrees, 99))


def check(what, value, bound):
    print(f"- {what}: {value:.4g} (at most {bound:.4g})", flush=True)
    if not value <= bound:
        FAILED.append(f"{what}: {value:.4g}, at most {bound:.4g}")


def astronaut():
    photo = Photo(skimage.data.astronaut())
    return photo, find_faces(photo)[0]


def parity(device, extent):
    photo, face = astronaut()
    plain, gpu = Engine("cpu"), Engine(str(device))
    found = {}
    for size in extent.parity:
        truth, full = plain.normals(photo, face, size=size), gpu.normals(photo, face, size=size)
        gpu.networks.half = True
        half = gpu.normals(photo, face, size=size)
        gpu.networks.half = False
        for what, pair, bounds in (("GPU against CPU", (truth, full), SAME), ("half precision", (full, half), HALF)):
            found[f"{what}, {size}"] = compared(f"{what} at {size}", *pair, bounds)
    return found


def together(device, extent):
    engine, found = Engine(str(device)), {}
    shifted = [Photo(np.roll(skimage.data.astronaut(), 7 * number, 1)) for number in range(max(extent.batches[:2]))]
    photos = [(photo, find_faces(photo)[0]) for photo in shifted]
    for size in extent.parity:
        alone = [engine.normals(*photo, size=size) for photo in photos]
        both = [
            in_lockstep(
                engine.networks,
                [lambda n, p=photo, size=size: engine.with_networks(n).normals(*p, size=size) for photo in photos],
            )
            for _ in range(2)
        ]
        for number in (0, len(photos) - 1):
            what = f"photo {number + 1} of {len(photos)} at once against alone, {size}"
            found[what] = compared(what, alone[number], both[0][number], SAME)
        differ = sum((one.normal != other.normal).sum() for one, other in zip(*both, strict=True))
        check(f"values that differ the second time, {size}", differ, 0)
    return found


def compared(what, one, other, bounds):
    check(f"{what}, pixels of one mask alone, share", (one.mask ^ other.mask).sum() / one.mask.sum(), 0.01)
    values = angles(one, other)
    for kind, value, bound in zip(("mean", "99 %"), values, bounds, strict=True):
        check(f"{what}, {kind}, degrees", value, bound)
    return values


def memory(device, extent):
    if device.type not in ("cuda", "xpu"):
        print("- not told by this device")
        return {}
    card = getattr(torch, device.type)
    photo, face = astronaut()
    # The libraries keep working memory of their own from their first use.
    Engine(str(device)).normals(photo, face, size=256)
    _give_back(card)
    before = card.memory_allocated()
    engine = Engine(str(device))
    engine.networks.further.load()
    held = card.memory_allocated() - before
    found = {"networks": held}
    print(f"- the networks: {held / 2**20:.0f} MB")
    for size in extent.memory:
        card.reset_peak_memory_stats()
        engine.normals(photo, face, size=size)
        found[str(size)] = card.max_memory_allocated()
        print(f"- a face at {size}: {found[str(size)] / 2**20:.0f} MB")
        check(f"left after a face at {size}, MB", (card.memory_allocated() - before - held) / 2**20, 16)
    del engine
    _give_back(card)
    check("left after release, MB", (card.memory_allocated() - before) / 2**20, 16)
    return found


def _give_back(card):
    gc.collect()
    card.empty_cache()


def bench(device, extent):
    found = {}
    photo, face = astronaut()
    engine = Engine(str(device))
    for half in (False, True):
        both = {"compact": engine.networks, "paper": untrained_paper_models(device)}
        for models in both.values():
            models.half = half
        rows = throughput.throughput(both, extent.bench, extent.batches, extent.seconds)
        photos = throughput.photos_per_second(engine, photo, face, extent.batches, 256, extent.seconds)
        name = "half precision" if half else "float32"
        found[name] = {"faces": rows, "photos": photos}
        print(f"{name}:\n\n{throughput.markdown(rows)}\n\n{throughput.photos_markdown(photos)}\n", flush=True)
    return found


def train(device, extent):
    from hffne.cli.main import main as hffne
    from tiny_set import build_tiny_set

    if device.type not in ("cuda", "mps", "cpu"):
        print("- Lightning Fabric does not know this device")
        return {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "set"
        folder.mkdir()
        build_tiny_set(folder)
        command = ["train", "coarse", "--set", str(folder), "--output", f"{place}/out", "--steps", str(extent.steps)]
        started = time.perf_counter()
        code = hffne([*command, "--batch", "4", "--accelerator", device.type])
        seconds = time.perf_counter() - started
    check(f"exit code of {extent.steps} steps", code, 0)
    print(f"- {extent.steps} steps with the start: {seconds:.0f} s")
    return {"seconds": seconds}


if __name__ == "__main__":
    sys.exit(main())
