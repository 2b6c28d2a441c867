# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of the networks that see eyes and mouths from close up: squares of large renders and photos."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from hffne.geometry.feature_squares import Square, eye_squares, mouth_square, round_lids, round_lips, round_nose
from hffne.geometry.vectors import normalize
from hffne.synthesis.eye_scenes import BARE_SKIN
from hffne.synthesis.parsing_set import EYE_PEOPLE as PEOPLE
from hffne.synthesis.parsing_set import EYE_PHOTOS, HELD_OUT_EYES
from hffne.synthesis.training_set import TrainingSet
from hffne.training.provenance import files_fingerprint
from hffne.training.settings import Drawing
from hffne.training.sources import Sample
from hffne.training.sources.parsing import photographed

# Where landmarks may lie beside the truth: in sides of the square, logarithms of its side, degrees.
_SHIFT, _SCALE, _TURN = 0.06, 0.12, 7.0
# The coarse normals' own errors vary beyond those of the renders: a rotation of so many degrees.
_TILT = 3.0
_LEAST = 0.08  # the share of a square that must be known, or bare skin
_BESIDE = 0.3  # what renders count beside what is round lids or lips


class FeatureSamples:
    """Random samples of a set's large renders and photos (``synthesis.eye_scenes``).

    Each is a dict of float32 tensors: rgb (3, S, S) in 0..1, sRGB; coarse and normal (3, S, S), unit, camera space;
    weight (S, S) 0..1, how far the normal is known, on photos round lids or lips only; free (S, S) 0..1, where on
    photos the coarse normals need not be kept although no others are known, for their noses, like those of the fits,
    are the worst of them; skin (S, S) 0..1, where a photo shows bare skin; photo (1,), 1 for photos.
    """

    def __init__(
        self, folder: str | Path, size: int, drawing: Drawing, held_out: bool = False, feature: str = "eyes"
    ) -> None:
        """size: of the samples in pixels. drawing: see settings.Drawing; of it `photos`, `moves` and `clean`. held_out:
        renders of the people that training never sees, as they are. feature: "eyes" or "mouth". Raises
        TrainingSetError for a folder without them.
        """
        self.folder, self.size, self.drawing, self.held_out = Path(folder), size, drawing, held_out
        self.feature = feature
        files = TrainingSet(folder)
        self.renders = files.arrays(HELD_OUT_EYES if held_out else PEOPLE)
        self.photos = files.arrays(EYE_PHOTOS) if drawing.photos and not held_out else None

    def draw(self, rng: np.random.Generator) -> list[Sample]:
        """One sample."""
        while True:
            sample = self.sample(rng)
            if float((sample["weight"] + sample["skin"]).mean()) > _LEAST:
                return [sample]

    def fingerprint(self) -> str:
        """See SampleSource."""
        return files_fingerprint(self.folder, self.files())

    def files(self) -> list[Path]:
        """See SetSource."""
        return TrainingSet(self.folder).files(PEOPLE, HELD_OUT_EYES, EYE_PHOTOS)

    def sample(self, rng: np.random.Generator) -> Sample:
        """One sample, see the class."""
        photo = self.photos is not None and rng.random() < self.drawing.photos
        source = self.photos if photo and self.photos is not None else self.renders
        index, side = rng.integers(len(source["points"])), rng.integers(2)
        rgb, known, coarse, points = (np.asarray(source[key][index]) for key in ("rgb", "known", "coarse", "points"))
        normal = np.asarray(source["normal"][index])
        skin = (known == BARE_SKIN) & photo
        square, near, free = self._looked_at(points, side, len(rgb))
        near = near * (1 - free) if photo else np.maximum(np.maximum(near, free), _BESIDE)
        weight: np.ndarray = np.asarray((known > 0) * near, np.float32)
        moved = not self.held_out and rng.random() < self.drawing.moves
        if not self.held_out:
            square = replace(
                square,
                x=square.x + rng.normal(0, _SHIFT) * square.side,
                y=square.y + rng.normal(0, _SHIFT) * square.side,
                side=square.side * float(np.exp(rng.normal(0, _SCALE))),
                turn=float(np.radians(rng.normal(0, _TURN))) if moved else 0.0,
            )
        small = square.at(len(coarse) / len(rgb))
        first = turned(small.cut(coarse.astype(np.float32) / 127, self.size), square.turn)
        # What is around the square is enough, and takes a fraction of the picture's time.
        around, square = square.within(len(rgb))
        picture = square.cut(rgb[around].astype(np.float32) / 255, self.size)
        truth = turned(square.cut(normal[around].astype(np.float32) / 127, self.size), square.turn)
        weight, free, bare = (
            square.cut(each[around].astype(np.float32), self.size) ** 2 for each in (weight, free, skin)
        )
        if not self.held_out:
            first = first if photo else first @ _rotation(rng.normal(0, _TILT, 3)).T
            picture = photographed(rng, picture, photo or rng.random() < self.drawing.clean)
            if rng.random() < 0.5:
                picture, weight, free, bare = (each[:, ::-1] for each in (picture, weight, free, bare))
                truth, first = (n[:, ::-1] * np.array([-1, 1, 1], np.float32) for n in (truth, first))
        arrays = {
            "rgb": np.clip(picture, 0, 1).transpose(2, 0, 1),
            "coarse": normalize(first).transpose(2, 0, 1),
            "normal": normalize(truth).transpose(2, 0, 1),
            "weight": weight,
            "free": free,
            "skin": bare,
            "photo": np.float32(photo),
        }
        return {name: torch.from_numpy(np.ascontiguousarray(array, np.float32)) for name, array in arrays.items()}

    def _looked_at(self, points: np.ndarray, side: int, size: int) -> tuple[Square, np.ndarray, np.ndarray]:
        """A square, what is round the lids or lips, and the base of the nose that is looked at, (S, S); side: which
        eye."""
        if self.feature == "mouth":
            return mouth_square(points), round_lips(points, size), round_nose(points, size)
        return eye_squares(points)[side], round_lids(points, size), np.zeros((size, size), np.float32)


def turned(normal: np.ndarray, turn: float) -> np.ndarray:
    """Normals (..., 3) of a picture in the frame of a square that is turned by `turn`."""
    cosine, sine = np.cos(turn), np.sin(turn)
    # The square's axes on the screen are (c, s) and (-s, c), y down.
    x, y = normal[..., 0], normal[..., 1]
    return np.stack([x * cosine - y * sine, x * sine + y * cosine, normal[..., 2]], -1).astype(np.float32)


def _rotation(degrees: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.Rodrigues(np.radians(degrees))[0], np.float32)
