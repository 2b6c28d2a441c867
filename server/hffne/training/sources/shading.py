# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of the shading network: windows of pictures with their colors as without light."""

import cv2
import numpy as np
import torch

from hffne.geometry.unlit import DARK
from hffne.parts import BROWS, EYES, HAIR, LIPS, MOUTH, SKIN
from hffne.photo.colors import LUMINANCE, to_linear, to_srgb
from hffne.synthesis.parsing_set import RELIT
from hffne.training.sources import Sample
from hffne.training.sources.parsing import WIDE, PictureSamples, spoiled, window_matrix

# What a pixel of these parts weighs; of all others, nothing.
_WEIGHTS = {SKIN: 1.0, LIPS: 1.0, BROWS: 0.5, MOUTH: 0.3, EYES: 0.3, HAIR: 0.2}
# Values at which a channel of a picture is clipped, and holds no color any more.
_CLIPPED = 254
# The share of pictures in gray.
_GRAY = 0.08


class ShadingSamples(PictureSamples):
    """Random samples of a set's pictures (``synthesis.parsing_set``) whose albedo is known.

    Each is a dict of float32 tensors: rgb (3, S, S) in 0..1, sRGB; gain (3, S, S), what the shading network is to tell;
    weight (S, S) 0..1, how far the gain is known.
    """

    photo_kind = RELIT

    def sample(self, rng: np.random.Generator) -> Sample:
        """One sample, see the class."""
        shown, bare, part = self.picture(rng, "rgb", "albedo", "part")
        weight: np.ndarray = np.zeros(part.shape, np.float32)
        for number, value in _WEIGHTS.items():
            weight[part == number] = value
        # At a border colors are mixed.
        weight = np.asarray(cv2.erode(weight, np.ones((3, 3), np.uint8)) * (shown.min(2) < _CLIPPED), np.float32)
        color: np.ndarray = to_linear(shown)
        albedo: np.ndarray = to_linear(bare)
        if self.held_out:
            matrix = np.diag([WIDE / self.size] * 2 + [1.0])[:2]
        else:
            matrix = window_matrix(rng, self.size, rng.random() < self.drawing.moves)
            if rng.random() < _GRAY:
                color, albedo = _in_gray(color), _in_gray(albedo)
            balance = np.exp(rng.normal(0, 0.06, 3) + np.array([1, 0, -1]) * rng.normal(0, 0.08) + rng.normal(0, 0.25))
            color = np.asarray(np.clip(color * balance, 0, 1), np.float32)
        gain: np.ndarray = np.asarray(np.log(albedo + DARK) - np.log(color + DARK), np.float32)
        picture: np.ndarray = np.asarray(to_srgb(color), np.float32) / np.float32(255)
        size = (self.size, self.size)
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        if matrix[0, 0] > 1.2:
            picture, gain = cv2.GaussianBlur(picture, (0, 0), 0.5), cv2.GaussianBlur(gain, (0, 0), 0.5)
        picture = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        gain = cv2.warpAffine(gain, matrix, size, flags=flags)
        weight = cv2.warpAffine(weight, matrix, size, flags=flags)
        if not self.held_out:
            if rng.random() >= self.drawing.clean:
                picture = spoiled(rng, picture)
            if rng.random() < 0.5:
                picture, gain, weight = picture[:, ::-1], gain[:, ::-1], weight[:, ::-1]
        arrays = {
            "rgb": np.clip(picture, 0, 1).transpose(2, 0, 1),
            "gain": gain.transpose(2, 0, 1),
            "weight": weight,
        }
        return {name: torch.from_numpy(np.ascontiguousarray(array, np.float32)) for name, array in arrays.items()}


def _in_gray(color: np.ndarray) -> np.ndarray:
    return np.asarray(np.repeat((color @ LUMINANCE)[..., None], 3, 2), np.float32)
