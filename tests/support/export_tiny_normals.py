# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports the network of tests/data/tiny_normals.onnx: run it where torch and onnx are installed.

It reads a picture in whose colors normals are encoded, (n * 0.5 + 0.5) * 255 less `MEAN` over `DEVIATION` in the order
blue, green, red, and gives them with other axes: an unused channel, then z away from the viewer, x, and y down.
"""

import sys

import torch
from torch import nn

MEAN, DEVIATION = (100.0, 110.0, 120.0), (50.0, 60.0, 70.0)
SIZE = (64, 48)  # height, width


class TinyNormals(nn.Module):
    """See above."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(3, 4, 1)
        with torch.no_grad():
            self.mix.weight.zero_()
            self.mix.bias.zero_()
            for channel, source, sign in ((1, 0, -1), (2, 2, 1), (3, 1, -1)):
                self.mix.weight[channel, source] = sign * DEVIATION[source] * 2 / 255
                self.mix.bias[channel] = sign * (MEAN[source] * 2 / 255 - 1)

    def forward(self, picture):
        out = self.mix(picture)
        return out[:, :1], out.permute(0, 2, 3, 1)


if __name__ == "__main__":
    torch.onnx.export(
        TinyNormals().eval(),
        (torch.zeros(1, 3, *SIZE),),
        sys.argv[1],
        input_names=["picture"],
        output_names=["depth", "normal"],
        opset_version=17,
        dynamo=False,
    )
