# SPDX-License-Identifier: GPL-3.0-or-later
"""What skin looks like on one photo: a robust model of its color, from the middle of the face.

Colors are compared as logarithms, brightness apart from chroma (two ratios), so that shading moves only the first.
"""

from dataclasses import dataclass

import numpy as np

from hffne.geometry.completion import DARK

# Least and greatest deviations of brightness and the two ratios, logarithms: shading, cheeks redder than the forehead.
# A greater one comes from something else in the face's middle, a beard or glasses.
LEAST, _GREATEST = np.array([0.20, 0.05, 0.05]), np.array([0.34, 0.09, 0.075])
_ROUNDS = 6
# Without any skin that is visible.
_UNKNOWN = np.array([0.66, 0.50, 0.43])


@dataclass(frozen=True)
class SkinTone:
    """color (3,) 0..1 sRGB, the typical one; mean and deviation (3,) of its features."""

    color: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    @staticmethod
    def features(colors: np.ndarray) -> np.ndarray:
        """Brightness and two ratios (n, 3), logarithms, of colors (n, 3) 0..1: red and blue to green."""
        return _features(colors)

    def distance(self, colors: np.ndarray) -> np.ndarray:
        """(n,) float32: how far colors (n, 3) 0..1 are from this skin, in standard deviations."""
        return np.linalg.norm((_features(colors) - self.mean) / self.deviation, axis=1).astype(np.float32)


def fit_skin_tone(colors: np.ndarray, weight: np.ndarray) -> SkinTone:
    """The SkinTone of colors (n, 3) 0..1 of the middle of a face, most of which are skin; weight (n,)."""
    use = weight > 0.3
    if use.sum() < 30:
        return SkinTone(_UNKNOWN, _features(_UNKNOWN[None])[0], _GREATEST)
    features = _features(colors[use])
    mean, deviation = np.median(features, axis=0), _GREATEST
    trust = weight[use]
    for _ in range(_ROUNDS):
        distance = np.square((features - mean) / deviation).sum(1)
        trust = weight[use] / (1 + (distance / 6) ** 2)
        mean = trust @ features / trust.sum()
        deviation = np.clip(np.sqrt(trust @ np.square(features - mean) / trust.sum()), LEAST, _GREATEST)
    return SkinTone(_colors(mean), mean, deviation)


def _features(colors: np.ndarray) -> np.ndarray:
    """Brightness and two ratios (n, 3), logarithms, of colors (n, 3)."""
    logs = np.log(np.asarray(colors, np.float64) + DARK)
    return np.stack([logs.mean(1), logs[:, 0] - logs[:, 1], logs[:, 2] - logs[:, 1]], 1)


def _colors(features: np.ndarray) -> np.ndarray:
    """The inverse of `_features` for one color (3,)."""
    brightness, red, blue = features
    green = brightness - (red + blue) / 3
    return np.clip(np.exp(np.array([green + red, green, green + blue])) - DARK, 0, 1)
