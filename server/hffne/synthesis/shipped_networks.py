# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped networks, as the sets of later ones use them."""

import numpy as np
import torch

from hffne.geometry.vectors import normalize
from hffne.networks.coarse import CoarseNetwork
from hffne.networks.parsing import ParsingNetwork
from hffne.weights.store import FOLDER, load_weights


class ShippedNetworks:
    """The coarse and the parsing network on one thread."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._coarse = load_weights(CoarseNetwork(), FOLDER / "coarse.safetensors").eval()
        self._parsing = load_weights(ParsingNetwork(), FOLDER / "parsing.safetensors").eval()

    @torch.no_grad()
    def coarse(self, gray: np.ndarray) -> np.ndarray:
        """Gray crop (S, S) in 0..1 -> normals (S, S, 3), the mean with the mirrored crop's."""
        both = self._coarse(torch.from_numpy(np.stack([gray, gray[:, ::-1]])[:, None].copy()))
        plain, mirrored = both.permute(0, 2, 3, 1).numpy()
        return normalize(plain + mirrored[:, ::-1] * np.array([-1, 1, 1], np.float32)).astype(np.float32)

    @torch.no_grad()
    def parts(self, rgb: np.ndarray) -> np.ndarray:
        """Crop (S, S, 3) sRGB in 0..1 -> how likely each part is, (P, S, S) float32."""
        picture = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32))
        return np.asarray(self._parsing(picture)[0].softmax(0).numpy())
