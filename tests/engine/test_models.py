# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks on plain arrays: several crops at once are each as alone, and none is loaded before it is needed."""

import numpy as np
import pytest

from hffne.errors import WeightsMissingError
from hffne.models import FurtherNetworks, load_models


def test_crops_at_once_are_each_as_alone():
    models = load_models("cpu")
    crops = np.random.default_rng(0).random((2, 256, 256), np.float32)
    for look, step in ((models.position_map, 1e-3), (models.coarse, 1e-4)):
        both = look(crops)
        assert all(np.abs(together - look(alone)).max() < step for together, alone in zip(both, crops, strict=True))
        assert np.abs(both[0] - both[1]).max() > 10 * step


def test_networks_are_loaded_when_they_are_first_used(tmp_path):
    further = load_models("cpu").further
    assert not {"parsing", "shading", "eyes", "mouth"} & vars(further).keys()
    assert further.shading is further.shading and "eyes" not in vars(further)
    with pytest.raises(WeightsMissingError, match="parsing"):
        FurtherNetworks(further.shading.out.weight.device, tmp_path)
