# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets: photo, coarse, fine, product, shaded from three lights, error, one face a row."""

from pathlib import Path

import cv2
import numpy as np

from hffne.output import write_files

TILE = 192
# From the upper left, the front and the right: toward the light, camera space.
LIGHTS = ((-0.7, 0.5, 0.5), (0.0, 0.3, 1.0), (0.9, 0.1, 0.35))
ERROR_FULL = 40.0  # degrees at the bright end of the error map
_MARGIN, _HEAD = 4, 26
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def normal_picture(normal, mask=None):
    """Normals (H, W, 3) as (H, W, 3) uint8: n * 0.5 + 0.5, black outside of the mask."""
    picture = np.clip((normal * 0.5 + 0.5) * 255 + 0.5, 0, 255).astype(np.uint8)
    return picture if mask is None else np.where(mask[..., None], picture, 0).astype(np.uint8)


def shaded_picture(normal, light, mask=None):
    """A matte gray surface under one light and a little sky."""
    light = np.asarray(light, np.float32)
    light /= np.linalg.norm(light)
    shade = 0.08 + 0.92 * np.clip(normal @ light, 0, 1)
    # Roughly sRGB's curve, so that the dark side can be judged too.
    picture = np.repeat((np.clip(shade, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)[..., None], 3, 2)
    return picture if mask is None else np.where(mask[..., None], picture, 0).astype(np.uint8)


def error_picture(degrees, mask):
    """Angular errors (H, W) as a heat map: black 0, bright 40 degrees and more."""
    level = (np.clip(np.nan_to_num(degrees) / ERROR_FULL, 0, 1) * 255).astype(np.uint8)
    heat = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    return np.where(mask[..., None], heat, 0).astype(np.uint8)


class BestAndWorst:
    """Collects rows with their scores (the smaller the better) and keeps the `count` best and the `count` worst."""

    def __init__(self, count=10):
        self.count, self._kept = count, []

    def add(self, score, row):
        """Take a row in; its pictures are made small, so that many faces cost little memory."""
        label, tiles = row
        self._kept.append((float(score), (label, [(name, _fit(picture)) for name, picture in tiles])))
        self._kept.sort(key=lambda pair: pair[0])
        if len(self._kept) > 2 * self.count:
            del self._kept[self.count]

    def __len__(self):
        return len(self._kept)

    @property
    def rows(self):
        """The best first, then the worst, the very worst first; each face once."""
        best = min(self.count, (len(self._kept) + 1) // 2)
        return [(f"best  {label}", tiles) for _, (label, tiles) in self._kept[:best]] + [
            (f"worst  {label}", tiles) for _, (label, tiles) in self._kept[best:][::-1]
        ]


def face_row(label, rgb, coarse, normal, mask, degrees=None, truth=None, fine=None):
    """One row of the sheet, (label, tiles): tiles are (name, picture) pairs. normal: the product's."""
    tiles = [("photo", rgb), ("coarse", normal_picture(coarse, mask))]
    tiles += [] if fine is None else [("fine", normal_picture(fine, mask))]
    tiles += [("product", normal_picture(normal, mask))]
    tiles += [(f"light {k + 1}", shaded_picture(normal, light, mask)) for k, light in enumerate(LIGHTS)]
    if truth is not None:
        tiles += [("truth", normal_picture(truth, mask)), ("truth, light 1", shaded_picture(truth, LIGHTS[0], mask))]
    if degrees is not None:
        tiles.append((f"error 0-{ERROR_FULL:.0f} deg", error_picture(degrees, mask)))
    return label, tiles


def compose(rows, tile=TILE):
    """All rows on one picture, (H, W, 3) uint8 RGB. tile: the pictures' width."""
    columns = max(len(tiles) for _, tiles in rows)
    step = tile + _MARGIN
    heights = [max(_fit(picture, tile).shape[0] for _, picture in tiles) for _, tiles in rows]
    sheet = np.full((_HEAD + sum(h + _HEAD for h in heights), columns * step + _MARGIN, 3), 32, np.uint8)
    for column, (name, _) in enumerate(rows[0][1]):
        _write(sheet, name, column * step + _MARGIN, 18)
    top = _HEAD
    for (label, tiles), height in zip(rows, heights):
        _write(sheet, label, _MARGIN, top + 17)
        for column, (_, picture) in enumerate(tiles):
            small = _fit(picture, tile)
            left = column * step + _MARGIN
            sheet[top + _HEAD : top + _HEAD + small.shape[0], left : left + small.shape[1]] = small
        top += height + _HEAD
    return sheet


def save(rows, path, tile=TILE):
    """Write the sheet as PNG, its pictures `tile` pixels wide. Raises OutputError."""
    data = cv2.imencode(".png", cv2.cvtColor(compose(rows, tile), cv2.COLOR_RGB2BGR))[1].tobytes()
    write_files({Path(path): lambda file: file.write(data)})


def _fit(picture, tile=TILE):
    scale = tile / picture.shape[1]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, (tile, max(1, round(picture.shape[0] * scale))), interpolation=method)


def _write(sheet, text, x, y):
    cv2.putText(sheet, text.encode("ascii", "replace").decode(), (x, y), _FONT, 0.45, (230, 230, 230), 1, cv2.LINE_AA)
