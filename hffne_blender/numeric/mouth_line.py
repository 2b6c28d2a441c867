# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lips of a drawn mesh meet: its own line decides, for landmarks on a gray picture miss it by millimeters.

A lip that is carried over to the wrong side of that line would be seen twice. The line of a mesh is a crease, that of a
face is where its texture is dark: its lips come from the photo.
"""

import numpy as np

# iBUG landmarks of the mouth; the middles of the inner lips, from corner to corner, are between these two rows.
MOUTH = range(48, 68)
_UPPER, _LOWER = [60, 61, 62, 63, 64], [60, 67, 66, 65, 64]
# Shares of the mouth's width: how far the line is looked for from the landmarks, and how far above and below it the
# picture is compared with it.
_REACH, _BESIDE = 0.28, 0.06
# Differences that count fully: of depth, as a share of the mouth's width, and of brightness, a logarithm.
CREASE, DARK = 0.1, 0.5
# The least mean of what counts for a line, and what a mouth's width away from the landmarks costs.
_LEAST, _NEARER = 0.04, 0.3
# A line may be tilted and bent by these shares of the mouth's width, each tried in so many steps.
_TILT, _BEND, _TRIES = 0.06, 0.14, 9
# Columns that are too few for a line.
_FEW = 8


def settled(pixels: np.ndarray, picture: np.ndarray, full: float) -> np.ndarray | None:
    """The landmarks (68, 2) with those of the mouth moved up or down onto the line of a picture; None without a line.

    pixels   of the picture, y down
    picture  (P, P), lower on the line than above and below it; NaN is never on the line
    full     the difference that counts fully
    """
    left, right = sorted((float(pixels[60, 0]), float(pixels[64, 0])))
    columns = np.arange(int(np.ceil(left)), int(right) + 1)
    if len(columns) < _FEW or left < 0 or right > len(picture) - 1:
        return None
    order = np.argsort(pixels[_UPPER, 0])
    middle = ((pixels[_UPPER, 1] + pixels[_LOWER, 1]) / 2)[order]
    near = np.interp(columns, pixels[_UPPER, 0][order], middle)
    line = _line(picture, columns, near, right - left, full)
    if line is None:
        return None
    result = pixels.copy()
    result[MOUTH, 1] += np.interp(pixels[MOUTH, 0], columns, line - near)
    return result


def _line(picture: np.ndarray, columns: np.ndarray, near: np.ndarray, width: float, full: float) -> np.ndarray | None:
    """The rows of the lowest line through some columns, near the rows `near`; None where nothing is low.

    It differs from those rows by a shift, a tilt and a bend: lips end where they are told to, whatever lies around.
    """
    reach, beside = max(2, round(_REACH * width)), max(2, round(_BESIDE * width))
    rows = np.rint(near).astype(int)[:, None] + np.arange(-2 * reach, 2 * reach + 1)

    def at(offset: int) -> np.ndarray:
        return picture[np.clip(rows + offset, 0, len(picture) - 1), columns[:, None]]

    above = np.fmax.reduce([at(-k) for k in range(1, beside + 1)])
    below = np.fmax.reduce([at(k) for k in range(1, beside + 1)])
    gain = np.clip(np.nan_to_num((np.fmin(above, below) - at(0)) / full, nan=0.0), 0, 1)
    shift = np.arange(-reach, reach + 1)
    tilt, bend = (np.linspace(-share, share, _TRIES) * width for share in (_TILT, _BEND))
    along = np.linspace(-1, 1, len(columns))
    offsets = (shift[:, None, None, None] + tilt[:, None, None] * along + bend[:, None] * np.square(along)).reshape(
        -1, len(columns)
    )
    offsets = offsets[np.abs(offsets).max(1) <= reach]
    scores = gain[np.arange(len(columns)), np.rint(offsets).astype(int) + 2 * reach].mean(1)
    # Of lines that are alike the one nearest to the landmarks.
    best = int(np.argmax(scores - _NEARER * np.abs(offsets).mean(1) / width))
    return near + offsets[best] if scores[best] >= _LEAST else None
