# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine whose error is known: it answers with the ground truth, rotated."""

import cv2
import numpy as np

from hffne.geometry.project import Projection
from rotations import tilted


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

    model, device_name, trained = "tilting", "none", {}

    def __init__(self, truth, mask):
        self.truth, self.mask = truth, mask

    def normals(self, photo, face, report=None, cancelled=None, merged=True):
        normal = (self.truth @ tilted(7).T).astype(np.float32)
        normal[:5] = 0
        mask = self.mask.copy()
        mask[:20] = False
        return Estimate(normal, mask)
