# SPDX-License-Identifier: GPL-3.0-or-later
"""Refine fits by the photos' shading: adds shape that landmarks do not determine, and removes their noise.

The landmarks' noise affects a fit's identity and expression. Here the 68 points may move a little (0.02 cm on average),
so that the prior removes noise, and on bare skin the normals have to explain the photo's luminance by nine spherical
harmonics (Ramamoorthi & Hanrahan, SIGGRAPH 2001), whose coefficients are solved again at every step.
"""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from hffne.geometry.harmonics import second_order
from hffne.geometry.uv import clear_facial_features, coordinates
from hffne.photo.pictures import read_picture
from hffne.synthesis.face_model import FACE, LANDMARKS, FaceModel
from hffne.synthesis.fit import IDENTITIES, MEDIAPIPE_68, FittedPhotos, prior
from hffne.synthesis.uv_layout import CENTER

LIGHT = 0.03  # weight of the unexplained luminance relative to square centimeters at the landmarks
PAINT = 0.05  # larger deviations, as a share of the mean luminance, count as pigment and weigh less (Huber)
PIXEL = 0.09  # of a canonical crop of 256 pixels, in cm
BATCH, STEPS = 24, 100


def refine(model: FaceModel, fits: FittedPhotos, report: Callable[[str], object] = print) -> FittedPhotos:
    """The fits with refined identities and expressions."""
    surface = _SkinSurface(model)
    identity, expression = fits.identity.copy(), fits.expression.copy()
    for first in range(0, len(fits.paths), BATCH):
        chosen = slice(first, first + BATCH)
        refined = _solve(surface, fits, chosen)
        identity[chosen, :IDENTITIES], expression[chosen] = refined[:, :IDENTITIES], refined[:, IDENTITIES:].clip(0, 1)
        if first % (20 * BATCH) == 0:
            report(f"refined by shading: {first} of {len(fits.paths)} photos")
    return replace(fits, identity=identity, expression=expression)


class _SkinSurface:
    """The model's skin inside the position map's rim, as tensors."""

    def __init__(self, model: FaceModel) -> None:
        inside = np.hypot(*coordinates(model.neutral - CENTER).T) < 0.8
        inside[FACE.stop :] = False
        self.vertices = np.flatnonzero(inside)
        new = np.full(len(inside), -1)
        new[self.vertices] = np.arange(len(self.vertices))
        triangles = new[model.triangles]
        self.triangles = torch.from_numpy(triangles[(triangles >= 0).all(1)])
        marks = new[LANDMARKS]
        self.landmarks = torch.from_numpy(marks[marks >= 0])
        self.neutral = torch.from_numpy(model.neutral[self.vertices].astype(np.float32))
        self.basis = torch.from_numpy(
            np.concatenate(
                [model.identity_deltas[:IDENTITIES, self.vertices], model.expression_deltas[:, self.vertices]]
            ).astype(np.float32)
        ).flatten(1)

    def shapes(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Vertices (N, V, 3) in cm of coefficients (N, K)."""
        return self.neutral + (coefficients @ self.basis).view(len(coefficients), -1, 3)

    def normals(self, shapes: torch.Tensor) -> torch.Tensor:
        """Area-weighted unit vertex normals (N, V, 3)."""
        a, b, c = (shapes[:, self.triangles[:, i]] for i in range(3))
        face = torch.linalg.cross(b - a, c - a)
        normals = torch.zeros_like(shapes)
        for i in range(3):
            normals = normals.index_add(1, self.triangles[:, i], face)
        return F.normalize(normals, dim=2)


def _solve(surface: _SkinSurface, fits: FittedPhotos, chosen: slice) -> np.ndarray:
    """Coefficients (N, K) float32 of the chosen photos, by Adam over all of them at once."""
    start = torch.from_numpy(np.concatenate([fits.identity[chosen, :IDENTITIES], fits.expression[chosen]], 1))
    rotation = torch.from_numpy(fits.rotation[chosen].astype(np.float32)).transpose(1, 2)
    with torch.no_grad():
        before = surface.shapes(start) @ rotation
        facing = surface.normals(before)[..., 2].numpy() > 0.3
    lights = [
        _skin_light(fits.paths[i], before[k].numpy(), facing[k], fits.scale[i], fits.translation[i], fits.landmarks[i])
        for k, i in enumerate(range(*chosen.indices(len(fits.paths))))
    ]
    light, weight = (torch.from_numpy(np.stack(part).astype(np.float32)) for part in zip(*lights, strict=True))
    coefficients = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([coefficients], lr=0.02)
    for _ in range(STEPS):
        shapes = surface.shapes(coefficients) @ rotation
        harmonics = torch.stack(second_order(*surface.normals(shapes).unbind(2)), 2)
        known = (harmonics * weight[..., None]).transpose(1, 2)
        lighting = torch.linalg.solve(known @ harmonics + 1e-2 * torch.eye(9), known @ light[..., None])
        shading = (harmonics @ lighting)[..., 0]
        unexplained = F.huber_loss(shading, light, reduction="none", delta=PAINT) / PAINT
        unexplained = (unexplained * weight).sum(1) / weight.sum(1).clamp_min(1)
        moved = (shapes - before)[:, surface.landmarks, :2].square().sum(2).mean(1)
        loss = (
            LIGHT * unexplained + moved + prior(*coefficients.split([IDENTITIES, len(start[0]) - IDENTITIES], 1))
        ).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return coefficients.detach().numpy()


def _skin_light(
    path: str, seen: np.ndarray, facing: np.ndarray, scale: float, translation: np.ndarray, marks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each vertex's linear luminance (V,) over the photo's mean, and where it is bare skin facing the camera (V,).

    seen: (V, 3) in camera space, cm; facing: (V,) bool; scale, translation: see `fit.Fits`; marks: (478, 3) pixels.
    """
    linear = (read_picture(path) / np.float32(255)) ** 2.2
    pixel = PIXEL * scale  # the crop's pixel in the photo's
    gray = cv2.GaussianBlur(linear, (0, 0), max(2 * pixel, 0.5))
    bare = np.ones_like(gray)
    clear_facial_features(bare, marks[MEDIAPIPE_68, :2], max(3, int(13 * pixel)))
    xy = (seen[:, :2] * [1, -1] * scale + translation).astype(np.float32)[:, None]
    light, skin = (cv2.remap(a, xy[..., 0], xy[..., 1], cv2.INTER_LINEAR)[:, 0] for a in (gray, bare))
    skin = (skin > 0.9) & facing & (xy[:, 0] > 1).all(1) & (xy[:, 0] < np.array(gray.shape[::-1]) - 2).all(1)
    if not skin.any():
        return np.ones_like(light), skin
    low, high = np.percentile(light[skin], [5, 98])
    skin &= (light > low) & (light < high)
    return light / max(light[skin].mean(), 1e-3), skin
