# SPDX-License-Identifier: GPL-3.0-or-later
"""Exemplars for the fine network instead of the coarse normal: from a file, or of the base mesh.

The exemplar encoder learned on whole crops, so an exemplar is a whole crop too: the file's face is laid where the
photo's face is, what the file shows beside it is kept, and what it does not show is filled from the coarse normal.
"""

import re
import warnings
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from hffne.errors import ExemplarError
from hffne.geometry.grids import sample
from hffne.geometry.project import Projection, project
from hffne.geometry.uv import template
from hffne.geometry.vectors import length_of, normalize
from hffne.photo.crop import CROP, SIDE_OVER_RADIUS

BASE = "base"
# Of a picture; of an archive, unpacked.
MOST_PIXELS = 16_000_000
MOST_BYTES = 1 << 30
# A part at a picture's rim that looks exactly at the viewer is what normal maps hold where nothing is known.
_FLAT = 0.01


@dataclass(frozen=True)
class Exemplar:
    """The normals of a face in a file.

    normal     (H, W, 3) float32 unit normals in camera space, zero where nothing is known
    face       (H, W) bool where the face is, or None where the file does not tell: then the picture is a whole crop
    landmarks  (68, 2) pixels, iBUG order, or None
    """

    normal: np.ndarray
    face: np.ndarray | None = None
    landmarks: np.ndarray | None = None

    def on_crop(self, position: np.ndarray, face: np.ndarray) -> np.ndarray:
        """The exemplar on a crop, (256, 256, 3) float32: vectors of length 1 where it is known, 0 elsewhere.

        position (U, U, 3): the position map of the crop's face, in its pixels; face (256, 256) bool: its mask.
        """
        if self.landmarks is not None:
            matrix = _similarity(self.landmarks, _landmarks(position))
        elif self.face is not None:
            matrix = _onto(self.face, face)
        else:
            height, width = self.normal.shape[:2]
            scale = CROP / max(height, width)
            start = np.array([CROP - width * scale, CROP - height * scale]) / 2
            matrix = np.array([[scale, 0, 0], [0, scale, 0]])
            matrix[:, 2] = start + scale / 2 - 0.5
        return _warped(self.normal, matrix)

    def on_mean_face(self) -> np.ndarray:
        """The same on the crop of the mean face seen from the front, for crops whose face's shape is not known."""
        position = _mean_position()
        return self.on_crop(position, project(position).mask)


def read_exemplar(file: str | Path) -> Exemplar:
    """An exemplar from a file. Raises ExemplarError.

    An .npz of `hffne normals` gives its `coarse`, the exemplar of its face, and its `landmarks`; any other has `normal`
    (H, W, 3) and may have `mask` (H, W). A picture holds n * 0.5 + 0.5 of 8 or 16 bits; black, or exactly (0, 0, 1) up
    to its rim, is unknown.
    """
    path = Path(file)
    if not path.is_file():
        raise ExemplarError(f"There is no exemplar '{path}'.", hint="Check the path, or use 'base' for the base mesh.")
    exemplar = _read_archive(path) if path.suffix.lower() == ".npz" else _of_picture(read_normal_picture(path))
    normal = exemplar.normal
    if normal.ndim != 3 or normal.shape[2] != 3 or min(normal.shape[:2]) < 16 or not np.isfinite(normal).all():
        raise ExemplarError(f"'{path}' does not hold a picture of normals.")
    length = np.linalg.norm(normal, axis=2)
    shown = length[length > 0.1]
    # In an ordinary photo taken as normals, the vectors have all lengths.
    if not len(shown) or np.percentile(np.abs(shown - 1), 80) > 0.15:
        raise ExemplarError(f"'{path}' does not hold unit normals.")
    return exemplar


def base_exemplar(projection: Projection) -> np.ndarray:
    """The base mesh's unit normals (256, 256, 3) float32, camera space, zero beside it, as an exemplar."""
    normal = cv2.resize(projection.normal, (CROP, CROP), interpolation=cv2.INTER_AREA)
    empty = length_of(normal)[..., None] < 0.3
    return np.where(empty, 0, normalize(normal)).astype(np.float32)


def exemplar_on_crop(
    wanted: Exemplar | np.ndarray | str | None, coarse: np.ndarray, position: np.ndarray, projection: Projection
) -> np.ndarray:
    """The fine network's exemplar (256, 256, 3) for a crop, see `pipeline.Engine.normals`.

    wanted: an Exemplar of a file, normals (256, 256, 3) on the crop, BASE, or None for the coarse normal. position,
    projection: of the crop's face.
    """
    if wanted is None:
        return coarse
    if isinstance(wanted, str):
        wanted = base_exemplar(projection)
    elif isinstance(wanted, Exemplar):
        mask = cv2.resize(projection.mask.astype(np.float32), (CROP, CROP), interpolation=cv2.INTER_LINEAR) > 0.5
        wanted = wanted.on_crop(position, mask)
    return filled(wanted, coarse)


