# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a data set comes from and how it lies on disk, and the errors when it does not."""

from dataclasses import dataclass
from pathlib import Path

from hffne.errors import DatasetFileError, DatasetIncompleteError, DatasetMissingError, PhotoError
from hffne.photo.load import load_photo


@dataclass(frozen=True)
class Source:
    """title: what people call it; origin: where it is asked for; download: which files; layout: the folder, a line
    each; terms: what it may be used for; content: how many items of what."""

    title: str
    origin: str
    download: str
    layout: tuple
    terms: str
    content: str

    def text(self):
        """All of it, for people."""
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

    def half(self, what):
        """The error when a part of it is missing. what: a sentence naming the part."""
        return DatasetIncompleteError(
            f"{self.title} is not complete: {what}",
            hint=f"Download {self.download} from {self.origin} again and lay it out as docs/datasets.md says.",
        )

    def broken(self, path, what):
        """The error when a file is not what it should be."""
        return DatasetFileError(f"'{path}' is no file of {self.title}: {what}", hint="Download the file again.")

    def folder(self, path):
        """The data set's folder as a Path. Raises HffneError when it holds none of it."""
        path = Path(path)
        if not path.is_dir():
            raise DatasetMissingError(f"There is no folder '{path}'.", hint=f"{self.title} comes from {self.origin}.")
        return path

    def nothing(self, path):
        """The error when a folder is another one."""
        return DatasetMissingError(
            f"'{path}' holds nothing of {self.title}.",
            hint=f"It must hold {self.layout[0].split('  ')[0]}; see docs/datasets.md.",
        )

    def missing(self, folder, names, part=False):
        """Raise the error that names the parts which `folder` lacks, unless there are none or a part will do."""
        if names and not part:
            raise self.half(f"'{folder}' lacks {some(names)}.")

    def read(self, path, size=None):
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


def some(names, most=3):
    """The first of many names, for an error."""
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
