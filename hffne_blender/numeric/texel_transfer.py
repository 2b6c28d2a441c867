# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of a target mesh whose texels take the detail of a face."""

from dataclasses import dataclass

import numpy as np

from . import raster, tangent
from .resample import cubic
from .slope_field import SlopeField
from .vectors import mirrors, unit

# Texels handled at once, which bounds the memory.
_CHUNK = 1 << 18
# Half the width of the widest gap over which colors go on: this part of the texture's.
GAP = 40


@dataclass(frozen=True)
class TexelSources:
    """Where on the face the target's texels take their detail from.

    size     texels per side
    index    (K,) flat texel indices
    covered  (size, size) bool: all UV islands of the target
    uv       (K, 2) position on the face's textures
    weight   (K,) 0..1
    shown    (K,) 0..1, the weight of colors: `weight`, but without a gap where the face's UVs jump
    broken   (K,) bool: those of the jumps, which have no position on the face's textures
    tangent  (K, 3) the face's tangent as it lies on the target, world space
    sign     (K,) of the face's bitangent
    normal   (K, 3) the face's normal, world space, by its length (0..1) in place of the target's own
    owner    (K,) the target's triangle
    share    (K, 3) the barycentric weights of its corners
    """

    size: int
    index: np.ndarray
    covered: np.ndarray
    uv: np.ndarray
    weight: np.ndarray
    shown: np.ndarray
    broken: np.ndarray
    tangent: np.ndarray
    sign: np.ndarray
    normal: np.ndarray
    owner: np.ndarray
    share: np.ndarray

    def uv_step(self) -> float:
        """The typical UV length, on the face's textures, of one texel of the target."""
        neighbors = np.flatnonzero(np.diff(self.index) == 1)
        neighbors = neighbors[self.weight[neighbors] > 0]
        if not len(neighbors):
            return 1 / self.size
        return float(np.median(np.linalg.norm(self.uv[neighbors + 1] - self.uv[neighbors], axis=1)))


def normal_map(
    texels: TexelSources, slopes: SlopeField, frames: tangent.CornerFrames, matrix: np.ndarray
) -> np.ndarray:
    """The tangent-space normal map (T, T, 3) of a target, unit vectors, row 0 at v = 1.

    frames  the corners of the target's triangles, object space
    matrix  the target's 4 x 4 world matrix
    """
    size = texels.size
    result = np.zeros((size * size, 3), np.float32)
    result[:, 2] = 1
    if mirrors(matrix):
        frames = frames.reversed()
    matrix = matrix[:3, :3]
    # Normals transform with the inverse transpose; multiplied from the right, that is the inverse.
    to_world = np.linalg.inv(matrix)
    slope = slopes.slopes_at(texels.uv, texels.uv_step()) * texels.weight[:, None]
    for start in range(0, len(texels.index), _CHUNK):
        part = slice(start, start + _CHUNK)
        owner, share = texels.owner[part], texels.share[part]
        normal = np.einsum("kc,kcx->kx", share, frames.normal[owner])
        along = np.einsum("kc,kcx->kx", share, frames.tangent[owner])
        sign = np.einsum("kc,kc->k", share, frames.sign[owner])
        of_face = texels.normal[part] * texels.weight[part, None]
        up = unit(unit(normal @ to_world) * (1 - np.linalg.norm(of_face, axis=1, keepdims=True)) + of_face)
        face_tangent = texels.tangent[part]
        face_tangent = unit(face_tangent - up * np.einsum("kx,kx->k", face_tangent, up)[:, None])
        face_bitangent = np.cross(up, face_tangent) * texels.sign[part, None]
        wanted = up + slope[part, :1] * face_tangent + slope[part, 1:] * face_bitangent
        result[texels.index[part]] = tangent.solve(along, normal, sign, wanted @ matrix)
    result = result.reshape(size, size, 3)
    raster.extend(result, texels.covered.copy(), tangent.MARGIN)
    return result / np.linalg.norm(result, axis=2, keepdims=True)


def scalar_map(texels: TexelSources, values: np.ndarray) -> np.ndarray:
    """Values (S, S, 1) on the face's textures transferred to the target's texels (T, T, 1), faded; 0 elsewhere."""
    size = texels.size
    result = np.zeros((size * size, 1), np.float32)
    result[texels.index] = cubic(values, texels.uv) * texels.weight[:, None]
    result = result.reshape(size, size, 1)
    raster.extend(result, texels.covered.copy(), tangent.MARGIN)
    return result


def picture(texels: TexelSources, values: np.ndarray, start: float = 0.0) -> np.ndarray:
    """Values (S, S, C) on the face's textures on the target's texels, with how much of them is the face's.

    Returns (T, T, C + 1) float32: the last channel is the weight, 0 where there is no face; beyond the face's border
    the values go on, so that they can be faded in by the weight, and over gaps, such as the line between the lips.
    """
    size, channels = texels.size, values.shape[2]
    result = np.full((size * size, channels + 1), start, np.float32)
    result[:, -1] = 0
    result[texels.index, :-1] = cubic(values, texels.uv)
    result[texels.index, -1] = texels.shown
    result = result.reshape(size, size, channels + 1)
    known = np.zeros(size * size, bool)
    known[texels.index[~texels.broken]] = True
    widest = size // GAP if texels.broken.any() else 0
    raster.extend(result[..., :-1], known.reshape(size, size), tangent.MARGIN + widest)
    raster.extend(result, texels.covered.copy(), tangent.MARGIN)
    return result
