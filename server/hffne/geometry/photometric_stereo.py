# SPDX-License-Identifier: GPL-3.0-or-later
"""Calibrated photometric stereo: normals and albedo from photos under known lights, one camera (Woodham 1980).

Shadows and highlights are excluded pixel by pixel. A light that leaves a pixel (nearly) black is in shadow there. Of
the others, the one that deviates most from the rest is excluded, until the remaining ones agree on one matte surface
within a tolerance: with many lights left, a multiple of their typical deviation at this pixel; with few, a fixed share
of the albedo, so that only a clear shadow or highlight is excluded. Excluding more is worse than plain least squares,
since three lights leave no redundancy. With four lights only one equation is redundant, and every light explains the
deviation equally well; so two more cues decide, as in Barsky and Petrou (2003): how dark the pixel is (a shadow), and
how close the normal is to the mirror direction of that light (a highlight).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hffne.errors import LightsError

# Values below this share of the pixel's second brightest value are shadow.
SHADOW = 0.06
# Deviation, as a share of the albedo, from the value predicted by the other lights beyond which a light is excluded:
# with four lights, and with up to MANY. From MANY on it is TYPICAL times the pixel's median deviation, between LEAST
# and MOST.
FOUR, FEW, LEAST, MOST, TYPICAL = 0.25, 0.35, 0.04, 0.3, 3.0
MANY = 7
# A cast shadow is darker than this share of the predicted value.
SHADOWED = 0.5
# Smaller deviations are noise.
NOISE = 3 / 255
_GLOSS = 8  # exponent of the highlight cue
_VIEW = np.array([0.0, 0, 1])
_FLAT = 0.02  # lights whose directions span less volume than this lie on a plane
_ROWS = 65536  # pixels at a time


@dataclass(frozen=True)
class StereoResult:
    """The result of photometric stereo.

    normal  (H, W, 3) float32, unit, camera space (x right, y up, z to the viewer), zero outside of the mask
    albedo  (H, W) float32 in the photos' unit
    mask    (H, W) bool: at least three lights agree there
    used    (L, H, W) bool: the lights that were not excluded
    """

    normal: np.ndarray
    albedo: np.ndarray
    mask: np.ndarray
    used: np.ndarray


def photometric_stereo(
    photos: np.ndarray, lights: np.ndarray, saturation: float = 0.99, plain: bool = False
) -> StereoResult:
    """Normals and albedo of a matte surface with shadows and highlights.

    photos: (L, H, W), linear in the light, 0..1, without ambient light; lights: (L, 3) toward the light, in camera
    space; their lengths are the lights' intensities. Values from `saturation` on are ignored. L >= 3; shadows or
    highlights can be excluded from 4 on. plain: exclude nothing, as Woodham (1980) and most published tables. Raises
    LightsError for lights that do not determine a normal, photos whose number differs from theirs, and values that are
    not finite.
    """
    photos, lights = np.asarray(photos, np.float32), np.asarray(lights, np.float64)
    if photos.ndim != 3 or lights.shape != (len(photos), 3):
        raise LightsError(
            f"{len(photos)} photos do not match lights of shape {lights.shape}.",
            hint="Photometric stereo needs one direction (x, y, z) for each gray photo.",
        )
    if not (np.isfinite(photos).all() and np.isfinite(lights).all()):
        raise LightsError("The photos or their lights hold values that are not finite.")
    if len(lights) < 3 or np.linalg.svd(_directions(lights))[1][-1] < 0.05:
        raise LightsError(
            f"{len(lights)} lights in these directions do not determine normals.",
            hint="At least three lights that do not lie on one plane with the face are needed.",
        )
    count, height, width = photos.shape
    flat = photos.reshape(count, -1).astype(np.float64)
    parts = [
        _solve(flat[:, first : first + _ROWS], lights, saturation, plain) for first in range(0, flat.shape[1], _ROWS)
    ]
    scaled, used = (np.concatenate([part[k] for part in parts], axis) for k, axis in ((0, 0), (1, 1)))
    albedo = np.linalg.norm(scaled, axis=1)
    mask = (albedo > NOISE) & (scaled[:, 2] > 0)
    normal = np.where(mask[:, None], scaled / np.maximum(albedo, 1e-9)[:, None], 0)
    return StereoResult(
        normal.reshape(height, width, 3).astype(np.float32),
        np.where(mask, albedo, 0).reshape(height, width).astype(np.float32),
        mask.reshape(height, width),
        (used & mask).reshape(photos.shape),
    )


def light_directions(azimuth: ArrayLike, elevation: ArrayLike) -> np.ndarray:
    """Unit vectors (N, 3) toward lights: degrees to the right of and above the camera's axis, as Yale names them."""
    right, up = np.radians(np.asarray(azimuth, float)), np.radians(np.asarray(elevation, float))
    return np.stack([np.sin(right) * np.cos(up), np.sin(up), np.cos(right) * np.cos(up)], -1)


