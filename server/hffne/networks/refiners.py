# SPDX-License-Identifier: GPL-3.0-or-later
"""Which network a recipe's fine network is: its model and its variant in one place, for trainings and for files."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from hffne.errors import VariantError
from hffne.networks.fine import FineNetwork
from hffne.networks.paper import VECTOR as PUBLISHED_VECTOR
from hffne.networks.paper import PaperFineNetwork
from hffne.networks.successor import SuccessorFineNetwork
from hffne.networks.variants import Variant

VECTOR = 128  # numbers of the compact width's z
# A step of a network of this width takes 0.81 of the compact FineNetwork's processor time, of 24 1.5 times as much.
_COMPACT_SUCCESSOR = 16

Refiner: TypeAlias = FineNetwork | PaperFineNetwork | SuccessorFineNetwork


def fine_network(model: str, settings: Mapping[str, Any]) -> Refiner:
    """The untrained fine network of a recipe.

    model: "compact" or "paper" (the published widths). settings: of the recipe's task, of which `architecture`,
    `modulation` and `vector` are read; what is missing is the method's. Raises VariantError.
    """
    variant = Variant(settings.get("architecture", "A3"), settings.get("modulation", "stylegan2"))
    published, vector = model == "paper", settings.get("vector", VECTOR)
    if vector != VECTOR and (published or variant.architecture != "A3"):
        raise VariantError(
            f"There is no vector of {vector} numbers in {'the published widths' if published else variant.architecture}"
            f": it has {PUBLISHED_VECTOR if published else 'its own'}.",
            hint="Leave `vector` out, or use the compact model with A3.",
        )
    if variant.architecture == "FNR2R":
        return SuccessorFineNetwork() if published else SuccessorFineNetwork(_COMPACT_SUCCESSOR)
    return PaperFineNetwork(variant) if published else FineNetwork(vector=vector, variant=variant)
