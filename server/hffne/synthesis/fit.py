# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit the face model to photos by their landmarks: pseudo-labels of shape and pose.

Landmarks come from MediaPipe's 478-point face mesh (a training tool only). The camera is weakly
perspective. A first fit to the 68 iBUG points of all photos finds the model vertex of each of the
478 points; a second fit uses them all.

MediaPipe's points differ slightly from the model's vertices. If each photo was fitted alone, that difference would
distort every face in the same way (brows pulled down, cheeks raised, noses wrinkled). So all photos share one small
offset for each point, and the average identity over all photos is the model's mean.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from hffne.photo.pictures import read_picture
from hffne.synthesis.face_model import FACE, LANDMARKS, FaceModel

# MediaPipe's indices of the iBUG points.
# fmt: off
MEDIAPIPE_68 = np.array(
    [
        162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389, 71, 63, 105, 66, 107, 336,
        296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305, 33, 160, 158, 133, 153, 144, 362, 385, 387, 263,
        373, 380, 61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
    ]
)
# fmt: on
IDENTITIES = 60  # leading identity components, which landmarks can determine
# Chosen by how much of the photos' light the fits' normals explain (R2, 163 photos, 9 harmonics; in the band of 3 to
# 16 px): without offsets 0.690 (0.555); ridge 0.02 0.696 (0.576), 0.2 0.699 (0.581), 1 with twice the lasso 0.686
# (0.564).
RIDGE, LASSO = 0.2, 1e-3  # on the points' offsets in cm, on expressions


@dataclass
class Fits:
    """The fits of N photos.

    identity     (N, 100)
    expression   (N, 57)
    rotation     (N, 3, 3) from head to camera
    scale        (N,) pixels per cm
    translation  (N, 2) pixels, x right, y down
    residual     (N,) pixels over the interpupillary distance
    """

    identity: np.ndarray
    expression: np.ndarray
    rotation: np.ndarray
    scale: np.ndarray
    translation: np.ndarray
    residual: np.ndarray


@dataclass
class FittedPhotos(Fits):
    """The fits with the photos' paths (N) and landmarks (N, 478, 3), as `detect_landmarks` returns them."""

    paths: list[str]
    landmarks: np.ndarray


