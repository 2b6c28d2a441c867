# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures 6 and 11: normals and their error maps on a benchmark, for some faces and for the worst ones.

The classes are row collectors for `evaluation.ground_truth.measure`.
"""

import numpy as np

from hffne.evaluation.contact_sheet import ERROR_FULL, Row, error_picture, normal_picture
from hffne.evaluation.metrics import angles


def error_row(
    label: str,
    rgb: np.ndarray,
    coarse: np.ndarray,
    normal: np.ndarray,
    mask: np.ndarray,
    degrees: np.ndarray,
    ground_truth: np.ndarray,
    fine: np.ndarray,
) -> Row:
    """A row with photo, ground truth, and the normal and its error map for exemplar, refined and product.

    The arguments are those of `contact_sheet.face_row`; the mean errors are added to the label.
    """
    tiles = [("photo", rgb), ("ground truth", normal_picture(ground_truth, mask))]
    means = []
    for name, estimated in (("exemplar", coarse), ("refined", fine), ("product", normal)):
        error = angles(estimated, ground_truth)
        tiles.append((name, normal_picture(estimated, mask)))
        tiles.append((f"error 0-{ERROR_FULL:.0f} deg", error_picture(error, mask)))
        means.append(f"{name} {error[mask].mean():.1f}")
    return f"{label.split('  ')[0]}  " + "  ".join(means), tiles


class ErrorMaps:
    """Figure 6: all faces, in their order."""

    make_row = staticmethod(error_row)

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, score: float, row: Row) -> None:
        """Add a row; the score is not used."""
        self.rows.append(row)


class Failures:
    """Figure 11: the `count` worst faces, the worst first."""

    make_row = staticmethod(error_row)

    def __init__(self, count: int) -> None:
        self.count = count
        self._kept: list[tuple[float, Row]] = []

    def add(self, score: float, row: Row) -> None:
        """Add a row with its score, the mean error in degrees."""
        self._kept = sorted([*self._kept, (score, row)], key=lambda pair: -pair[0])[: self.count]

    @property
    def rows(self) -> list[Row]:
        """The rows of the worst faces, the worst first."""
        return [row for _, row in self._kept]
