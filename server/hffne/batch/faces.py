# SPDX-License-Identifier: GPL-3.0-or-later
"""One photo of a batch: its faces as encoded files."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import cv2
import numpy as np

from hffne.batch.settings import BatchSettings
from hffne.errors import OutputError
from hffne.normal_file import arrays_on_photo, encode_png, npz_writer
from hffne.photo.detect import choose_faces, find_faces
from hffne.photo.load import load_photo

if TYPE_CHECKING:
    from hffne.pipeline import Engine


def faces_of(
    engine: "Engine", path: Path, settings: BatchSettings
) -> Iterator[tuple[dict[str, Any], dict[str, bytes]]]:
    """(facts, {ending: content}) of each chosen face of a photo.

    The endings are those of `hffne normals` for single files, and "normal.png", "mask.png" and "parts.png" (numbers of
    `parts.PARTS`) for shards. Facts: the
    face's number, its 68 landmarks in pixels of the photo (see estimate.FaceEstimate), the photo's width and height,
    the side of the crop, and the notices on the photo. Raises what `pipeline.Engine.normals` and `load_photo` raise.
    """
    photo = load_photo(path)
    chosen = choose_faces(find_faces(photo), settings.face, path)
    for number, face in chosen:
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
            yield facts, {"normal.png": encode_png(normal, mask), **small}
        else:
            written = _bytes_of(npz_writer(settings.compress, **arrays))
            yield facts, {".npz": written, "_normal.png": encode_png(normal, mask)}


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
