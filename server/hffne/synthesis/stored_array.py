# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays in files, as memory maps that cost another process nothing."""

from pathlib import Path
from typing import Any

import numpy as np


class StoredArray(np.memmap):
    """A read-only map of a .npy file. Pickled, it is the file's name: where processes are spawned (Windows, macOS),
    each worker of a training would else be sent a copy of the whole set. Parts of it are pickled as usual arrays."""

    _whole = False

    @staticmethod
    def open(path: str | Path) -> "StoredArray":
        """The map of a file. Raises OSError, ValueError or EOFError for one that is not such a file."""
        array = np.load(path, mmap_mode="r").view(StoredArray)
        array._whole = True
        return array

    def __reduce__(self) -> Any:
        if self._whole:
            return StoredArray.open, (str(self.filename),)
        return np.array(self).__reduce__()
