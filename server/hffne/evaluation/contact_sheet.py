# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets, one row per face: photo, coarse, fine and final normal ("product"), shaded pictures, error."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import cv2
import numpy as np

from hffne.output import write_files

TILE = 192
# From the upper left, the front and the right: toward the light, camera space.
LIGHTS = ((-0.7, 0.5, 0.5), (0.0, 0.3, 1.0), (0.9, 0.1, 0.35))
ERROR_FULL = 40.0  # degrees at the bright end of the error map
_MARGIN, _HEAD = 4, 26
_FONT = cv2.FONT_HERSHEY_SIMPLEX

# One row: its label, and its tiles as (name, picture (H, W, 3) uint8 RGB).
Row: TypeAlias = tuple[str, list[tuple[str, np.ndarray]]]


class RowCollector(Protocol):
    """Makes and collects the rows of a contact sheet, one for each measured face."""

    def make_row(
        self,
        label: str,
        rgb: np.ndarray,
        coarse: np.ndarray,
        normal: np.ndarray,
        mask: np.ndarray,
        degrees: np.ndarray,
        ground_truth: np.ndarray,
        fine: np.ndarray,
    ) -> Row:
        """The row of one face, with the arguments of `face_row`."""

    def add(self, score: float, row: Row) -> None:
        """Add a row with its score; the smaller the better."""

    @property
    def rows(self) -> list[Row]:
        """The rows to show."""


def normal_picture(normal: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Normals (H, W, 3) as (H, W, 3) uint8: n * 0.5 + 0.5, black outside of the mask."""
    picture = np.clip((normal * 0.5 + 0.5) * 255 + 0.5, 0, 255).astype(np.uint8)
    return picture if mask is None else np.where(mask[..., None], picture, 0).astype(np.uint8)


def shaded_picture(normal: np.ndarray, light: Sequence[float], mask: np.ndarray | None = None) -> np.ndarray:
    """A matte gray surface under one light and a little ambient light, (H, W, 3) uint8; black outside of the mask.

    normal: (H, W, 3) unit; light: toward the light in camera space, of any length.
    """
    direction = np.asarray(light, np.float32)
    direction /= np.linalg.norm(direction)
    shade = 0.08 + 0.92 * np.clip(normal @ direction, 0, 1)
    # Roughly sRGB's curve, so that the dark side can be judged too.
    picture = np.repeat((np.clip(shade, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)[..., None], 3, 2)
    return picture if mask is None else np.where(mask[..., None], picture, 0).astype(np.uint8)


def error_picture(degrees: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Angular errors (H, W) as a heat map (H, W, 3) uint8: black 0, bright 40 degrees and more."""
    level = (np.clip(np.nan_to_num(degrees) / ERROR_FULL, 0, 1) * 255).astype(np.uint8)
    heat = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    return np.where(mask[..., None], heat, 0).astype(np.uint8)


def face_row(
    label: str,
    rgb: np.ndarray,
    coarse: np.ndarray,
    normal: np.ndarray,
    mask: np.ndarray,
    degrees: np.ndarray | None = None,
    ground_truth: np.ndarray | None = None,
    fine: np.ndarray | None = None,
) -> Row:
    """One row of the sheet. All pictures are of one size.

    rgb (H, W, 3) uint8; coarse, fine, normal, ground_truth (H, W, 3) unit normals, `normal` the final one; mask (H, W)
    bool; degrees (H, W): the angular errors.
    """
    tiles = [("photo", rgb), ("coarse", normal_picture(coarse, mask))]
    if fine is not None:
        tiles.append(("fine", normal_picture(fine, mask)))
    tiles.append(("product", normal_picture(normal, mask)))
    tiles += [(f"light {k + 1}", shaded_picture(normal, light, mask)) for k, light in enumerate(LIGHTS)]
    if ground_truth is not None:
        tiles.append(("ground truth", normal_picture(ground_truth, mask)))
        tiles.append(("ground truth, light 1", shaded_picture(ground_truth, LIGHTS[0], mask)))
    if degrees is not None:
        tiles.append((f"error 0-{ERROR_FULL:.0f} deg", error_picture(degrees, mask)))
    return label, tiles


class BestAndWorst:
    """A RowCollector that keeps the `count` best and the `count` worst rows."""

    make_row = staticmethod(face_row)

    def __init__(self, count: int = 10) -> None:
        self.count = count
        self._kept: list[tuple[float, Row]] = []

    def add(self, score: float, row: Row) -> None:
        """Add a row with its score (the smaller the better). Its pictures are scaled down to save memory."""
        label, tiles = row
        self._kept.append((float(score), (label, [(name, _fit(picture)) for name, picture in tiles])))
        self._kept.sort(key=lambda pair: pair[0])
        if len(self._kept) > 2 * self.count:
            del self._kept[self.count]

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def rows(self) -> list[Row]:
        """The best rows, the very best first, then the worst ones, the very worst first; each row once."""
        best = min(self.count, (len(self._kept) + 1) // 2)
        return [(f"best  {label}", tiles) for _, (label, tiles) in self._kept[:best]] + [
            (f"worst  {label}", tiles) for _, (label, tiles) in self._kept[best:][::-1]
        ]


def compose(rows: Sequence[Row], tile: int = TILE) -> np.ndarray:
    """All rows in one picture, (H, W, 3) uint8 RGB. tile: the width of each tile in pixels."""
    columns = max(len(tiles) for _, tiles in rows)
    step = tile + _MARGIN
    heights = [max(_fit(picture, tile).shape[0] for _, picture in tiles) for _, tiles in rows]
    sheet = np.full((_HEAD + sum(h + _HEAD for h in heights), columns * step + _MARGIN, 3), 32, np.uint8)
    for column, (name, _) in enumerate(rows[0][1]):
        _write(sheet, name, column * step + _MARGIN, 18)
    top = _HEAD
    for (label, tiles), height in zip(rows, heights, strict=True):
        _write(sheet, label, _MARGIN, top + 17)
        for column, (_, picture) in enumerate(tiles):
            small = _fit(picture, tile)
            left = column * step + _MARGIN
            sheet[top + _HEAD : top + _HEAD + small.shape[0], left : left + small.shape[1]] = small
        top += height + _HEAD
    return sheet


def save(rows: Sequence[Row], path: str | Path, tile: int = TILE) -> None:
    """Write the sheet as PNG, its tiles `tile` pixels wide. Raises OutputError."""
    data = cv2.imencode(".png", cv2.cvtColor(compose(rows, tile), cv2.COLOR_RGB2BGR))[1].tobytes()
    write_files({Path(path): lambda file: file.write(data)})


def _fit(picture: np.ndarray, tile: int = TILE) -> np.ndarray:
    scale = tile / picture.shape[1]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, (tile, max(1, round(picture.shape[0] * scale))), interpolation=method)


def _write(sheet: np.ndarray, text: str, x: int, y: int) -> None:
    cv2.putText(sheet, text.encode("ascii", "replace").decode(), (x, y), _FONT, 0.45, (230, 230, 230), 1, cv2.LINE_AA)
