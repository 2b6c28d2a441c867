# SPDX-License-Identifier: GPL-3.0-or-later
"""Refine fits by the photos' own light: shape that landmarks do not tell, and less of what they only seem to tell.

The landmarks' noise goes into a fit's identity and expression. Here the 68 points may give way a little (0.02 cm on
average), so that the prior takes noise out, and on bare skin the normals have to explain the photo's light by nine
spherical harmonics (Ramamoorthi & Hanrahan, SIGGRAPH 2001), which are found anew at every step.
"""

from dataclasses import replace

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from hffne.geometry.harmonics import second_order
from hffne.geometry.uv import leave_bare_skin
from hffne.synthesis.face_model import FACE, LANDMARKS
from hffne.synthesis.fit import IDENTITIES, MEDIAPIPE_68, prior
from hffne.synthesis.uv_layout import CENTER, coordinates

LIGHT = 0.03  # what unexplained light weighs beside square centimeters at the landmarks
PAINT = 0.05  # light off by more than this share of its mean is taken for paint, and counts less (Huber)
PIXEL = 0.09  # of a canonical crop of 256 pixels, in cm
BATCH, STEPS = 24, 100


def refine(model, fits, report=print):
    """`FittedPhotos` with other identities and expressions."""
    surface = _Surface(model)
    identity, expression = fits.identity.copy(), fits.expression.copy()
    for first in range(0, len(fits.paths), BATCH):
        chosen = slice(first, first + BATCH)
        found = _solve(surface, fits, chosen)
        identity[chosen, :IDENTITIES], expression[chosen] = found[:, :IDENTITIES], found[:, IDENTITIES:].clip(0, 1)
        if first % (20 * BATCH) == 0:
            report(f"refined by light: {first} of {len(fits.paths)} photos")
    return replace(fits, identity=identity, expression=expression)


class _Surface:
    """The model's skin inside the position map's rim, as tensors."""

    def __init__(self, model):
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

    def shapes(self, coefficients):
        """Vertices (N, V, 3) in cm."""
        return self.neutral + (coefficients @ self.basis).view(len(coefficients), -1, 3)

    def normals(self, shapes):
        """Area-weighted unit vertex normals (N, V, 3)."""
        a, b, c = (shapes[:, self.triangles[:, i]] for i in range(3))
        face = torch.linalg.cross(b - a, c - a)
        normals = torch.zeros_like(shapes)
        for i in range(3):
            normals = normals.index_add(1, self.triangles[:, i], face)
        return F.normalize(normals, dim=2)


def _solve(surface, fits, chosen):
    """Coefficients (N, K) float32 of the chosen photos, by Adam over all of them at once."""
    start = torch.from_numpy(np.concatenate([fits.identity[chosen, :IDENTITIES], fits.expression[chosen]], 1))
    rotation = torch.from_numpy(fits.rotation[chosen].astype(np.float32)).transpose(1, 2)
    with torch.no_grad():
        before = surface.shapes(start) @ rotation
        facing = surface.normals(before)[..., 2].numpy() > 0.3
    looks = [
        _skin_light(fits.paths[i], before[k].numpy(), facing[k], fits.scale[i], fits.translation[i], fits.landmarks[i])
        for k, i in enumerate(range(*chosen.indices(len(fits.paths))))
    ]
    light, weight = (torch.from_numpy(np.stack(part).astype(np.float32)) for part in zip(*looks))
    coefficients = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([coefficients], lr=0.02)
    for _ in range(STEPS):
        shapes = surface.shapes(coefficients) @ rotation
        harmonics = torch.stack(second_order(*surface.normals(shapes).unbind(2)), 2)
        known = (harmonics * weight[..., None]).transpose(1, 2)
        lamp = torch.linalg.solve(known @ harmonics + 1e-2 * torch.eye(9), known @ light[..., None])
        shading = (harmonics @ lamp)[..., 0]
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


def _skin_light(path, seen, facing, scale, translation, marks):
    """Each vertex's linear light (V,) over the photo's mean, and 1 where that is bare skin (V,) that faces the camera."""
    gray = (cv2.imread(path, cv2.IMREAD_GRAYSCALE) / np.float32(255)) ** 2.2
    pixel = PIXEL * scale  # the crop's pixel in the photo's
    gray = cv2.GaussianBlur(gray, (0, 0), max(2 * pixel, 0.5))
    bare = np.ones_like(gray)
    leave_bare_skin(bare, marks[MEDIAPIPE_68, :2], max(3, int(13 * pixel)))
    xy = (seen[:, :2] * [1, -1] * scale + translation).astype(np.float32)[:, None]
    light, skin = (cv2.remap(a, xy[..., 0], xy[..., 1], cv2.INTER_LINEAR)[:, 0] for a in (gray, bare))
    skin = (skin > 0.9) & facing & (xy[:, 0] > 1).all(1) & (xy[:, 0] < np.array(gray.shape[::-1]) - 2).all(1)
    if not skin.any():
        return np.ones_like(light), skin
    low, high = np.percentile(light[skin], [5, 98])
    skin &= (light > low) & (light < high)
    return light / max(light[skin].mean(), 1e-3), skin
