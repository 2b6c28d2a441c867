# SPDX-License-Identifier: GPL-3.0-or-later
"""The data sets of the paper, read from their own folder layouts; one file per data set.

Each module has SOURCE (what to download, and the folder layout) and `find(folder, part=False)`, which lists the
items. An incomplete data set is an error, HffneError "half_dataset", that names the missing files. `part=True` accepts
fewer items than the data set has, but never an incomplete item. `find` only lists files; an item's methods read and
check them.
"""

import importlib
from types import ModuleType

NAMES = ("photoface", "florence", "w300", "celeba", "ffhq", "ict3drfe", "yaleb", "aflw2000", "london")


def dataset(name: str) -> ModuleType:
    """The module of a data set by its name in NAMES."""
    return importlib.import_module(f".{name}", __package__)
