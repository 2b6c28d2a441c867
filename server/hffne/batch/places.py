# SPDX-License-Identifier: GPL-3.0-or-later
"""Where photos come from and results go to: a folder, or a folder of an object store."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hffne.errors import NoPhotosError, OutputError
from hffne.output import write_files
from hffne.photo.formats import is_photo_name


class Place(Protocol):
    """A tree of files. Names are relative, with slashes.

    local    whether files can be appended to
    address  what `open_place` takes
    """

    local: bool
    address: str

    def photos(self) -> dict[str, int]:
        """{name: bytes} of the photos, by name. Raises HffneError."""

    def file(self, name: str) -> AbstractContextManager[Path]:
        """A context with a file of this machine that holds a file of the place.

        Raises PhotoError for what is wrong with this one, other errors where none could be had.
        """

    def read(self, name: str) -> bytes | None:
        """A file's content, None where there is no such file. Raises HffneError."""

    def names(self, folder: str) -> list[str]:
        """The names of the files directly in a folder, sorted; empty where there is no such folder."""

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files; none is ever there incomplete. Raises OutputError."""


class Folder:
    """A folder of this machine, or of a drive that all machines have under one path."""

    local = True

    def __init__(self, path: str | Path, without: str | Path | None = None) -> None:
        """without: a folder below it whose pictures are no photos."""
        self.path = Path(path)
        self.address = str(self.path.absolute())
        self._without = None if without is None else Path(without).absolute()

    def photos(self) -> dict[str, int]:
        """{name: bytes} of the photos, by name. Raises NoPhotosError where there is no such folder."""
        if not self.path.is_dir():
            raise NoPhotosError(f"There is no folder '{self.path}'.")
        found = {}
        for folder, subfolders, names in os.walk(self.path):
            here = Path(folder)
            if self._without is not None:
                subfolders[:] = [name for name in subfolders if (here / name).absolute() != self._without]
            for path in (here / name for name in names if is_photo_name(name)):
                with contextlib.suppress(OSError):
                    found[path.relative_to(self.path).as_posix()] = path.stat().st_size
        return dict(sorted(found.items()))

    @contextlib.contextmanager
    def file(self, name: str) -> Iterator[Path]:
        """The file itself."""
        yield self.path / name

    def read(self, name: str) -> bytes | None:
        """A file's content, None where there is no such file. Raises OutputError."""
        try:
            return (self.path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise OutputError(f"'{self.path / name}' cannot be read: {error.strerror or error}") from None

    def names(self, folder: str) -> list[str]:
        """The names of the files directly in a folder, sorted."""
        try:
            return sorted(entry.name for entry in os.scandir(self.path / folder) if entry.is_file())
        except OSError:
            return []

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files, all of them or none. Raises OutputError."""
        for folder in {(self.path / name).parent for name in files}:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError.of(folder, error) from None
        write_files({self.path / name: partial(_put, data) for name, data in files.items()})

    def append(self, name: str, data: bytes) -> None:
        """Append to a file. Raises OutputError."""
        path = self.path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "ab") as file:
                file.write(data)
        except OSError as error:
            raise OutputError.of(path, error) from None


def stem_of(name: str) -> str:
    """A photo's name without its last ending, with its folders."""
    path = PurePosixPath(name)
    return str(path.parent / path.stem)


def open_place(text: str, without: str | None = None) -> "Place":
    """The place that a path or an address (`s3://bucket/folder`) names. Raises HffneError."""
    if "://" in text and not text.startswith("file://"):
        from hffne.batch.store import Store

        return Store(text, without)
    return Folder(_plain(text), None if without is None or "://" in _plain(without) else _plain(without))


def _put(data: bytes, file: BinaryIO) -> None:
    file.write(data)


def _plain(text: str) -> str:
    """A path as it is, or that of a file:// address."""
    return url2pathname(urlsplit(text).path) if text.startswith("file://") else text
