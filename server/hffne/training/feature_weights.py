# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of pixels near lids and lips in the coarse network's training.

The lid corners of a photo's fit lie about 2 % of the face beside the photo's, and so do the textures that were lifted
through fits onto the first head family. A network trained on these pixel by pixel learns their mean, a blob. The second
family has lids and lips as geometry, with textures of its own.
"""

import torch

from hffne.training.settings import FeatureWeights
from hffne.training.sources import Sample


def render_weight(batch: Sample, features: FeatureWeights) -> torch.Tensor:
    """The weight (N, S, S) of each pixel of renders; without masks of lids and lips it is the batch's own."""
    if "lids" not in batch:
        return batch["weight"]
    lids, lips, second = batch["lids"], batch["lips"], batch["second_family"].view(-1, 1, 1)
    first = 1 + (features.first_lids - 1) * lids
    other = 1 + (features.second_lids - 1) * lids + (features.second_lips - 1) * lips * (1 - lids)
    return batch["weight"] * torch.where(second > 0.5, other, first)


def fit_weight(batch: Sample, features: FeatureWeights) -> torch.Tensor:
    """The weight (N, S, S) of each pixel of photos, where they follow their fits pixel by pixel."""
    if "lids" not in batch:
        return batch["weight"]
    lids, lips = 1 + (features.fit_lids - 1) * batch["lids"], 1 + (features.fit_lips - 1) * batch["lips"]
    return batch["weight"] * lids * lips
