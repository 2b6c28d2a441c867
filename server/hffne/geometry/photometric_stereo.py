# SPDX-License-Identifier: GPL-3.0-or-later
"""Calibrated photometric stereo: normals and albedo from photos under known lights, one camera (Woodham 1980).

Shadows and highlights are left out pixel by pixel. A light that leaves a pixel (nearly) black is in shadow there. Of
the others, the one that contradicts the rest most is dropped until they agree on one matte surface, as far as real
lights and real skin do: where many lights are left, as they do at this pixel; where few are, a plain shadow or
highlight is asked for. Leaving out more than that is worse than plain least squares, since three lights forgive
nothing. With four lights every one of them is as good a culprit as any other (one equation is left over), so two
things are asked as well, as Barsky and Petrou (2003) do: is the pixel dark for a shadow, and does the surface mirror
that light to the camera?
"""

from dataclasses import dataclass

import numpy as np

from hffne.errors import LightsError

SHADOW = 0.06  # darker than this share of the pixel's second brightest value is shadow
# Shares of the albedo that the value expected by the other lights must be missed by: with four lights, with so few
# that they say little of how well they agree, and with many, between these, as many times their typical difference.
FOUR, FEW, LEAST, MOST, TYPICAL = 0.25, 0.35, 0.04, 0.3, 3.0
MANY = 7
SHADOWED = 0.5  # a cast shadow is darker than this share of what is expected
NOISE = 3 / 255  # smaller differences are none
_GLOSS = 8  # how fast a highlight falls off, for the prior
_VIEW = np.array([0.0, 0, 1])
_FLAT = 0.02  # lights whose directions span less volume than this lie on a plane
_ROWS = 65536  # pixels at a time


@dataclass(frozen=True)
class Relief:
    """normal (H, W, 3) float32, unit, camera space (x right, y up, z to the viewer), zero outside of the mask;
    albedo (H, W) float32 in the photos' unit; mask (H, W) bool: at least three lights agree there;
    used (L, H, W) bool: which lights were believed."""

    normal: np.ndarray
    albedo: np.ndarray
    mask: np.ndarray
    used: np.ndarray


def photometric_stereo(photos, lights, saturation=0.99):
    """Relief of a matte surface with shadows and highlights.

    photos: (L, H, W), linear in the light, 0..1, without ambient light; lights: (L, 3) toward the light, in camera
    space; their lengths are the lights' strengths. Values from `saturation` on are not believed. L >= 3; shadows or
    highlights can be left out from 4 on. Raises HffneError for lights that cannot tell a normal, photos that do not
    fit to them, and values that are not finite.
    """
    photos, lights = np.asarray(photos, np.float32), np.asarray(lights, np.float64)
    if photos.ndim != 3 or lights.shape != (len(photos), 3):
        raise LightsError(
            f"{len(photos)} photos do not go with lights of shape {lights.shape}.",
            hint="Photometric stereo needs one direction (x, y, z) for each gray photo.",
        )
    if not (np.isfinite(photos).all() and np.isfinite(lights).all()):
        raise LightsError("The photos or their lights hold values that are not numbers.")
    if len(lights) < 3 or np.linalg.svd(_directions(lights))[1][-1] < 0.05:
        raise LightsError(
            f"{len(lights)} lights in these directions tell no normals.",
            hint="At least three lights that do not lie on one plane with the face are needed.",
        )
    count, height, width = photos.shape
    flat = photos.reshape(count, -1).astype(np.float64)
    parts = [_solve(flat[:, first : first + _ROWS], lights, saturation) for first in range(0, flat.shape[1], _ROWS)]
    scaled, used = (np.concatenate([part[k] for part in parts], axis) for k, axis in ((0, 0), (1, 1)))
    albedo = np.linalg.norm(scaled, axis=1)
    mask = (albedo > NOISE) & (scaled[:, 2] > 0)
    normal = np.where(mask[:, None], scaled / np.maximum(albedo, 1e-9)[:, None], 0)
    return Relief(
        normal.reshape(height, width, 3).astype(np.float32),
        np.where(mask, albedo, 0).reshape(height, width).astype(np.float32),
        mask.reshape(height, width),
        (used & mask).reshape(photos.shape),
    )


def light_directions(azimuth, elevation):
    """Unit vectors (N, 3) toward lights: degrees to the right of and above the camera's axis, as Yale names them."""
    azimuth, elevation = np.radians(np.asarray(azimuth, float)), np.radians(np.asarray(elevation, float))
    return np.stack([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)], -1)


