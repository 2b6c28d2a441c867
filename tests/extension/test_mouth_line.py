# SPDX-License-Identifier: GPL-3.0-or-later
"""The line between the lips on a picture of a mesh."""

import numpy as np
import pytest

from hffne_blender.numeric import mouth_line

SIZE = 200


def landmarks(y=100.0):
    """A mouth 60 pixels wide."""
    points = np.full((68, 2), (100.0, 40.0))
    across = np.linspace(70, 130, 5)
    points[60:65] = np.stack([across, [y, y - 2, y - 3, y - 2, y]], 1)
    points[65:68] = np.stack([across[3:0:-1], [y + 2, y + 3, y + 2]], 1)
    points[48], points[54], points[51], points[57] = (68, y), (132, y), (100, y - 10), (100, y + 12)
    for index in (*range(49, 51), *range(52, 54), *range(55, 57), *range(58, 60)):
        points[index] = 100, y
    return points


def crease(line, depth=1.0):
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(float)
    return 0.01 * columns - depth * np.exp(-(((rows - line(columns)) / 1.5) ** 2))


LOWER, BENT, TILTED = (107, 0, 0), (94, 0, -4), (100, 1.5, 0)


@pytest.mark.parametrize("shape", [LOWER, BENT, TILTED])
def test_the_mouth_moves_onto_the_line_and_nothing_else_does(shape):
    def line(x):
        return shape[0] + shape[1] * (x - 100) / 30 + shape[2] * ((x - 100) / 30) ** 2

    before = landmarks()
    after = mouth_line.settled(before, crease(line), 0.5)
    assert np.array_equal(after[:48], before[:48]) and np.array_equal(after[:, 0], before[:, 0])
    for index in (60, 62, 64):
        middle = after[index, 1] if index != 62 else (after[62, 1] + after[66, 1]) / 2
        assert abs(middle - line(after[index, 0])) < 1.5
    # A lip is as thick as it was.
    assert after[57, 1] - after[51, 1] == pytest.approx(22)


def test_without_a_line_nothing_is_moved():
    assert mouth_line.settled(landmarks(), crease(lambda x: 160 + 0 * x), 0.5) is None
    assert mouth_line.settled(landmarks(), np.full((SIZE, SIZE), np.nan), 0.5) is None
