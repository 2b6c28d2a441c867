# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses. Normals are (N, 3, H, W) unit vectors, weights (N, H, W), pictures (N, 1, H, W)."""

import torch
from torch.nn import functional as F

from hffne.geometry.explained_luminance import FINE_BAND, blur, unexplained_luminance


def weighted_mean(value: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Mean over a batch, each sample counting alike."""
    return ((value * weight).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1)).mean()


def angle(normal: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Angle in degrees (N, H, W)."""
    return torch.rad2deg(torch.acos((normal * target).sum(1).clamp(-1, 1)))


def mean_angle(normal: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Mean angle in degrees of each sample (N,)."""
    return (angle(normal, target) * weight).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1)


def normal_loss(
    normal: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, chord_weight: float = 0.3
) -> torch.Tensor:
    """1 - cosine, plus the chord so that small angles keep a slope; the more of the chord, the sharper are edges whose
    place is uncertain (the median of what may be there instead of its mean)."""
    cosine = (normal * target).sum(1)
    chord = (normal - target).square().sum(1).add(1e-6).sqrt()
    return weighted_mean(1 - cosine + chord_weight * chord, weight)


def gradient_loss(normal: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """L1 between the maps' differences at two scales: what makes detail count."""
    error = normal - target
    total = torch.zeros((), device=error.device)
    for step in (1, 2):
        for dim in (2, 3):
            length = error.shape[dim] - step
            difference = error.narrow(dim, step, length) - error.narrow(dim, 0, length)
            total = total + weighted_mean(difference.abs().sum(1), weight.narrow(dim - 1, step, length))
    return total


def detail_loss(normal: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, sigma: float) -> torch.Tensor:
    """L1 between what is finer than `sigma` pixels in both maps; means are over the weighted area only."""
    known = (weight > 0).float()[:, None]
    share = blur(known, sigma).clamp_min(1e-3)
    error = normal - target
    return weighted_mean((error - blur(error * known, sigma) / share).abs().sum(1), weight)


def reconstruction_loss(normal: torch.Tensor, exemplar: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Smooth-L1 to the exemplar (eq. 8)."""
    return weighted_mean(F.smooth_l1_loss(normal, exemplar, reduction="none", beta=0.1).sum(1), weight)


def photometric_loss(
    gray: torch.Tensor, normal: torch.Tensor, skin: torch.Tensor, band: tuple[float, float] = FINE_BAND
) -> torch.Tensor:
    """Mean share of the photos' luminance in a band that no light explains by their normals."""
    return unexplained_luminance(gray, normal, skin, band)


def pose_loss(position: torch.Tensor, target: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """L1 of the linear part of the error of position maps (N, 3, U, U): of pose and size, in radians and shares.

    `mean` (3, U, U): the mean face, around its middle. A head that is turned wrongly is wrong everywhere by little, so
    that the other losses hardly see it.
    """
    face = mean.flatten(1)
    error = (position - target).flatten(2)
    error = error - error.mean(2, keepdim=True)
    linear = error @ face.T @ torch.linalg.inv(face @ face.T)
    size = (target.flatten(2) - target.flatten(2).mean(2, keepdim=True)).norm(dim=(1, 2)) / face.norm()
    return (linear.abs().sum((1, 2)) / size).mean()


def without_pose(position: torch.Tensor, mean: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Position maps (N, 3, U, U) after the similarity that brings each closest to the mean face (Umeyama, 1991).

    `mean` (3, U, U), whose unit and frame the result has; `weight` (U, U) of texels in the fit. What is left differs
    from the mean by the face's own shape only. The similarity is taken as constant by gradients.
    """
    share = weight.flatten() / weight.sum()
    face = mean.flatten(1)
    face = face - (face * share).sum(1, keepdim=True)
    points = position.flatten(2)
    points = points - (points * share).sum(2, keepdim=True)
    with torch.no_grad():
        left, values, right = torch.linalg.svd((face * share) @ points.transpose(1, 2))
        sign = torch.ones_like(values)
        sign[:, 2] = torch.linalg.det(left @ right).sign()  # a rotation, never a reflection
        rotation = (left * sign[:, None]) @ right
        scale = (values * sign).sum(1) / (points.square() * share).sum((1, 2))
    return ((rotation * scale[:, None, None]) @ points).view_as(position)


def shape_loss(
    position: torch.Tensor, target: torch.Tensor, mean: torch.Tensor, weight: torch.Tensor, landmarks: torch.Tensor
) -> torch.Tensor:
    """Mean distance of position maps (N, 3, U, U) without their poses, plus the landmarks' own, in the mean's unit.

    `mean`, `weight`: see `without_pose`; `landmarks` (P, 2) as grid_sample coordinates. Faces differ by much less than
    the pose is off, so that the other losses teach a network the pose and hardly more than the mean face.
    """
    error = without_pose(position, mean, weight) - without_pose(target, mean, weight)
    area = (error.norm(dim=1) * weight).sum((1, 2)).mean() / weight.sum()
    return area + at_points(error, landmarks).norm(dim=1).mean()


def at_points(maps: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
    """Maps (N, C, U, U) at points (P, 2) given as grid_sample coordinates: (N, C, P)."""
    grid = landmarks[None, None].expand(len(maps), 1, -1, 2)
    return F.grid_sample(maps, grid, align_corners=False)[:, :, 0]


def position_loss(
    position: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, landmarks: torch.Tensor
) -> torch.Tensor:
    """Weighted L1 of position maps (N, 3, U, U) in halves of the crop, plus the 68 points' own, plus the slopes'.

    `weight` (U, U); `landmarks` (68, 2) as grid_sample coordinates.
    """
    difference = (position - target).abs().sum(1)
    area = (difference * weight).sum((1, 2)).mean() / weight.sum()
    points = at_points(position - target, landmarks).abs().sum(1).mean()
    slopes = (
        sum(
            ((position - target).diff(dim=d).abs().sum(1) * weight.narrow(d - 2, 1, weight.shape[0] - 1))
            .sum((1, 2))
            .mean()
            for d in (2, 3)
        )
        / weight.sum()
    )
    return area + points + 2 * slopes
