# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a convolutional network over a large picture piece by piece, without seams and in bounded memory."""

import torch

TILE = 576  # two of these side by side cover 1024
OVERLAP = 128
# Next to a tile's inner edge the network's padding shows: these pixels are thrown away.
MARGIN = 32


def tiled(network, picture, tile=TILE, overlap=OVERLAP, margin=MARGIN):
    """network(part) of a picture (1, C, H, W) on overlapping tiles, blended: unit vectors (1, K, H, W) on the CPU.

    network: (1, C, h, w) -> (1, K, h, w) unit over K, h and w any multiple of 32 up to `tile`. H and W are multiples
    of 32. Where tiles overlap their results fade into one another over overlap - 2 margin pixels.
    """
    height, width = picture.shape[2:]
    total = None
    for top, bottom in spans(height, tile, overlap):
        for left, right in spans(width, tile, overlap):
            part = network(picture[:, :, top:bottom, left:right]).cpu()
            weight = (
                _ramp(top, bottom, height, overlap, margin)[:, None] * _ramp(left, right, width, overlap, margin)[None]
            )
            if total is None:
                total = part.new_zeros(1, part.shape[1], height, width)
            total[:, :, top:bottom, left:right] += part * weight
    return torch.nn.functional.normalize(total, dim=1, eps=1e-6)


def spans(length, tile, overlap):
    """(start, end) of tiles that cover a length, each neighbor by `overlap` or more, at multiples of 32."""
    if length <= tile:
        return [(0, length)]
    count = -(-(length - overlap) // (tile - overlap))
    last = length - tile
    return [(start, start + tile) for start in (round(last * k / (count - 1) / 32) * 32 for k in range(count))]


def _ramp(start, end, length, overlap, margin):
    """Weights (end - start,): 1, but rising from 0 at the edges that lie inside the picture."""
    at = torch.arange(end - start, dtype=torch.float32) + 0.5
    weight = torch.ones(end - start)
    if start > 0:
        weight = torch.minimum(weight, (at - margin) / (overlap - 2 * margin))
    if end < length:
        weight = torch.minimum(weight, (end - start - at - margin) / (overlap - 2 * margin))
    return weight.clamp(0, 1)
