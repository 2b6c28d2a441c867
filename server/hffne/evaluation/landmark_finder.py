# SPDX-License-Identifier: GPL-3.0-or-later
"""MediaPipe's 478 landmarks of a photo's face. Their mesh is a coarse ground truth (`synthesis.landmark_mesh`).

MediaPipe (the `train` extra) is used for training and evaluation only, never by the engine.
"""

from collections.abc import Sequence

import numpy as np

from hffne.errors import MediaPipeMissingError
from hffne.photo.crop import Crop, crop_for_box, extract_crop

# MediaPipe needs more of the head than a face crop shows, and no more pixels than this.
_SIDE, _SIZE = 1.6, 512


class LandmarkFinder:
    """Finds MediaPipe's landmarks of a face that `photo.detect` has found. Close it, or use it in a `with`.

    Raises HffneError when MediaPipe is not installed.
    """

    def __init__(self) -> None:
        try:
            from mediapipe.python.solutions.face_mesh import FaceMesh
        except ImportError:
            raise MediaPipeMissingError(
                "The landmark mesh needs MediaPipe.",
                hint='Run: python -m pip install ".[train]" (Python 3.12 or earlier)',
            ) from None
        self._mesh = FaceMesh(static_image_mode=True, refine_landmarks=True, min_detection_confidence=0.4)

    def __enter__(self) -> "LandmarkFinder":
        return self

    def __exit__(self, *_: object) -> None:
        self._mesh.close()

    def find(self, rgb: np.ndarray, box: Sequence[float]) -> np.ndarray | None:
        """(478, 3) in the photo's pixels (x right, y down, z toward the viewer), or None when there are none.

        rgb (H, W, 3) uint8; box: (x, y, width, height) of the face in pixels.
        """
        crop = crop_for_box(box, _SIZE)
        crop = Crop(crop.center_x, crop.center_y, crop.side * _SIDE, _SIZE)
        result = self._mesh.process(np.round(extract_crop(rgb, crop) * 255).astype(np.uint8))
        if not result.multi_face_landmarks:
            return None
        # MediaPipe's x and y are shares of the picture, pixel edges at 0 and 1; its z grows away from the viewer.
        marks = result.multi_face_landmarks[0].landmark
        points = np.array([[m.x, m.y, -m.z] for m in marks]) * _SIZE - [0.5, 0.5, 0]
        return crop.to_photo(points)
