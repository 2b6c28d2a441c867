# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a convolutional network over a large picture in tiles, without seams and in bounded memory."""

from collections.abc import Callable

import torch

from hffne.networks.blocks import unit

TILE = 832  # at most; a face on a crop of 1024 is hardly wider
OVERLAP = 128
# Pixels along a tile's inner edges that are discarded, since the padding changes them.
MARGIN = 32


def tiled(
    network: Callable[[torch.Tensor], torch.Tensor],
    picture: torch.Tensor,
    tile: int = TILE,
    overlap: int = OVERLAP,
    margin: int = MARGIN,
) -> torch.Tensor:
    """network(part) of pictures (N, C, H, W) on overlapping tiles, blended: unit vectors (N, K, H, W) on the CPU.

    network: (N, C, h, w) -> (N, K, h, w) unit over K, h and w any multiple of 32 up to `tile`. H and W are multiples
    of 32. Where tiles overlap their results are cross-faded over overlap - 2 margin pixels.
    """
    height, width = picture.shape[2:]
    if max(height, width) <= tile:
        return network(picture).cpu()
    total: torch.Tensor | None = None
    for top, bottom in spans(height, tile, overlap):
        for left, right in spans(width, tile, overlap):
            part = network(picture[:, :, top:bottom, left:right]).cpu()
            weight = (
                _ramp(top, bottom, height, overlap, margin)[:, None] * _ramp(left, right, width, overlap, margin)[None]
            )
            if total is None:
                total = part.new_zeros(*part.shape[:2], height, width)
            total[:, :, top:bottom, left:right] += part * weight
    assert total is not None  # there is at least one tile
    return unit(total)


def spans(length: int, tile: int, overlap: int) -> list[tuple[int, int]]:
    """(start, end) of equal tiles that cover a length, at multiples of 32, as few and as small as possible; neighbors
    overlap by `overlap` or up to 32 more."""
    if length <= tile:
        return [(0, length)]
    count = -(-(length - overlap) // (tile - overlap))
    side = -(-(length + (count - 1) * overlap) // (32 * count)) * 32
    last = length - side
    return [(start, start + side) for start in (round(last * k / (count - 1) / 32) * 32 for k in range(count))]


def _ramp(start: int, end: int, length: int, overlap: int, margin: int) -> torch.Tensor:
    """Weights (end - start,): 1, but rising from 0 at the edges that lie inside the picture."""
    at = torch.arange(end - start, dtype=torch.float32) + 0.5
    weight = torch.ones(end - start)
    if start > 0:
        weight = torch.minimum(weight, (at - margin) / (overlap - 2 * margin))
    if end < length:
        weight = torch.minimum(weight, (end - start - at - margin) / (overlap - 2 * margin))
    return weight.clamp(0, 1)
