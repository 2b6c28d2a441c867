# SPDX-License-Identifier: GPL-3.0-or-later
"""Loose strands of hair on a forehead, too thin for the parsing network.

They are dark lines, as wrinkles are. But hair hangs down, and a forehead's wrinkles lie across it; the frown lines
between the brows, which do not, are left alone. Lines are the ridges of a picture's second derivatives at two scales
(Steger, "An unbiased detector of curvilinear structures", 1998).
"""

import cv2
import numpy as np

from hffne.geometry.feature_masks import eye_distance
from hffne.geometry.grids import smoothstep

# Sigmas in pixels of 256, and the least curvature times the sigma's square, logarithms of the brightness.
_SCALES, _LEAST, _DARK = (0.7, 1.2), 0.015, 0.1
# How far above the brows and off their middle a forehead is, in distances of the eyes.
_ABOVE, _FROWN = 0.08, 0.35
# Borders are soft, for a little noise must not decide: how far lines may lie off the hair, and their least length; how
# close to the hair a strand begins that hangs down to between the brows, and how much of it may lie there otherwise.
_REACH, _LENGTH, _ROOT, _BETWEEN_BROWS = (0.45, 0.55), (0.06, 0.1), (0.08, 0.12), (0.4, 0.6)
# The greatest length of a curl's end, and how close to the strand it is.
_CURL, _CLOSE = (0.22, 0.28), np.ones((7, 7), np.uint8)
# The least mean of the squared cosine of a line's angle to the face's own up.
_HANGS = (0.34, 0.46)
_BROWS, _BETWEEN, _BRIDGE, _CHIN = slice(17, 27), (21, 22), 27, 8


def loose_strands(gray: np.ndarray, skin: np.ndarray, hair: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """(S, S) float32 0..1: where strands of hair hang over the forehead on a face's crop.

    gray (S, S) 0..1, S = 256; skin and hair (S, S) bool; landmarks (68, 2+): iBUG points in the crop's pixels.
    """
    points = landmarks[:, :2].astype(np.float32)
    unit = eye_distance(points)
    up = points[_BRIDGE] - points[_CHIN]
    up /= max(float(np.linalg.norm(up)), 1e-6)
    rows, columns = np.indices(gray.shape, np.float32)
    height = columns * up[0] + rows * up[1] - (points[_BROWS] @ up).mean()
    middle = points[list(_BETWEEN)].mean(0)
    forehead = (height > _ABOVE * unit) & (skin | hair)
    between = np.hypot(columns - middle[0], rows - middle[1]) < _FROWN * unit
    none = np.zeros(gray.shape, np.float32)
    if not (forehead & hair).any():
        return none
    strength, along = _lines(np.log(gray.astype(np.float32) + np.float32(_DARK)), up)
    count, label, boxes, _ = cv2.connectedComponentsWithStats(((strength > _LEAST) & forehead).astype(np.uint8))
    hanging, frowning = (
        np.bincount(label.ravel(), each.ravel(), count) / boxes[:, cv2.CC_STAT_AREA] for each in (along, between)
    )
    length = np.hypot(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]) / unit
    away = cv2.distanceTransform((~hair).astype(np.uint8), cv2.DIST_L2, 5) / unit
    closest = np.full(count, np.inf, np.float32)
    np.minimum.at(closest, label.ravel(), away.ravel())
    frowns = np.minimum(smoothstep(*_BETWEEN_BROWS, frowning), smoothstep(*_ROOT, closest))
    strand = (smoothstep(*_HANGS, hanging) * smoothstep(*_LENGTH, length) * (1 - frowns)).astype(np.float32)
    strand[0] = 0
    # A curl's end lies across: what is short and at the end of a strand.
    beside = np.zeros_like(strand)
    np.maximum.at(beside, label.ravel(), cv2.dilate(strand[label], _CLOSE).ravel())
    strand[1:] = np.maximum(strand, beside * (1 - smoothstep(*_CURL, length)))[1:]
    found = (strand[label] * skin * (1 - smoothstep(*_REACH, away))).astype(np.float32)
    if not found.any():
        return none
    return np.clip(2 * cv2.GaussianBlur(cv2.dilate(found, np.ones((3, 3), np.uint8)), (0, 0), 0.7), 0, 1)


def _lines(picture: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How strong a dark line each pixel (S, S) is on, and the squared cosine of the line's angle to `up` (2,)."""
    best, along = np.zeros_like(picture), np.zeros_like(picture)
    twice = np.array([up[0] ** 2 - up[1] ** 2, 2 * up[0] * up[1]])  # the direction up, its angle doubled
    for sigma in _SCALES:
        smooth = cv2.GaussianBlur(picture, (0, 0), sigma)
        down, right = np.gradient(smooth)
        down_down, _ = np.gradient(down)
        right_down, right_right = np.gradient(right)
        half, mixed, mean = (right_right - down_down) / 2, right_down, (right_right + down_down) / 2
        spread = np.hypot(half, mixed)
        ridge = sigma**2 * np.clip(mean + spread - np.abs(mean - spread), 0, None)
        # The largest curvature lies across the line.
        cosine = -(half * twice[0] + mixed * twice[1]) / np.maximum(spread, 1e-9)
        stronger = ridge > best
        along = np.where(stronger, (1 + cosine) / 2, along)
        best = np.where(stronger, ridge, best)
    return best, along
