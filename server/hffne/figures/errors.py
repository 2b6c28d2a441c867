# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures 6 and 11: normals and their error maps on a benchmark, for some faces and for the worst ones.

Collectors that `evaluation.ground_truth.measure` hands each face to, in place of the contact sheet's.
"""

from hffne.evaluation.contact_sheet import ERROR_FULL, error_picture, normal_picture
from hffne.evaluation.metrics import angles


def error_row(label, rgb, coarse, normal, mask, degrees, truth, fine):
    """Photo, truth, and for exemplar, refined and product the normal and its error map, with its mean in the label."""
    tiles = [("photo", rgb), ("truth", normal_picture(truth, mask))]
    means = []
    for name, seen in (("exemplar", coarse), ("refined", fine), ("product", normal)):
        error = angles(seen, truth)
        tiles += [(name, normal_picture(seen, mask)), (f"error 0-{ERROR_FULL:.0f} deg", error_picture(error, mask))]
        means.append(f"{name} {error[mask].mean():.1f}")
    return f"{label.split('  ')[0]}  " + "  ".join(means), tiles


class ErrorMaps:
    """Figure 6: all faces, in their order."""

    row = staticmethod(error_row)

    def __init__(self):
        self.rows = []

    def add(self, score, row):
        self.rows.append(row)


class Failures:
    """Figure 11: the `count` worst faces, the worst first."""

    row = staticmethod(error_row)

    def __init__(self, count):
        self.count, self._kept = count, []

    def add(self, score, row):
        self._kept = sorted([*self._kept, (score, row)], key=lambda pair: -pair[0])[: self.count]

    @property
    def rows(self):
        return [row for _, row in self._kept]
