# SPDX-License-Identifier: GPL-3.0-or-later
"""The data sets of the paper, read from their own folder layouts; one file a data set.

Each module has SOURCE (what to download, and how it must lie on disk) and `find(folder, part=False)`, which lists
the items and refuses half a data set: HffneError "half_dataset", naming what is missing. `part=True` accepts fewer
items than the data set has, but never half an item. Pictures are read, and checked, when an item is asked for them.
"""

import importlib

NAMES = ("photoface", "florence", "w300", "celeba", "ffhq", "ict3drfe", "yaleb", "aflw2000")


def dataset(name):
    """The module of a data set by its name in NAMES."""
    return importlib.import_module(f".{name}", __package__)
