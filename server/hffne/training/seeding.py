# SPDX-License-Identifier: GPL-3.0-or-later
"""Random seeds that depend on what is computed, never on when or by which process."""

import numpy as np


def micro_batch_seed(seed: int, step: int, part: int) -> int:
    """The seed of torch's generators (dropout, random patches) for one micro batch of one step."""
    return int(np.random.SeedSequence([seed, step, part]).generate_state(1)[0])


def draw_generator(seed: int, number: int, draw: int) -> np.random.Generator:
    """The generator of one draw of samples in micro batch `number`."""
    return np.random.default_rng([seed, number, draw])
