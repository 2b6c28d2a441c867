# SPDX-License-Identifier: GPL-3.0-or-later
"""The public Python API: normals of a face, in three lines.

    import hffne
    result = hffne.normals("photo.jpg")
    result.save("normal.png")

Importing this module is cheap; torch is imported when an estimator first computes something.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from hffne import arguments
from hffne.errors import NoFaceError, OutputError, RequestError
from hffne.parts import PARTS
from hffne.photo.detect import BOX_MOST, Face, choose_faces, find_faces
from hffne.photo.image_input import ImageInput, as_photo

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine
    from hffne.textured_face import TexturedFace

_ARRAYS = ("normal", "coarse", "fine", "mask", "landmarks", "skin", "parts")
FaceChoice = int | Literal["largest"] | Face
# The same limits as for Blender (service.protocol).
TEXTURE_SIZES, GRIDS = (64, 8192), (8, 512)
BASES, LODS = ("head", "mask"), ("full", "half", "game")


@dataclass(frozen=True, repr=False)
class FaceNormals:
    """The normals of one face on the pixels of its image (H, W).

    normal     (H, W, 3) float32 unit normals in camera space (x right, y up, z toward the viewer): the coarse normal's
               shape, with the relief of both; zero far from the face
    coarse     (H, W, 3) float32, the coarse network's normal: the exemplar
    fine       (H, W, 3) float32, the fine network's normal before the bands are merged (the paper's N)
    mask       (H, W) bool, the face as its base shape covers it
    landmarks  (68, 3) float32, iBUG order: x and y in pixels of the image (y down), z in the same unit
               toward the viewer
    skin       (H, W) bool, bare skin of the face that nothing covers
    parts      (H, W) uint8, what each pixel shows, numbers of `hffne.PARTS`; background far from the face
    notices    what is worth knowing about the image, as sentences
    """

    normal: np.ndarray
    coarse: np.ndarray
    fine: np.ndarray
    mask: np.ndarray
    landmarks: np.ndarray
    skin: np.ndarray
    parts: np.ndarray
    notices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        height, width = self.mask.shape
        return f"<FaceNormals {width} x {height}, face {self.mask.mean():.0%} of the image>"

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, as an .npz holds them, with the parts' names."""
        return {name: getattr(self, name) for name in _ARRAYS} | {"part_names": np.array(PARTS)}

    def save(self, path: str | Path) -> Path:
        """Write the result: `.png` a 16-bit normal map (Non-Color, green = up), `.npz` all arrays. Returns the path.

        Raises OutputError for another ending, or when the file cannot be written.
        """
        from hffne.normal_file import npz_writer, png_writer
        from hffne.output import write_files

        if not isinstance(path, str | os.PathLike) or "\0" in str(path):
            raise OutputError(f"A file cannot be named {path!r:.60}.", hint="Give a path that ends in .png or .npz.")
        path = Path(path)
        ending = path.suffix.lower()
        if ending == ".png":
            writer = png_writer(self.normal, self.mask)
        elif ending == ".npz":
            writer = npz_writer(**self.arrays())
        else:
            raise OutputError(f"'{path}' ends in '{path.suffix}'.", hint="Choose a name that ends in .png or .npz.")
        write_files({path: writer})
        return path


