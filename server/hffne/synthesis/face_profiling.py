# SPDX-License-Identifier: GPL-3.0-or-later
"""Face profiling (Zhu et al., CVPR 2016): turn a photo's head further aside, with its skin, hair and background.

The photo becomes a relief: every pixel takes the depth of the fitted head there, and the surroundings of the head
(hair, ears, shoulders) slope away behind it. The relief is turned and rendered.
"""

import cv2
import numpy as np
from scipy import ndimage

from hffne.synthesis.rays import RayScene
from hffne.synthesis.render import SIZE, Window
from hffne.synthesis.sampling import euler

GRID = 176  # vertices along a side of the relief
SPREAD = 1.7  # the relief's side over the crop's
SLOPE, FLOOR = 0.8, -11.0  # how fast depth falls beside the head, and how far (cm behind the head's center)


def random_profile_turn(rng: np.random.Generator, rotation: np.ndarray) -> np.ndarray:
    """A rotation (3, 3) in camera space that brings a head with `rotation` (3, 3) to 25 to 92 degrees of yaw."""
    forward = rotation[:, 2]
    yaw = np.degrees(np.arctan2(forward[0], forward[2]))
    side = np.sign(yaw) if abs(yaw) > 8 else rng.choice([-1, 1])
    goal = side * rng.uniform(25, 92)
    return euler(goal - yaw, rng.normal(0, 8), 0)


def profiled_photo(
    gray: np.ndarray,
    head: np.ndarray,
    triangles: np.ndarray,
    origin: np.ndarray,
    scale: float,
    turn: np.ndarray,
    window: Window,
    side: float,
    background: np.ndarray,
) -> np.ndarray:
    """The photo with its head turned, (S, S) uint8.

    gray (H, W) uint8; head (V, 3) the fitted head in camera space, cm around its center, which lies at the photo's
    pixel `origin` at `scale` pixels per cm; turn (3, 3); window: of the turned head; side: of the crop in cm;
    background (S, S) uint8 where the relief does not reach.
    """
    axis = np.linspace(-0.5, 0.5, GRID) * side * SPREAD
    x, y = np.meshgrid(axis, -axis)
    index, weights = RayScene(head, triangles).seen_from_front(x, y, 60.0)
    hit = index >= 0
    depth = np.zeros(x.size, np.float32)
    depth[hit] = (head[triangles[index[hit]], 2] * weights[hit]).sum(1)
    depth = _continued(depth.reshape(GRID, GRID), hit.reshape(GRID, GRID), side * SPREAD / (GRID - 1))
    relief = np.stack([x.ravel(), y.ravel(), depth.ravel()], 1).astype(np.float32) @ turn.T
    corner = (np.arange(GRID - 1)[:, None] * GRID + np.arange(GRID - 1)).ravel()
    cells = np.concatenate(
        [np.stack([corner, corner + GRID, corner + 1], 1), np.stack([corner + 1, corner + GRID, corner + GRID + 1], 1)]
    ).astype(np.int32)
    pixel = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    px, py = np.meshgrid(window.x + pixel * window.side, window.y - pixel * window.side)
    index, weights = RayScene(relief, cells).seen_from_front(px, py, 60.0)
    hit = index >= 0
    source = np.zeros((px.size, 2), np.float32)
    corners = cells[index[hit]]
    for k, line in enumerate((x.ravel(), -y.ravel())):
        source[hit, k] = (line[corners] * weights[hit]).sum(1) * scale + origin[k]
    unit = window.side * scale / SIZE  # photo pixels per crop pixel
    if unit > 1.5:
        gray = cv2.GaussianBlur(gray, (0, 0), unit * 0.4)
    source = source.reshape(SIZE, SIZE, 2)
    picture = cv2.remap(gray, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = hit.reshape(SIZE, SIZE).astype(np.uint8)
    inside &= ((source >= 0) & (source < gray.shape[::-1])).all(2).astype(np.uint8)
    edge = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0)
    return np.round(picture * edge + background * (1 - edge)).astype(np.uint8)


def _continued(depth: np.ndarray, hit: np.ndarray, step: float) -> np.ndarray:
    """Depth (G, G) continued beside the head: the nearest hit's, smoothed, falling with the distance to it.

    step: cm between vertices.
    """
    distance, nearest = ndimage.distance_transform_edt(~hit, return_indices=True)
    beside = np.clip(cv2.GaussianBlur(depth[tuple(nearest)], (0, 0), 4.0), FLOOR, None) - SLOPE * step * distance
    return np.where(hit, np.clip(depth, FLOOR, None), np.maximum(beside, FLOOR)).astype(np.float32)
