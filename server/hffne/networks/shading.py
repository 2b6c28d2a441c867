# SPDX-License-Identifier: GPL-3.0-or-later
"""The shading network: photo -> what takes the light out of it, highlights and cast shadows too."""

from hffne.networks.pixels import PixelNetwork


class ShadingNetwork(PixelNetwork):
    """Pictures (N, 3, S, S) sRGB in 0..1 -> (N, 3, S, S): log((albedo + DARK) / (color + DARK)), both linear
    (DARK: see `geometry.unlit`).

    Up to one constant of each picture: its exposure is not known.
    """

    def __init__(self) -> None:
        super().__init__(3)
