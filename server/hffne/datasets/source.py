# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a data set comes from, its folder layout, and the errors for copies that do not match it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hffne.errors import DatasetFileError, DatasetIncompleteError, DatasetMissingError, HffneError, PhotoError
from hffne.photo.load import load_photo


@dataclass(frozen=True)
class DatasetSource:
    """Where a data set comes from, and its folder layout.

    title     its usual name
    origin    who provides it
    download  the files to download
    layout    the folder, one line each
    terms     the permitted use
    content   how many items of what
    """

    title: str
    origin: str
    download: str
    layout: tuple[str, ...]
    terms: str
    content: str

    def text(self) -> str:
        """All of it as readable lines."""
        return "\n".join(
            [
                f"{self.title}: {self.content}",
                f"From:     {self.origin}",
                f"Download: {self.download}",
                f"Terms:    {self.terms}",
                "Layout of the folder:",
                *(f"    {line}" for line in self.layout),
            ]
        )

    def incomplete(self, what: str) -> HffneError:
        """The error for a part that is missing. what: a sentence that names the part."""
        return DatasetIncompleteError(
            f"{self.title} is not complete: {what}",
            hint=f"Download {self.download} from {self.origin} again and lay it out as described in docs/datasets.md.",
        )

    def broken(self, path: str | Path, what: str) -> HffneError:
        """The error for a file with wrong content. what: a sentence about the file."""
        return DatasetFileError(
            f"'{path}' is not a valid file of {self.title}: {what}", hint="Download the file again."
        )

    def folder(self, path: str | Path) -> Path:
        """The data set's folder as a Path. Raises HffneError when there is no such folder."""
        path = Path(path)
        if not path.is_dir():
            raise DatasetMissingError(f"There is no folder '{path}'.", hint=f"{self.title} comes from {self.origin}.")
        return path

    def not_found(self, path: str | Path) -> HffneError:
        """The error for a folder without any file of the data set."""
        return DatasetMissingError(
            f"'{path}' holds nothing of {self.title}.",
            hint=f"It must hold {self.layout[0].split('  ')[0]}; see docs/datasets.md.",
        )

    def require(self, folder: str | Path, missing: Sequence[object], part: bool = False) -> None:
        """Raise the error that names the missing parts of a folder, unless there are none or `part` accepts that."""
        if missing and not part:
            raise self.incomplete(f"'{folder}' lacks {shortened(missing)}.")

    def read(self, path: Path, size: Sequence[int] | None = None) -> np.ndarray:
        """A picture, (H, W, 3) uint8 sRGB. size: (width, height) that it must have. Raises HffneError."""
        try:
            photo = load_photo(path)
        except PhotoError as error:
            raise type(error)(error.message, hint="Download the file again.") from None
        if size is not None and photo.size != tuple(size):
            raise self.broken(
                path, f"it has {photo.size[0]} x {photo.size[1]} pixels instead of {size[0]} x {size[1]}."
            )
        return photo.rgb


def shortened(names: Iterable[object], most: int = 3) -> str:
    """The first of many names, and how many more there are, for a message."""
    texts = [str(name) for name in names]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
