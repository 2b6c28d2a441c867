# SPDX-License-Identifier: GPL-3.0-or-later
"""Photo files that are changed at random; a part of `fuzz.py`.

Each must be read into pixels of the stated form, or be refused by a PhotoError. They are read in workers with the same
limits as the decoders' child process. Where the decoder is one of those that only run in that child (TIFF, HEIC, AVIF,
JPEG 2000), a worker that ends counts as "ended", as a user is told then; of the others it is a finding, as is a file
that takes longer than SLOW seconds of processor time.
"""

import collections
import io
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

SIDE = 48
# Seconds of the processor for a photo that is read in the program itself; by the clock, of any.
SLOW, LONGEST = 5.0, 300.0
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def seeds():
    """{name: bytes} of sound photos in all the formats that are read."""
    y, x = np.mgrid[:SIDE, :SIDE]
    rgb = np.stack([x * 5, y * 5, (x * y) % 256], -1).astype(np.uint8)
    picture, alpha = Image.fromarray(rgb), Image.fromarray(np.dstack([rgb, 255 - rgb[..., :1]]))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "A description"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    deep = Image.fromarray((x * 1300).astype(np.uint16))
    made = {
        "jpeg": (picture, "JPEG", {"exif": exif, "icc_profile": srgb}),
        "progressive": (picture, "JPEG", {"progressive": True, "icc_profile": profile}),
        "cmyk": (picture.convert("CMYK"), "JPEG", {}),
        "png": (alpha, "PNG", {"icc_profile": srgb, "exif": exif}),
        "png16": (deep, "PNG", {}),
        "palette": (picture.quantize(), "PNG", {"transparency": 3}),
        "webp": (alpha, "WEBP", {"exif": exif, "icc_profile": srgb}),
        "gif": (picture.quantize(), "GIF", {"save_all": True, "append_images": [picture.quantize(8)]}),
        "bmp": (picture, "BMP", {}),
        "ppm": (picture, "PPM", {}),
        "tga": (alpha, "TGA", {"compression": "tga_rle"}),
        "tiff": (alpha, "TIFF", {"compression": "tiff_lzw", "icc_profile": srgb}),
        "tiff16": (deep, "TIFF", {"compression": "tiff_adobe_deflate"}),
        "tiff_float": (Image.fromarray((x / 50).astype(np.float32)), "TIFF", {}),
        "tiff_jpeg": (picture, "TIFF", {"compression": "jpeg"}),
        "j2k": (picture, "JPEG2000", {}),
        "avif": (picture, "AVIF", {}),
    }
    # Pillow does not write these.
    result = {"heic": (Path(__file__).resolve().parents[1] / "data" / "portrait.heic").read_bytes()}
    for name, (image, file_format, more) in made.items():
        if file_format in Image.SAVE or (Image.init() and file_format in Image.SAVE):
            stream = io.BytesIO()
            image.save(stream, file_format, **more)
            result[name] = stream.getvalue()
    return result


def changed(data, chance):
    """A copy of a file with some of it changed."""
    data = bytearray(data)
    way = int(chance.integers(6))
    for _ in range(int(chance.integers(1, 9))):
        # More often in the headers, which are at the start of most files and at the end of TIFFs.
        reach = len(data) if chance.random() < 0.5 else min(len(data), 400)
        at = int(chance.integers(reach)) if chance.random() < 0.8 else len(data) - 1 - int(chance.integers(reach))
        if way == 0:
            data[at] = int(chance.integers(256))
        elif way == 1:
            data[at] ^= 1 << int(chance.integers(8))
        elif way == 2:
            size = int(chance.choice((1, 2, 4)))
            value = NUMBERS[int(chance.integers(len(NUMBERS)))] & ((1 << 8 * size) - 1)
            data[at : at + size] = value.to_bytes(size, "little" if chance.random() < 0.5 else "big")
        elif way == 3:
            end = at + int(chance.integers(1, 64))
            data[at:at] = data[at:end]
        elif way == 4 and len(data) > 80:
            del data[at : at + int(chance.integers(1, 64))]
    if way == 5:
        del data[int(chance.integers(8, len(data))) :]
    return bytes(data)


def read(path):
    """What reading a file gives: a name of the outcome."""
    from hffne.errors import PhotoError
    from hffne.photo.load import decode_file

    try:
        pixels, notices = decode_file(path)
    except PhotoError as error:
        return error.code
    except Exception as error:  # whatever it is, it has escaped
        return f"escaped: {type(error).__name__}: {str(error)[:80]}"
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        return f"escaped: pixels {pixels.dtype} {pixels.shape}"
    return "read" if all(isinstance(notice, str) for notice in notices) else "escaped: a notice that is no text"


def work(folder, seed, first, count, pipe):
    """Read the photos of the numbers from `first`; sends (number, name, limited, outcome, seconds, megabytes)."""
    import resource

    from hffne.photo import decode_child, suspect

    decode_child._limit()
    # Of one photo that is watched from outside.
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sound = list(seeds().items())
    path = Path(folder) / "photo"
    for number in range(first, count):
        chance = np.random.default_rng((seed, number))
        name, data = sound[number % len(sound)]
        path.write_bytes(changed(data, chance))
        pipe.send((number, name, suspect.needs_limits(path), None, 0.0, 0))
        # Of the processor: the machine may be busy.
        started = time.process_time()
        outcome = read(path)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        pipe.send((number, name, suspect.needs_limits(path), outcome, time.process_time() - started, most))


def run(count, seed):
    """(how often each outcome, what escaped) of `count` photos."""
    found, escaped, next_number = collections.Counter(), collections.Counter(), 0
    most_seconds, most_memory = 0.0, 0
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        while next_number < count:
            pipe, other = context.Pipe(duplex=False)
            worker = context.Process(target=work, args=(folder, seed, next_number, count, other))
            worker.start()
            other.close()
            number, name, limited = next_number, "", True
            outcome = None
            try:
                while next_number < count:
                    if not pipe.poll(LONGEST):
                        outcome = "too long"
                        break
                    number, name, limited, outcome, seconds, memory = pipe.recv()
                    if outcome is None:
                        continue
                    next_number = number + 1
                    found[outcome if not outcome.startswith("escaped") else "escaped"] += 1
                    most_seconds, most_memory = max(most_seconds, seconds), max(most_memory, memory)
                    if outcome.startswith("escaped") or (seconds > SLOW and not limited):
                        escaped[f"{number} {name}: {outcome} in {seconds:.1f} s"] += 1
                    if next_number % 2000 == 0:
                        print(f"{next_number} photos, {sum(escaped.values())} escaped", flush=True)
            except EOFError:
                outcome = "ended"
            worker.kill()
            worker.join()
            if next_number < count:
                # The process ended, or was ended, on this one.
                next_number = number + 1
                found[f"{outcome} ({'in a child' if limited else 'in the program'})"] += 1
                if not limited or outcome is None:
                    escaped[f"{number} {name}: {outcome}, exit code {worker.exitcode}"] += 1
    print(f"at most {most_seconds:.1f} s a photo and {most_memory} MB of memory", flush=True)
    return found, escaped
