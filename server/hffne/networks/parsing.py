# SPDX-License-Identifier: GPL-3.0-or-later
"""The parsing network: photo -> what each pixel shows."""

from hffne.networks.pixels import PixelNetwork
from hffne.parts import PARTS


class ParsingNetwork(PixelNetwork):
    """Pictures (N, 3, S, S) sRGB in 0..1 -> logits (N, P, S, S) of the P `parts.PARTS`."""

    def __init__(self) -> None:
        super().__init__(len(PARTS))