class NormalEstimator:
    """Estimates faces' normals; the networks are loaded once, with the first photo.

    device  "cuda", "xpu", "mps", "cpu" or None for the best one there is
    model   "compact" (shipped) or "paper" (the published networks, imported by the user)
    size    side in pixels of the crop that the fine network sees: a multiple of 32 from 256 to 2048; None: the
            smallest of 256, 512, 1024 and 2048 that shows what each photo holds (2048 on a GPU only)
    weights a folder that `hffne train` wrote to: its networks take the place of the model's
    coarse  an ONNX file of a network that takes the coarse one's place, its conventions in a JSON file beside it

    One estimator serves one thread at a time. Wrong arguments raise HffneError with the first call that computes.
    """

    def __init__(
        self,
        device: str | None = None,
        model: str = "compact",
        size: int | None = None,
        weights: str | Path | None = None,
        coarse: str | Path | None = None,
    ) -> None:
        self.device, self.model, self.size, self.weights, self.coarse = device, model, size, weights, coarse
        self._engine: Engine | None = None

    def __repr__(self) -> str:
        return f"NormalEstimator(device={self.device!r}, model={self.model!r}, size={self.size})"

    @property
    def engine(self) -> Engine:
        """The pipeline behind it, with the networks loaded. Raises HffneError for a wrong device, model or size."""
        if self._engine is None:
            from hffne.pipeline import Engine

            for name, path in (("weights", self.weights), ("coarse", self.coarse)):
                if path is not None and not isinstance(path, str | os.PathLike):
                    raise RequestError(f"{name} cannot be {path!r:.60}.", hint="Give a path.")
            self._engine = Engine(self.device, self.model, self.size, weights=self.weights, coarse=self.coarse)
        return self._engine

    def faces(self, image: ImageInput) -> list[Face]:
        """The faces on an image, the largest first; an empty list where there is none.

        Raises PhotoError for an image that cannot be read.
        """
        return find_faces(as_photo(image))

    def predict(self, image: ImageInput, face: FaceChoice = "largest") -> FaceNormals:
        """The normals of one face of an image.

        image: a path, a Pillow image, or an array (see `photo.image_input.as_photo`). face: "largest", a number from 0
        (the largest first), or a Face that `faces` gave. Raises PhotoError, NoFaceError, ShapeError.
        """
        from hffne.normal_file import arrays_on_photo

        photo = as_photo(image)
        estimate = self._estimate(photo, face)
        notices = (*photo.notices, *estimate.cover_notices)
        arrays = arrays_on_photo(estimate, photo.rgb.shape[:2])
        return FaceNormals(**{name: arrays[name] for name in _ARRAYS}, notices=notices)

    def build(
        self,
        image: ImageInput,
        face: FaceChoice = "largest",
        texture_size: int = 1024,
        grid: int = 128,
        maps: Iterable[str] = (),
        base: str = "head",
        lod: str = "full",
    ) -> TexturedFace:
        """What Blender builds a face from: the mesh, its UVs, textures and the photo's camera, as arrays.

        image, face: as for `predict`. texture_size: side of the textures in pixels; maps: names of `hffne.maps.MAPS`.
        base: "head", a whole head with shape keys in the density `lod` ("full", "half" or "game"), or "mask", the front
        of the face with `grid` vertices along a side of its UVs. Raises what `predict` raises, and RequestError for a
        value that is not possible.
        """
        from hffne.maps.registry import MAPS

        texture_size = arguments.whole("texture_size", texture_size, *TEXTURE_SIZES)
        grid = arguments.whole("grid", grid, *GRIDS)
        base, lod = arguments.choice("base", base, BASES), arguments.choice("lod", lod, LODS)
        maps = arguments.names("maps", maps, MAPS)
        photo = as_photo(image)
        estimate = self._estimate(photo, face)
        return self.engine.build(photo, estimate, texture_size, grid, maps=maps, base=base, lod=lod)

    def _estimate(self, photo: Photo, face: FaceChoice) -> FaceEstimate:
        if isinstance(face, Face):
            _check_box(face, photo)
        else:
            which = face if face == "largest" else arguments.whole("face", face, 0, 9999)
            face = choose_faces(find_faces(photo), which, photo.path)[0][1]
        return self.engine.normals(photo, face)


def _check_box(face: Face, photo: Photo) -> None:
    """Raise RequestError for a box that is none, NoFaceError for one beside the photo."""
    try:
        x, y, width, height = (float(value) for value in face.box)
    except (TypeError, ValueError):
        x = y = width = height = np.nan
    if not (np.isfinite([x, y]).all() and 1 <= min(width, height) <= max(width, height) < np.inf):
        raise RequestError(f"A face's box cannot be {face.box!r:.80}.", hint="Give a face that `faces` found.")
    if max(width, height) > BOX_MOST * max(photo.size) or not (
        -width < x < photo.size[0] and -height < y < photo.size[1]
    ):
        raise NoFaceError(
            f"The face's box {face.box} does not lie on '{photo.path}'.", hint="Use the face's own image."
        )


def normals(
    image: ImageInput,
    face: FaceChoice = "largest",
    device: str | None = None,
    model: str = "compact",
    size: int | None = None,
) -> FaceNormals:
    """The normals of a face: `NormalEstimator(device, model, size).predict(image, face)`.

    The estimator of the last settings is kept, so that the next call needs not load the networks again.
    """
    return _estimator(device, model, size).predict(image, face)


@lru_cache(maxsize=1)
def _estimator(device: str | None, model: str, size: int | None) -> NormalEstimator:
    return NormalEstimator(device, model, size)
