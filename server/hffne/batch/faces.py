# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos of a batch: their faces as encoded files."""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import cv2
import numpy as np

from hffne.batch.settings import BatchSettings
from hffne.errors import OutputError
from hffne.lockstep import SharedNetworks, in_lockstep
from hffne.normal_file import arrays_on_photo, encode_png, npz_writer
from hffne.photo.detect import Face, choose_faces, find_faces
from hffne.photo.load import Photo, load_photo

if TYPE_CHECKING:
    from hffne.pipeline import Engine


# Facts, and the content of each file by its ending.
MadeFace = tuple[dict[str, Any], dict[str, bytes]]


def faces_of(engine: "Engine", path: Path, settings: BatchSettings) -> Iterator[MadeFace]:
    """(facts, {ending: content}) of each chosen face of a photo.

    The endings are those of `hffne normals` for single files, and "normal.png", "mask.png" and "parts.png" (numbers of
    `parts.PARTS`) for shards. Facts: the
    face's number, its 68 landmarks in pixels of the photo (see estimate.FaceEstimate), the photo's width and height,
    the side of the crop, and the notices on the photo. Raises what `pipeline.Engine.normals` and `load_photo` raise.
    """
    photo, chosen = _opened(path, settings)
    for number, face in chosen:
        yield _made(engine, photo, number, face, settings)


def faces_together(
    engine: "Engine", paths: Sequence[Path], settings: BatchSettings, at_once: int
) -> list[list[MadeFace] | Exception]:
    """What `faces_of` yields, or raises, for each photo; `at_once` faces go through the networks together."""
    found: list[list[MadeFace] | Exception] = []
    tasks: list[tuple[int, Callable[[SharedNetworks], MadeFace]]] = []
    for index, path in enumerate(paths):
        try:
            photo, chosen = _opened(path, settings)
        except Exception as error:
            found.append(error)
            continue
        found.append([])
        tasks += [(index, partial(_made_with, engine, photo, number, face, settings)) for number, face in chosen]
    for start in range(0, len(tasks), at_once):
        some = tasks[start : start + at_once]
        results = in_lockstep(engine.networks, [task for _, task in some])
        for (index, _), result in zip(some, results, strict=True):
            made = found[index]
            if isinstance(made, Exception):
                continue
            if isinstance(result, Exception):
                found[index] = result
            else:
                made.append(result)
    return found


def _opened(path: Path, settings: BatchSettings) -> tuple[Photo, list[tuple[int, Face]]]:
    photo = load_photo(path)
    return photo, choose_faces(find_faces(photo), settings.face, path)


def _made_with(
    engine: "Engine", photo: Photo, number: int, face: Face, settings: BatchSettings, networks: SharedNetworks
) -> MadeFace:
    return _made(engine.with_networks(networks), photo, number, face, settings)


def _made(engine: "Engine", photo: Photo, number: int, face: Face, settings: BatchSettings) -> MadeFace:
    estimate = engine.normals(photo, face)
    arrays = arrays_on_photo(estimate, photo.rgb.shape[:2])
    normal, mask = arrays["normal"], arrays["mask"]
    facts = {
        "face": number,
        "width": photo.size[0],
        "height": photo.size[1],
        "crop": estimate.crop.size,
        "landmarks": [[round(float(value), 3) for value in point] for point in arrays["landmarks"]],
        "notices": [*photo.notices, *estimate.parts.notices(estimate.mask)],
    }
    if settings.sharded:
        pictures = {"mask.png": mask.astype(np.uint8) * 255, "parts.png": arrays["parts"]}
        small = {name: _encoded(picture) for name, picture in pictures.items()}
        return facts, {"normal.png": encode_png(normal, mask), **small}
    written = _bytes_of(npz_writer(settings.compress, **arrays))
    return facts, {".npz": written, "_normal.png": encode_png(normal, mask)}


def _bytes_of(write: Callable[[IO[bytes]], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def _encoded(picture: np.ndarray) -> bytes:
    """An 8-bit picture (H, W) as PNG. Raises OutputError."""
    done, data = cv2.imencode(".png", picture)
    if not done:
        raise OutputError("A picture cannot be encoded as PNG.")
    return data.tobytes()
