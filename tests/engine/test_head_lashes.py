# SPDX-License-Identifier: GPL-3.0-or-later
"""Lashes on a photo are not painted onto the lids of a head."""

import numpy as np
import pytest

from hffne.head.lashes import _lids, remove_lashes

SKIN, SHADOW, LASH = (np.array(color) for color in ((210, 170, 150), (170, 130, 140), (30, 20, 20)))


@pytest.mark.parametrize("size", [256, 1024, 2048])
def test_lashes_go_and_make_up_stays(size):
    color = np.broadcast_to(SKIN, (size, size, 3)).astype(np.uint8)
    middles = []
    for (top, bottom, left, right), share in _lids():
        middle = [int(v) for v in np.argwhere(share > 0.95).mean(0) + (top, left)]
        rows = slice(top * size // 1024, bottom * size // 1024)
        color[rows, left * size // 1024 : right * size // 1024] = SHADOW
        step = max(size // 100, 2)
        for column in range(left * size // 1024, right * size // 1024, 2 * step):
            color[rows, column : column + step] = LASH
        middles.append([v * size // 1024 for v in middle])
    before = color.copy()
    remove_lashes(color)
    for row, column in middles:
        lid = color[row, column - size // 64 : column + size // 64].astype(int)
        assert np.abs(lid - SHADOW).max() < 12
    changed = (color != before).any(2)
    assert changed.any() and changed.mean() < 0.01
    assert not changed[size // 4 :].any()  # nose, cheeks and mouth


def test_a_dark_fold_is_not_painted_onto_the_lid():
    color = np.broadcast_to(SKIN, (512, 512, 3)).astype(np.uint8)
    for (top, _, left, _), share in _lids():
        y, x = np.nonzero(share > 0.5)
        color[(top + y) // 2, (left + x) // 2] = LASH
    remove_lashes(color)
    for (top, _, left, _), share in _lids():
        y, x = (int(v) // 2 for v in np.argwhere(share > 0.95).mean(0) + (top, left))
        assert 0.5 * SKIN.mean() < color[y, x].mean() < 0.75 * SKIN.mean()
