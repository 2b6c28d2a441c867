# SPDX-License-Identifier: GPL-3.0-or-later
"""The final normal: the head's shape from the coarse normal, the relief from the fine one."""

import cv2
import numpy as np

from hffne.geometry.grids import blur
from hffne.geometry.vectors import normalize, rotate_between

# The border between shape and relief: a Gaussian's sigma in pixels of a 256 crop.
SIGMA = 2.5
# Relief that is weaker than this on the average around a place (in radians; about 1.4 degrees) fades out: on smooth
# skin what is found is mostly noise.
CORING = 0.025
# How much of the coarse normals' own fine parts the fine ones take the place of. Against true normals (held-out heads,
# a scan, photometric stereo) the coarse parts are the truer ones in every octave, but flatter than a face's; the fine
# ones explain more of the photo's shades. With half of the one and all of the other the scan's octaves from 0.5 to 3
# pixels of 256 correlate with the truth by 0.54, 0.69 and 0.79 (0.47, 0.59 and 0.72 where fine ones replaced all), and
# are 0.72, 0.84 and 0.86 as strong; of the fine luminance of 22 photos of people held out 0.63 is explained instead of
# 0.65.
REPLACED = 0.5


def merge_bands(
    coarse: np.ndarray, fine: np.ndarray, mask: np.ndarray, sigma: float = SIGMA, seen: np.ndarray | None = None
) -> np.ndarray:
    """Unit normals (S, S, 3) float32 with the low-frequency band of `coarse` and the high-frequency band of `fine`.

    Both are unit normals (S, S, 3) in camera space.

    The fine network receives its exemplar as one vector, so its low band follows the photo's shading rather than the
    head. Each fine normal is rotated by the rotation that takes the fine low band to the coarse low band: its relief is
    kept relative to the surface it sits on, and takes the place of a part of the coarse normals' own. `mask` (S, S)
    bool: the face; bands are means over the face only. Outside of it the coarse normal is returned, with a soft
    transition at the rim. `seen` (S, S) 0..1: where something covers the face the coarse normal is returned too.
    """
    merged = normalize(coarse).astype(np.float32)
    if mask.any():
        width = sigma * len(coarse) / 256
        box = _around(mask, width)
        merged[box] = _merged(coarse[box], fine[box], mask[box], width, None if seen is None else seen[box])
    return merged


def _around(mask: np.ndarray, width: float) -> tuple[slice, slice]:
    """The rows and columns of a mask with a margin, so that the means within it are as on the whole picture."""
    margin = int(np.ceil(2 * width)) + 1
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    down, across = (slice(max(int(at[0]) - margin, 0), int(at[-1]) + 1 + margin) for at in (rows, columns))
    return down, across


def _merged(
    coarse: np.ndarray, fine: np.ndarray, mask: np.ndarray, width: float, seen: np.ndarray | None
) -> np.ndarray:
    """`merge_bands` of a part that holds the face; width: the bands' sigma in pixels."""
    solid = mask.astype(np.float32)
    coarse_low, fine_low = (_low(normal, solid, width) for normal in (coarse, fine))
    coarse, fine = _as_planes(coarse), _as_planes(fine)
    energy = blur(np.square(fine - fine_low).sum(2), width, solid)
    # Within the face, full relief a little inside of the rim.
    share = np.clip(blur(solid, width / 3) * solid * 2 - 1, 0, 1) * (energy / (energy + np.float32(CORING**2)))
    if seen is not None:
        share *= seen
    relief = rotate_between(fine, fine_low, coarse_low) - coarse_low - np.float32(REPLACED) * (coarse - coarse_low)
    return normalize(coarse + relief * share[..., None])


def _low(normal: np.ndarray, mask: np.ndarray, width: float) -> np.ndarray:
    """The low band of unit normals (H, W, 3): the direction of their mean over the face `mask` (H, W) float32."""
    return normalize(
        _as_planes(cv2.GaussianBlur(normal * mask[..., None], (0, 0), width, borderType=cv2.BORDER_CONSTANT))
    )


def _as_planes(vectors: np.ndarray) -> np.ndarray:
    """The same vectors (H, W, 3) as float32, each component a plane in memory: numpy is twice as fast then."""
    return np.ascontiguousarray(vectors.transpose(2, 0, 1), np.float32).transpose(1, 2, 0)


def resize_normals(normals: np.ndarray, size: int) -> np.ndarray:
    """Unit normals (s, s, 3) at another size: averaged when smaller, cubic when larger."""
    if normals.shape[0] == size:
        return normals
    method = cv2.INTER_AREA if size < normals.shape[0] else cv2.INTER_CUBIC
    return normalize(cv2.resize(normals, (size, size), interpolation=method)).astype(np.float32)
