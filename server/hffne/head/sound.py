# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a fitted head can be used: no face of it is degenerate or turned inside out."""

import numpy as np

from hffne.geometry.base_shape import HEAD_TO_OBJECT
from hffne.head.fitted import FittedHead
from hffne.head.model import PARTS, SKIN, head_model

# Square meters: a face of the skin is not smaller than this share of the model's.
_LEAST_SHARE = 1e-3
# A face turned by more than the cosine's angle from the model's is turned inside out; small ones at lids and lips fold.
_TURNED, _TURNED_SHARE = -0.3, 0.002


def is_sound(head: FittedHead) -> bool:
    """Whether both shapes of a head are finite and their skin has the model's orientation."""
    return all(_is_sound(points @ HEAD_TO_OBJECT) for points in (head.neutral, head.posed))


def _is_sound(points: np.ndarray) -> bool:
    model = head_model()
    if not np.isfinite(points).all():
        return False
    triangles = model.mesh.triangles[model.mesh.triangle_parts == PARTS.index(SKIN)]
    own, like = _area_vectors(points, triangles), _area_vectors(model.neutral, triangles)
    area, expected = np.linalg.norm(own, axis=1), np.linalg.norm(like, axis=1)
    cosine = (own * like).sum(1) / np.maximum(area * expected, 1e-20)
    turned = float((expected * (cosine < _TURNED)).sum() / expected.sum())
    return bool((area > _LEAST_SHARE * expected).mean() > 0.999 and turned < _TURNED_SHARE)


def _area_vectors(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Normals (t, 3) of triangles as long as twice their area."""
    corners = points[triangles].astype(np.float64)
    return np.asarray(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
