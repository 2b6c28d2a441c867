# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays of the engine's answer, each checked for its type, its shape and values that are finite."""

from collections.abc import Mapping

import numpy as np


class ReceivedFaceError(ValueError):
    """The engine's answer is not a valid face; the message names the part that is wrong."""


def checked(
    arrays: Mapping[str, np.ndarray], name: str, dtype: type[np.generic], shape: tuple[int | None, ...]
) -> np.ndarray:
    """The array `name`; None in `shape` is any length. Raises ReceivedFaceError where it is missing or wrong."""
    array = arrays.get(name)
    if array is None:
        raise ReceivedFaceError(f"The engine's answer has no '{name}'.")
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    if array.dtype != dtype or not fits:
        raise ReceivedFaceError(
            f"The engine's '{name}' is {array.dtype} {array.shape}, which is not the expected form."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ReceivedFaceError(f"The engine's '{name}' holds values that are not finite.")
    return array


def optional(
    arrays: Mapping[str, np.ndarray], name: str, dtype: type[np.generic], shape: tuple[int | None, ...]
) -> np.ndarray | None:
    """The same, or None where there is no array of this name."""
    return checked(arrays, name, dtype, shape) if name in arrays else None
