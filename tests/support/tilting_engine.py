# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine whose error is known: it answers with the ground truth, rotated."""

import cv2
import numpy as np

from hffne.geometry.project import Projection


def tilted(degrees, axis=0):
    """The rotation (3, 3) by an angle about the axis x (0), y (1) or z (2)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


class Estimate:
    """What a benchmark reads of a FaceEstimate."""

    def __init__(self, normal, mask, landmarks=None):
        self.normal, self.mask, self.landmarks = normal, mask, landmarks
        self.coarse = self.fine = normal
        self.projection = Projection(mask, normal, None, None)

    def on_photo(self, shape):
        assert shape[:2] == self.mask.shape
        return self.normal, self.normal, self.mask

    def resample_to_photo(self, picture, shape):
        return cv2.resize(picture, shape[1::-1])


class TiltingEngine:
    """Answers with a benchmark's truth, tilted, and on a part of the face only."""

    model, device_name = "tilting", "none"

    def __init__(self, truth, mask):
        self.truth, self.mask = truth, mask

    def normals(self, photo, face, report=None, cancelled=None, merged=True):
        normal = (self.truth @ tilted(7).T).astype(np.float32)
        normal[:5] = 0
        mask = self.mask.copy()
        mask[:20] = False
        return Estimate(normal, mask)