def polar_directions(zenith: ArrayLike, azimuth: ArrayLike) -> np.ndarray:
    """Unit vectors (N, 3) toward lights: degrees off the camera's axis, and around it from x (right) to y (up)."""
    off, around = np.radians(np.asarray(zenith, float)), np.radians(np.asarray(azimuth, float))
    return np.stack([np.sin(off) * np.cos(around), np.sin(off) * np.sin(around), np.cos(off)], -1)


def half_vectors(lights: np.ndarray) -> np.ndarray:
    """Unit vectors (N, 3) halfway between lights (N, 3) and the camera: the normals that show their highlights."""
    towards = _directions(lights) + _VIEW
    return towards / np.linalg.norm(towards, axis=1, keepdims=True)


def _directions(lights: np.ndarray) -> np.ndarray:
    return lights / np.maximum(np.linalg.norm(lights, axis=1, keepdims=True), 1e-12)


def _solve(values: np.ndarray, lights: np.ndarray, saturation: float, plain: bool) -> tuple[np.ndarray, np.ndarray]:
    """Normals times albedo (P, 3), zero where undetermined, and the lights used (L, P), from values (L, P)."""
    if plain:
        everything = np.ones(values.shape, bool)
        return least_squares(values, lights, everything)[0], everything
    strength = np.linalg.norm(lights, axis=1)
    even = values / np.maximum(strength, 1e-12)[:, None]
    bright = np.partition(even, -2, axis=0)[-2]
    used = (even > SHADOW * bright) & (values < saturation)
    for _ in range(len(lights) - 3):
        open_ = np.flatnonzero(used.sum(0) > 3)
        worst = _worst(values[:, open_], lights, used[:, open_])
        if not (worst >= 0).any():
            break
        excluded = worst >= 0
        used[worst[excluded], open_[excluded]] = False
    scaled, _, volume = least_squares(values, lights, used)
    scaled[(used.sum(0) < 3) | (volume < _FLAT)] = 0
    return scaled, used


def least_squares(
    values: np.ndarray, lights: np.ndarray, used: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Woodham's solution for values (L, P) over the used (L, P) of the lights (L, 3).

    Returns normals times albedo (P, 3), the inverses of the normal equations' matrices (P, 3, 3), and the conditioning
    (P,): 0 where the used lights lie on one plane.
    """
    weighted = used.astype(np.float64)
    matrix = np.einsum("lp,li,lj->pij", weighted, lights, lights, optimize=True)
    size = np.maximum(np.trace(matrix, axis1=1, axis2=2) / 3, 1e-12)
    volume = np.sqrt(np.maximum(np.linalg.det(matrix / size[:, None, None]), 0))
    matrix += np.eye(3) * (1e-9 * size)[:, None, None]
    inverse = np.linalg.inv(matrix)
    return np.einsum("pij,lj,lp->pi", inverse, lights, weighted * values, optimize=True), inverse, volume


def _worst(values: np.ndarray, lights: np.ndarray, used: np.ndarray) -> np.ndarray:
    """The light (P,) to exclude at each pixel, or -1 where all used ones agree."""
    scaled, inverse, _ = least_squares(values, lights, used)
    leverage = np.einsum("li,pij,lj->lp", lights, inverse, lights, optimize=True)
    rest = 1 - leverage
    usable = used & (rest > 1e-4)
    rest = np.where(usable, rest, 1)
    error = values - lights @ scaled.T
    # The deviation from the prediction of the other lights (leave-one-out residual), and the normal without this one.
    away = error / rest
    tolerance = _tolerance(away, used, np.linalg.norm(scaled, axis=1))
    predicted = values - away
    # A surface turned away from the light shows neither its cast shadow nor its highlight.
    suspect = usable & (np.abs(away) > tolerance) & (predicted > 0) & ((away > 0) | (values < SHADOWED * predicted))
    half = half_vectors(lights)
    shift = np.einsum("pij,lj->lpi", inverse, lights, optimize=True)
    alone = scaled[None] - shift * away[..., None]
    alone /= np.maximum(np.linalg.norm(alone, axis=2, keepdims=True), 1e-9)
    mirror = np.clip(np.einsum("lpi,li->lp", alone, half), 0, 1) ** _GLOSS
    dark = np.clip(1 - values / np.maximum(predicted, 1e-9), 0, 1)
    likely = np.where(away > 0, mirror, dark)
    # Excluding a light lowers the sum of squares by this much.
    score = np.where(suspect, np.abs(error * away) * (0.05 + likely), -1)
    worst = score.argmax(0)
    return np.where(score[worst, np.arange(len(worst))] > 0, worst, -1)


def _tolerance(away: np.ndarray, used: np.ndarray, albedo: np.ndarray) -> np.ndarray:
    """The deviation (P,) up to which a light agrees with the others."""
    count = used.sum(0)
    few = np.where(count == 4, FOUR, FEW) * albedo
    if len(used) < MANY:
        return np.maximum(few, NOISE)
    # The median over the used lights alone: the others are sorted to the end.
    ordered = np.sort(np.where(used, np.abs(away), np.inf), axis=0)
    typical = ordered[(np.maximum(count, 1) - 1) // 2, np.arange(len(count))]
    many = np.clip(TYPICAL * typical, LEAST * albedo, MOST * albedo)
    return np.maximum(np.where(count < MANY, few, many), NOISE)
