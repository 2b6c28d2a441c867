# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs a GPU: python tests/gpu.py [PART...] [--json FILE]    (with an engine whose PyTorch has the GPU)

parity   the astronaut's normals on the GPU against the CPU, and in half precision against float32
memory   what a face takes at 256 to 2048 pixels, and that it is given back
bench    faces per second at 256, 512 and 1024 pixels, 1, 8 and 64 at once, against the published widths
train    200 steps of the coarse network on a small set of rendered ellipsoids: finite losses, and how fast

Prints Markdown with the card's name; exit code 1 where a bound is broken. Takes a few minutes.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS / "support"), str(TESTS.parent / "server")]

import numpy as np
import skimage.data
import torch

from hffne.benchmark import throughput
from hffne.models import load_models, pick_device, untrained_paper_models
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo
from hffne.pipeline import Engine

# Degrees: the mean and all but one in a hundred of the face's pixels.
SAME, HALF = (0.05, 0.2), (0.2, 0.5)
FAILED = []


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", default=["parity", "memory", "bench", "train"], metavar="PART")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    device = pick_device()
    if device.type == "cpu":
        print("There is no GPU here.", file=sys.stderr)
        return 2
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    print(f"{name}, PyTorch {torch.__version__}\n", flush=True)
    data = {"device": name, "torch": torch.__version__}
    for part in options.parts:
        print(f"## {part}\n", flush=True)
        data[part] = globals()[part](device)
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


def parity(device):
    photo, face = astronaut()
    plain, gpu = Engine("cpu"), Engine(str(device))
    found = {}
    for size in (256, 512, 1024):
        truth, full = plain.normals(photo, face, size=size), gpu.normals(photo, face, size=size)
        gpu.networks.half = True
        half = gpu.normals(photo, face, size=size)
        gpu.networks.half = False
        for what, pair, bounds in (("GPU against CPU", (truth, full), SAME), ("half precision", (full, half), HALF)):
            values = found[f"{what}, {size}"] = angles(*pair)
            for kind, value, bound in zip(("mean", "99 %"), values, bounds, strict=True):
                check(f"{what} at {size}, {kind}, degrees", value, bound)
    return found


def memory(device):
    if device.type != "cuda":
        return {}
    photo, face = astronaut()
    before = torch.cuda.memory_allocated()
    engine = Engine(str(device))
    held = torch.cuda.memory_allocated() - before
    found = {"networks": held}
    print(f"- the networks: {held / 2**20:.0f} MB")
    for size in (256, 512, 1024, 2048):
        torch.cuda.reset_peak_memory_stats()
        engine.normals(photo, face, size=size)
        found[str(size)] = torch.cuda.max_memory_allocated()
        print(f"- a face at {size}: {found[str(size)] / 2**20:.0f} MB")
        check(f"left after a face at {size}, MB", (torch.cuda.memory_allocated() - before - held) / 2**20, 16)
    del engine
    gc.collect()
    torch.cuda.empty_cache()
    check("left after release, MB", (torch.cuda.memory_allocated() - before) / 2**20, 16)
    return found


def bench(device):
    found = {}
    for half in (False, True):
        both = {"compact": load_models(device), "paper": untrained_paper_models(device)}
        for models in both.values():
            models.half = half
        rows = found["half" if half else "float32"] = throughput.throughput(both, (256, 512, 1024), (1, 8, 64))
        print(f"{'Half precision' if half else 'float32'}:\n\n{throughput.markdown(rows)}\n", flush=True)
    return found


def train(device):
    from hffne.cli.main import main as hffne
    from tiny_set import build_tiny_set

    with tempfile.TemporaryDirectory() as place:
        build_tiny_set(Path(place) / "set")
        started = time.perf_counter()
        command = ["train", "coarse", "--set", f"{place}/set", "--output", f"{place}/out", "--steps", "200"]
        code = hffne([*command, "--batch", "4", "--accelerator", device.type])
        seconds = time.perf_counter() - started
    check("exit code of 200 steps", code, 0)
    print(f"- 200 steps with the start: {seconds:.0f} s")
    return {"seconds": seconds}


if __name__ == "__main__":
    sys.exit(main())
