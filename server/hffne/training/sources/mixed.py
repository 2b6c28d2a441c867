# SPDX-License-Identifier: GPL-3.0-or-later
"""Several sources as one, by weight: the paper trains on more than one set of photos."""

import hashlib
from collections.abc import Sequence

import numpy as np

from hffne.training.sources import Sample, SampleSource


class MixedSource:
    """Each draw is from one of the sources, which is chosen by weight."""

    def __init__(self, sources: Sequence[SampleSource], weights: Sequence[float]) -> None:
        """weights: of the sources, above 0, in any unit."""
        self.sources, total = list(sources), sum(weights)
        self.shares = [weight / total for weight in weights]

    def draw(self, rng: np.random.Generator) -> list[Sample]:
        """See SampleSource."""
        return self.sources[int(rng.choice(len(self.sources), p=self.shares))].draw(rng)

    def fingerprint(self) -> str:
        """See SampleSource."""
        parts = [f"{s.fingerprint()} {share:.6f}" for s, share in zip(self.sources, self.shares, strict=True)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