def detect_landmarks(paths: Sequence[Path], report: Callable[[str], object] = print) -> tuple[np.ndarray, np.ndarray]:
    """MediaPipe landmarks (N, 478, 3) and the indices (N,) of their photos.

    In pixels, z in the unit of x and negative toward the camera. Photos without a face are left out.
    """
    import mediapipe

    mesh = mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, refine_landmarks=True, min_detection_confidence=0.4
    )
    points, found = [], []
    for number, path in enumerate(paths):
        rgb = cv2.cvtColor(read_picture(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        height, width = rgb.shape[:2]
        result = mesh.process(rgb)
        if result.multi_face_landmarks:
            marks = result.multi_face_landmarks[0].landmark
            points.append(np.array([[m.x * width, m.y * height, m.z * width] for m in marks], np.float32))
            found.append(number)
        if number % 500 == 0:
            report(f"landmarks: {number} of {len(paths)} photos")
    mesh.close()
    return np.stack(points), np.array(found)


def rotation_matrices(vectors: torch.Tensor) -> torch.Tensor:
    """Rotation matrices (N, 3, 3) of axis-angle vectors (N, 3), differentiable."""
    angle = vectors.norm(dim=1, keepdim=True).clamp_min(1e-8)
    x, y, z = (vectors / angle).unbind(1)
    zero = torch.zeros_like(x)
    k = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).view(-1, 3, 3)
    s, c = torch.sin(angle)[..., None], torch.cos(angle)[..., None]
    return torch.eye(3) + s * k + (1 - c) * (k @ k)


def prior(identity: torch.Tensor, expression: torch.Tensor) -> torch.Tensor:
    """The cost (N,) of coefficients (N, K) and (N, L): unlikely identities; strong, many or negative expressions."""
    beyond = 0.1 * (torch.relu(-expression) + torch.relu(expression - 1)).square().sum(1)
    return (
        2e-4 * identity.square().sum(1) + 2e-3 * expression.square().sum(1) + LASSO * expression.abs().sum(1) + beyond
    )


def _solve(
    model: FaceModel,
    vertices: np.ndarray,
    points: np.ndarray,
    weights: np.ndarray,
    steps: int,
    report: Callable[[str], object],
) -> Fits:
    """Adam over all photos at once. `points` (N, L, 3) with y up and z toward the viewer; `weights` (L,)."""
    count = len(points)
    target = torch.from_numpy(points)
    neutral = torch.from_numpy(model.neutral[vertices])
    basis = torch.from_numpy(
        np.concatenate([model.identity_deltas[:IDENTITIES, vertices], model.expression_deltas[:, vertices]])
    ).flatten(1)
    # Pose starts frontal, scale and place from the landmarks' extent.
    spread = target[..., :2].std(1).mean(1) / neutral[:, :2].std(0).mean()
    log_scale = spread.log().requires_grad_()
    place = (target[..., :2].mean(1) / spread[:, None] - neutral[:, :2].mean(0)).requires_grad_()
    turn = torch.zeros(count, 3, requires_grad=True)
    identity = torch.zeros(count, IDENTITIES, requires_grad=True)
    expression = torch.full((count, basis.shape[0] - IDENTITIES), 0.02, requires_grad=True)
    offset = torch.zeros(len(vertices), 3, requires_grad=True)
    weight = torch.from_numpy(weights)
    optimizer = torch.optim.Adam(
        [
            {"params": [log_scale, turn], "lr": 0.02},
            {"params": [place], "lr": 0.1},
            {"params": [identity, expression], "lr": 0.04},
            {"params": [offset], "lr": 0.01},
        ]
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, 0.0005)
    for step in range(steps):
        person = identity - identity.mean(0)
        shape = neutral + offset + (torch.cat([person, expression], 1) @ basis).view(count, -1, 3)
        rotation = rotation_matrices(turn)
        seen = shape @ rotation.transpose(1, 2)
        # In centimeters of the model, so that one prior suits all photo sizes.
        goal = target / log_scale.exp()[:, None, None]
        flat = (seen[..., :2] + place[:, None] - goal[..., :2]) * weight[:, None]
        # MediaPipe's depth is relative and inaccurate: its small weight mainly stabilizes the pose.
        deep = (
            (seen[..., 2] - seen[..., 2].mean(1, keepdim=True) - goal[..., 2] + goal[..., 2].mean(1, keepdim=True))
            * weight
            * 0.2
        )
        residual = torch.nn.functional.huber_loss(flat, torch.zeros_like(flat), reduction="none", delta=0.5)
        data = residual.sum(2).mean(1) + deep.square().mean(1)
        shared = RIDGE * (offset.square().sum(1) * weight.square()).mean()
        loss = (data + prior(person, expression)).sum() + count * shared
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            report(f"fit: step {step}, mean loss {loss.item() / count:.4f}")
    with torch.no_grad():
        scale = log_scale.exp()
        error = flat.norm(dim=2).mean(1) / 6.3
        full = np.zeros((count, len(model.identity_deltas)), np.float32)
        full[:, :IDENTITIES] = (identity - identity.mean(0)).numpy()
        return Fits(
            full,
            expression.clamp(0, 1).numpy(),
            rotation_matrices(turn).numpy(),
            scale.numpy(),
            (place * scale[:, None]).numpy(),
            error.numpy(),
        )


def label_offsets(model: FaceModel, fits: Fits, points: np.ndarray) -> np.ndarray:
    """The offsets of the labeled iBUG points from the model's own vertices, averaged over all photos: (68, 3) cm.

    points (N, 68, 2): the labels, in the photos' pixels.
    """
    neutral, deltas = (
        model.neutral[LANDMARKS],
        [model.identity_deltas[:, LANDMARKS], model.expression_deltas[:, LANDMARKS]],
    )
    shapes = neutral + np.einsum(
        "nk,kvc->nvc", np.concatenate([fits.identity, fits.expression], 1), np.concatenate(deltas)
    )
    across = fits.rotation[:, :2]  # the part of the head's axes in the image plane
    seen = np.einsum("nij,nvj->nvi", across, shapes)
    labels = (points - fits.translation[:, None]) * [1, -1] / fits.scale[:, None, None]
    right = np.einsum("nij,nvi->vj", across, labels - seen)
    gram = np.einsum("nij,nik->jk", across, across)
    # Photos contain little information about depth.
    return np.linalg.solve(gram + np.diag([0, 0, 0.3 * len(points)]), right.T).T.astype(np.float32)


def fit_photos(model: FaceModel, landmarks: np.ndarray, report: Callable[[str], object] = print) -> Fits:
    """Fit all photos by their landmarks (N, 478, 3), as `detect_landmarks` returns them."""
    from scipy.spatial import cKDTree  # not at the top: fits are read without the extras that making them needs

    points = landmarks * np.array([1, -1, -1], np.float32)
    few = np.ones(68, np.float32)
    few[:17] = 0.3  # the contour slides along the silhouette
    first = _solve(model, LANDMARKS, points[:, MEDIAPIPE_68], few, 300, report)
    # The position of each of the 478 points on the model, averaged over photos, in each fit's own frame.
    sums = np.zeros((478, 3))
    frontal = np.argsort(np.abs(first.rotation[:, 0, 2]) + first.residual * 4)[: len(points) // 2]
    skin = model.neutral[FACE]
    for i in frontal:
        shape = model.vertices(first.identity[i], first.expression[i])[FACE]
        seen = (shape @ first.rotation[i].T)[:, :2] * first.scale[i] + first.translation[i]
        front = (shape @ first.rotation[i].T)[:, 2] > -2
        _, near = cKDTree(seen[front]).query(points[i, :, :2])
        sums += skin[front][near]
    mean = sums / len(frontal)
    gap = np.linalg.norm(mean[:, None] - skin[None], axis=2)
    vertices = gap.argmin(1)
    weights = np.where(gap.min(1) < 0.6, 1.0, 0.1).astype(np.float32)
    weights[468:] = 0  # the irises move freely
    vertices[MEDIAPIPE_68] = LANDMARKS
    weights[MEDIAPIPE_68] = few * 3
    fits = _solve(model, vertices, points, weights / weights.mean(), 500, report)
    fits.translation[:, 1] *= -1
    return fits
