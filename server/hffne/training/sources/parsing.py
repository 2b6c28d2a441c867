# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of the parsing network: windows of pictures with the part of every pixel."""

from pathlib import Path

import cv2
import numpy as np
import torch

from hffne.parts import UNKNOWN
from hffne.photo.pictures import decode_picture
from hffne.synthesis.furrows import with_furrows
from hffne.synthesis.parsing_scenes import SIZE as WIDE
from hffne.synthesis.parsing_set import HELD_OUT_PEOPLE, PEOPLE, PHOTOS
from hffne.synthesis.strands import with_strands
from hffne.synthesis.training_set import TrainingSet
from hffne.training.provenance import files_fingerprint
from hffne.training.settings import Drawing
from hffne.training.sources import Sample

_SMALLEST = 180  # pixels of the picture along a window's side
# The shares of pictures with loose strands over the face, and with deep wrinkles.
_STRANDS, _FURROWS = 0.45, 0.35


class PictureSamples:
    """Random samples of a set's rendered people and of one kind of its pictures of photos."""

    photo_kind: str

    def __init__(self, folder: str | Path, size: int, drawing: Drawing, held_out: bool = False) -> None:
        """size: of the samples in pixels. drawing: see settings.Drawing; of it `photos`, `moves` and `clean`. held_out:
        renders of the people that training never sees, as they are. Raises TrainingSetError for a folder without such
        pictures."""
        files = TrainingSet(folder)
        self.folder, self.size, self.drawing, self.held_out = Path(folder), size, drawing, held_out
        self.people = files.arrays(HELD_OUT_PEOPLE if held_out else PEOPLE)
        self.photos = None if held_out else files.arrays(self.photo_kind)

    def draw(self, rng: np.random.Generator) -> list[Sample]:
        """One sample."""
        return [self.sample(rng)]

    def fingerprint(self) -> str:
        """See SampleSource."""
        return files_fingerprint(self.folder, self.files())

    def files(self) -> list[Path]:
        """See SetSource."""
        return TrainingSet(self.folder).files(PEOPLE, HELD_OUT_PEOPLE, self.photo_kind)

    def sample(self, rng: np.random.Generator) -> Sample:
        """One sample."""
        raise NotImplementedError

    def picture(self, rng: np.random.Generator, *names: str) -> list[np.ndarray]:
        """The fields of these names of a random picture."""
        use_photo = self.photos is not None and rng.random() < self.drawing.photos
        source = self.photos if use_photo and self.photos is not None else self.people
        index = rng.integers(len(source["part"]))
        return [np.asarray(source[name][index]) for name in names]


class ParsingSamples(PictureSamples):
    """Random samples of a set's pictures (``synthesis.parsing_set``).

    Each is a dict of float32 tensors: rgb (3, S, S) in 0..1, sRGB; part (S, S), a number of `parts.PARTS` or UNKNOWN.
    """

    photo_kind = PHOTOS

    def sample(self, rng: np.random.Generator) -> Sample:
        """One sample, see the class."""
        rgb, part = self.picture(rng, "rgb", "part")
        if not self.held_out:
            drawn = rgb.astype(np.float32) / 255
            if rng.random() < _FURROWS:
                drawn = with_furrows(rng, drawn, part)
            if rng.random() < _STRANDS:
                drawn, part = with_strands(rng, drawn, part)
            rgb = np.round(drawn * 255).astype(np.uint8)
        if self.held_out:
            matrix = np.diag([WIDE / self.size] * 2 + [1.0])[:2]
        else:
            matrix = window_matrix(rng, self.size, rng.random() < self.drawing.moves)
        flags = cv2.WARP_INVERSE_MAP
        small = cv2.GaussianBlur(rgb, (0, 0), 0.5) if matrix[0, 0] > 1.2 else rgb
        rgb = cv2.warpAffine(
            small, matrix, (self.size, self.size), flags=flags | cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        part = cv2.warpAffine(
            part,
            matrix,
            (self.size, self.size),
            flags=flags | cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(UNKNOWN,),
        )
        picture = rgb.astype(np.float32) / 255
        if not self.held_out:
            picture = photographed(rng, picture, rng.random() < self.drawing.clean)
            if rng.random() < 0.5:
                picture, part = picture[:, ::-1], part[:, ::-1]
        return {
            "rgb": torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)),
            "part": torch.from_numpy(np.ascontiguousarray(part, np.float32)),
        }


def window_matrix(rng: np.random.Generator, size: int, moved: bool) -> np.ndarray:
    """The matrix (2, 3) from a sample's pixels to the picture's."""
    side = float(np.exp(rng.uniform(np.log(_SMALLEST), np.log(WIDE * 1.05))))
    turn = np.radians(rng.normal(0, 14)) if moved else 0.0
    step = side / size
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * step
    room = max(WIDE - side, 0) / 2
    middle = WIDE / 2 + np.clip(rng.normal(0, 0.4, 2), -1, 1) * room + rng.normal(0, 4, 2)
    offset = middle - 0.5 - rotation @ np.full(2, (size - 1) / 2)
    return np.concatenate([rotation, offset[:, None]], 1)


def photographed(rng: np.random.Generator, rgb: np.ndarray, clean: bool) -> np.ndarray:
    """Colors (S, S, 3) 0..1 as other light and cameras give them."""
    rgb = _colored(rng, rgb)
    return np.clip(rgb if clean else spoiled(rng, rgb), 0, 1).astype(np.float32)


def _colored(rng: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    rgb = np.clip(rgb, 1e-4, 1) ** np.float32(np.exp(rng.normal(0, 0.2)))
    rgb = rgb * np.exp(rng.normal(0, 0.05, 3) + np.array([1, 0, -1]) * rng.normal(0, 0.06)).astype(np.float32)
    gray = rgb.mean(2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.1 else rng.uniform(0.5, 1.4)
    rgb = gray + (rgb - gray) * np.float32(saturation)
    return rgb * np.float32(rng.uniform(0.6, 1.15)) + np.float32(rng.normal(0, 0.03))


def spoiled(rng: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Colors (S, S, 3) 0..1 as bad cameras and files give them: blurred, small, noisy, compressed."""
    if rng.random() < 0.3:
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 2))
    if rng.random() < 0.2:
        small = int(len(rgb) * rng.uniform(0.25, 0.7))
        rgb = cv2.resize(cv2.resize(rgb, (small, small), interpolation=cv2.INTER_AREA), rgb.shape[1::-1])
    if rng.random() < 0.4:
        rgb = rgb + rng.normal(0, rng.uniform(0, 0.05), rgb.shape).astype(np.float32)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        _, code = cv2.imencode(".jpg", (np.clip(rgb, 0, 1) * 255).astype(np.uint8), quality)
        rgb = decode_picture(code, cv2.IMREAD_COLOR).astype(np.float32) / 255
    return rgb
