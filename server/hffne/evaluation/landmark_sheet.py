# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet of landmarks: the photos with the smallest and the largest errors."""

import cv2
import numpy as np

from hffne.evaluation.aflw2000 import PhotoResult
from hffne.evaluation.contact_sheet import TILE, Row
from hffne.photo.load import Photo

ROWS, COLUMNS = 2, 8  # of the best and of the worst photos each
_GROUND_TRUTH, _OURS = (0, 220, 0), (255, 40, 40)


class LandmarkSheet:
    """Collects photos with their points drawn on them: green the ground truth, red ours."""

    def __init__(self) -> None:
        self._pictures: list[tuple[PhotoResult, np.ndarray]] = []

    def add(self, photo: Photo, landmarks: np.ndarray | None, ground_truth: np.ndarray, result: PhotoResult) -> None:
        """Draw one photo's landmarks (68, 2 or 3), None when there are none, and the ground truth (68, 2 or 3)."""
        picture = np.array(photo.rgb)
        for points, color in ((ground_truth, _GROUND_TRUTH), (landmarks, _OURS)):
            for x, y in points[:, :2] if points is not None else ():
                cv2.circle(picture, (round(float(x)), round(float(y))), 2, color, -1, cv2.LINE_AA)
        left, top = np.maximum(ground_truth.min(0) - np.ptp(ground_truth, axis=0) * 0.3, 0).astype(int)[:2]
        right, bottom = (ground_truth.max(0) + np.ptp(ground_truth, axis=0) * 0.3).astype(int)[:2]
        side = max(right - left, bottom - top, 16)
        part = picture[top : top + side, left : left + side]
        part = cv2.copyMakeBorder(part, 0, side - part.shape[0], 0, side - part.shape[1], cv2.BORDER_CONSTANT)
        self._pictures.append((result, cv2.resize(part, (TILE, TILE), interpolation=cv2.INTER_AREA)))

    def rows(self) -> list[Row]:
        """The best and the worst photos as rows of a contact sheet, with their errors in percent."""
        ordered = sorted(self._pictures, key=lambda pair: float("inf") if pair[0].error is None else pair[0].error)
        count = ROWS * COLUMNS
        rows: list[Row] = []
        for label, group in (("best", ordered[:count]), ("worst", ordered[count:][-count:])):
            for start in range(0, len(group), COLUMNS):
                line = group[start : start + COLUMNS]
                names = "  ".join(
                    f"{result.name[-5:]}: " + ("no face" if result.error is None else f"{result.error:.1f}")
                    for result, _ in line
                )
                rows.append((f"{label}  {names}", [("", picture) for _, picture in line]))
        return rows