def polar_directions(zenith, azimuth):
    """Unit vectors (N, 3) toward lights: degrees off the camera's axis, and around it from x (right) to y (up)."""
    zenith, azimuth = np.radians(np.asarray(zenith, float)), np.radians(np.asarray(azimuth, float))
    return np.stack([np.sin(zenith) * np.cos(azimuth), np.sin(zenith) * np.sin(azimuth), np.cos(zenith)], -1)


def half_vectors(lights):
    """Unit vectors (N, 3) between the directions of lights (N, 3) and the camera: there a surface mirrors one to the other."""
    towards = _directions(lights) + _VIEW
    return towards / np.linalg.norm(towards, axis=1, keepdims=True)


def _directions(lights):
    return lights / np.maximum(np.linalg.norm(lights, axis=1, keepdims=True), 1e-12)


def _solve(values, lights, saturation):
    """Scaled normals (P, 3), zero where nothing can be told, and the lights believed (L, P)."""
    strength = np.linalg.norm(lights, axis=1)
    even = values / np.maximum(strength, 1e-12)[:, None]
    bright = np.partition(even, -2, axis=0)[-2]
    used = (even > SHADOW * bright) & (values < saturation)
    for _ in range(len(lights) - 3):
        open_ = np.flatnonzero(used.sum(0) > 3)
        worst = _worst(values[:, open_], lights, used[:, open_])
        if not (worst >= 0).any():
            break
        found = worst >= 0
        used[worst[found], open_[found]] = False
    scaled, _, volume = least_squares(values, lights, used)
    scaled[(used.sum(0) < 3) | (volume < _FLAT)] = 0
    return scaled, used


def least_squares(values, lights, used):
    """Woodham's solution for values (L, P) over the used (L, P) of the lights (L, 3): scaled normals (P, 3), inverse normal matrices, and how well conditioned."""
    weighted = used.astype(np.float64)
    matrix = np.einsum("lp,li,lj->pij", weighted, lights, lights, optimize=True)
    size = np.maximum(np.trace(matrix, axis1=1, axis2=2) / 3, 1e-12)
    volume = np.sqrt(np.maximum(np.linalg.det(matrix / size[:, None, None]), 0))
    matrix += np.eye(3) * (1e-9 * size)[:, None, None]
    inverse = np.linalg.inv(matrix)
    return np.einsum("pij,lj,lp->pi", inverse, lights, weighted * values, optimize=True), inverse, volume


def _worst(values, lights, used):
    """The light (P,) that each pixel should leave out, or -1 where all used ones agree."""
    scaled, inverse, _ = least_squares(values, lights, used)
    leverage = np.einsum("li,pij,lj->lp", lights, inverse, lights, optimize=True)
    rest = 1 - leverage
    usable = used & (rest > 1e-4)
    rest = np.where(usable, rest, 1)
    error = values - lights @ scaled.T
    # What the other lights say about this one, and the normal that they alone give.
    away = error / rest
    tolerance = _tolerance(away, used, np.linalg.norm(scaled, axis=1))
    predicted = values - away
    # Neither a shadow nor a highlight is to be seen on the side that is turned away from the light.
    suspect = usable & (np.abs(away) > tolerance) & (predicted > 0) & ((away > 0) | (values < SHADOWED * predicted))
    half = half_vectors(lights)
    shift = np.einsum("pij,lj->lpi", inverse, lights, optimize=True)
    alone = scaled[None] - shift * away[..., None]
    alone /= np.maximum(np.linalg.norm(alone, axis=2, keepdims=True), 1e-9)
    mirror = np.clip(np.einsum("lpi,li->lp", alone, half), 0, 1) ** _GLOSS
    dark = np.clip(1 - values / np.maximum(predicted, 1e-9), 0, 1)
    likely = np.where(away > 0, mirror, dark)
    # Leaving a light out lowers the sum of squares by this much.
    score = np.where(suspect, np.abs(error * away) * (0.05 + likely), -1)
    worst = score.argmax(0)
    return np.where(score[worst, np.arange(len(worst))] > 0, worst, -1)


def _tolerance(away, used, albedo):
    """How much (P,) a value may differ from what the other lights make expected."""
    count = used.sum(0)
    few = np.where(count == 4, FOUR, FEW) * albedo
    if len(used) < MANY:
        return np.maximum(few, NOISE)
    # The median over the used lights alone: the others are sorted to the end.
    ordered = np.sort(np.where(used, np.abs(away), np.inf), axis=0)
    typical = ordered[(np.maximum(count, 1) - 1) // 2, np.arange(len(count))]
    many = np.clip(TYPICAL * typical, LEAST * albedo, MOST * albedo)
    return np.maximum(np.where(count < MANY, few, many), NOISE)
