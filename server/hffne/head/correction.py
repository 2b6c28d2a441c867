# SPDX-License-Identifier: GPL-3.0-or-later
"""A correction of the fit on the head's vertices: skin follows it, eyeballs and teeth follow as a whole."""

from functools import cache

import numpy as np

from hffne.geometry.smooth_field import SmoothField
from hffne.head.model import head_model

# Parts that keep their form, each group as one.
RIGID = (("Teeth", "Gums and Tongue"), ("Eye Left", "Iris Left"), ("Eye Right", "Iris Right"))


def displacement(posed: np.ndarray, field: SmoothField) -> np.ndarray:
    """The displacements (V, 3) meters of the vertices of a posed head (V, 3), object axes."""
    return field.of_parts(posed, _rigid())


@cache
def _rigid() -> tuple[np.ndarray, ...]:
    parts = head_model().part_vertices
    return tuple(np.concatenate([parts[name] for name in group]) for group in RIGID)