def filled(exemplar: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """Unit normals (256, 256, 3) float32: the exemplar, and the coarse normal where the exemplar is zero."""
    length = np.linalg.norm(exemplar, axis=2, keepdims=True)
    share = np.clip(1 - length, 0, 1)
    return normalize(exemplar + share * coarse).astype(np.float32)


def _read_archive(path: Path) -> Exemplar:
    """The arrays of an .npz file; a file with `coarse` holds the whole crop. Raises ExemplarError."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise ExemplarError(f"'{path}' holds more than {MOST_BYTES >> 30} GB.")
        with np.load(path, allow_pickle=False) as data:
            normal = np.asarray(data["coarse" if "coarse" in data else "normal"], np.float32)
            face = np.asarray(data["mask"], bool) if "mask" in data else None
            if face is not None and (face.shape != normal.shape[:2] or not face.any()):
                face = None
            landmarks = np.asarray(data["landmarks"], np.float64) if "landmarks" in data else None
            if landmarks is not None and (landmarks.shape[:1] != (68,) or not np.isfinite(landmarks).all()):
                landmarks = None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ExemplarError(f"'{path}' has no array named normal.") from error
    if normal.ndim == 3 and face is not None:
        # Beside the face a file may hold anything; only unit vectors there are normals.
        beside = np.abs(np.linalg.norm(normal, axis=2) - 1) < 0.02
        normal = np.where((face | beside)[..., None], normal, 0).astype(np.float32)
    if landmarks is None and normal.ndim == 3:
        known = np.linalg.norm(normal, axis=2) > 0.5
        face = face if face is not None else None if known.all() or not known.any() else known
    return Exemplar(normal, face, None if landmarks is None else landmarks[:, :2])


def read_normal_picture(path: Path) -> np.ndarray:
    """The vectors encoded in a picture, 8 or 16 bits. Raises ExemplarError."""
    from PIL import Image

    try:
        # The header alone: OpenCV would take the memory for any size, and its JPEG decoder is not used.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=["PNG", "TIFF"])
        with image:
            if image.width * image.height > MOST_PIXELS:
                raise ExemplarError(f"'{path}' has {image.width} x {image.height} pixels, which is too large.")
    except Image.DecompressionBombError as error:
        # Pillow reads no further, and names the size in the text alone.
        pixels = next(iter(re.findall(r"\d+", str(error))), str(2 * (Image.MAX_IMAGE_PIXELS or 0)))
        raise ExemplarError(f"'{path}' has {int(pixels) / 1e6:.0f} million pixels, which is too large.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise ExemplarError(f"'{path}' is not a PNG or TIFF of normals.") from error
    # Through memory: OpenCV opens no paths with non-ASCII letters on Windows.
    data = np.frombuffer(path.read_bytes(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if picture is None or picture.ndim != 3 or picture.dtype not in (np.uint8, np.uint16):
        raise ExemplarError(f"'{path}' is not a picture of normals.")
    encoded = picture[..., 2::-1].astype(np.float32) / (255 if picture.dtype == np.uint8 else 65535)
    return encoded * 2 - 1


def _of_picture(normal: np.ndarray) -> Exemplar:
    """The exemplar of a picture's vectors (H, W, 3), without what is black, or flat up to the rim."""
    length = np.linalg.norm(normal, axis=2)
    unknown = length < 0.5
    flat = (np.abs(normal - np.array([0, 0, 1], np.float32)).max(2) < _FLAT).astype(np.uint8)
    _, labels = cv2.connectedComponents(flat)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    unknown |= (flat > 0) & np.isin(labels, rim)
    if unknown.all() or not unknown.any():
        return Exemplar(normal)
    return Exemplar(np.where(unknown[..., None], 0, normal).astype(np.float32), ~unknown)


@cache
def _mean_position() -> np.ndarray:
    """The position map (U, U, 3) of the mean face from the front, on a crop placed as all crops are."""
    points = template().mean.astype(np.float64)
    middle = points[template().mask].mean(0)
    radius = np.sqrt(np.square(points[template().mask] - middle).sum(1).mean())
    scale = CROP / (SIDE_OVER_RADIUS * radius)
    pixels = (points - middle) * scale * np.array([1, -1, 1]) + np.array([CROP / 2 - 0.5, CROP / 2 - 0.5, 0])
    return pixels.astype(np.float32)


def _landmarks(position: np.ndarray) -> np.ndarray:
    """The 68 points (68, 2) of a position map in its pixels."""
    return sample(position, template().landmarks)[:, :2].astype(np.float64)


def _similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(2, 3): the similarity of the plane that takes points (N, 2) to others, by least squares."""
    middle, aim = source.mean(0), target.mean(0)
    a, b = source - middle, target - aim
    size = max(float(np.square(a).sum()), 1e-9)
    along, across = float((a * b).sum()) / size, float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / size
    turn = np.array([[along, -across], [across, along]])
    return np.column_stack([turn, aim - turn @ middle])


def _onto(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(2, 3): the move and the scale that take a mask (H, W) to another: the same middle, the same area."""
    if not target.any():
        target = project(_mean_position()).mask
    scale = float(np.sqrt(target.sum() / source.sum()))
    middle, aim = (np.array([np.nonzero(mask)[axis].mean() for axis in (1, 0)]) for mask in (source, target))
    return np.column_stack([np.eye(2) * scale, aim - scale * middle])


def _warped(normal: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Normals (H, W, 3) on a crop by a similarity (2, 3) of pixel indices; zero where nothing is known."""
    scale = float(np.hypot(*matrix[:, 0]))
    cosine, sine = matrix[:, 0] / scale
    # Indices count downward, normals upward.
    turn = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]], np.float32)
    known = (np.linalg.norm(normal, axis=2) > 0.5).astype(np.float32)
    layers = np.dstack([normal * known[..., None], known])
    if scale < 0.7:
        layers = cv2.GaussianBlur(layers, (0, 0), 0.4 / scale, borderType=cv2.BORDER_CONSTANT)
    layers = cv2.warpAffine(layers, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    vectors, share = layers[..., :3], np.clip(layers[..., 3:] * 2 - 1, 0, 1)
    return (normalize(vectors) @ turn.T * share).astype(np.float32)
