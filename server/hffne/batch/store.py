# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of an object store, through pyarrow: s3://, gs:// and others that it or fsspec knows."""

import contextlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hffne.batch.names import copy_name
from hffne.errors import (
    ExtraMissingError,
    NoPhotosError,
    OutputError,
    PhotoNotFoundError,
    PhotoNotReadableError,
    StoreDeniedError,
    StoreError,
)
from hffne.photo.formats import is_photo_name
from hffne.scratch import Scratch

if TYPE_CHECKING:
    from pyarrow import fs

_MOST_TEXT = 200
_DENIED = re.compile("(access|permission).?denied|forbidden", re.IGNORECASE)


class Store:
    """The place that an address names, see `places.Place`. An object appears when it is whole."""

    local = False

    def __init__(self, address: str, without: str | None = None) -> None:
        """without: an address below it whose pictures are no photos. Raises ExtraMissingError, StoreError."""
        self.address = address
        self._files, self._root = _opened(address)
        self._without = None
        if without is not None and "://" in without:
            self._without = _opened(without)[1] + "/"

    def photos(self) -> dict[str, int]:
        """{name: bytes} of the photos, by name. Raises NoPhotosError, StoreError."""
        from pyarrow import fs

        try:
            with self._explained("listed"):
                entries = self._files.get_file_info(fs.FileSelector(self._root, recursive=True))
        except FileNotFoundError:
            raise NoPhotosError(f"There is no folder '{_shown(self.address)}'.") from None
        found = {}
        for entry in entries:
            own = self._without is not None and entry.path.startswith(self._without)
            if entry.type == fs.FileType.File and is_photo_name(entry.path) and not own:
                found[entry.path.removeprefix(self._root + "/")] = int(entry.size or 0)
        return dict(sorted(found.items()))

    @contextlib.contextmanager
    def file(self, name: str) -> Iterator[Path]:
        """A copy of the object for the time of the context, with its name where a file can have it.

        Raises PhotoNotFoundError, PhotoNotReadableError; StoreError, and OutputError without room for a copy.
        """
        try:
            data = self._read(name)
        except FileNotFoundError:
            raise PhotoNotFoundError(f"'{name}' is not there any more.") from None
        except StoreDeniedError:
            raise PhotoNotReadableError(f"'{name}' may not be read: access is denied.") from None
        with contextlib.ExitStack() as stack:
            try:
                path = stack.enter_context(Scratch(tempfile.gettempdir(), folder=True)) / copy_name(name)
                path.write_bytes(data)
            except OSError as error:
                raise OutputError.of(error.filename or tempfile.gettempdir(), error) from None
            yield path

    def read(self, name: str) -> bytes | None:
        """An object's content, None where there is none. Raises StoreError."""
        try:
            return self._read(name)
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        """The names of the objects directly in a folder, sorted."""
        from pyarrow import fs

        with self._explained("listed"):
            entries = self._files.get_file_info(fs.FileSelector(f"{self._root}/{folder}", allow_not_found=True))
        return sorted(entry.base_name for entry in entries if entry.type == fs.FileType.File)

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write objects, one after the other. Raises StoreError."""
        for name, data in files.items():
            path = f"{self._root}/{name}"
            with self._explained("written to"):
                # A bucket is never made here; folders are names only, but for file systems behind fsspec.
                self._files.create_dir(path.rsplit("/", 1)[0])
                with self._files.open_output_stream(path) as stream:
                    stream.write(data)

    def _read(self, name: str) -> bytes:
        with self._explained("read"), self._files.open_input_stream(f"{self._root}/{name}") as stream:
            return bytes(stream.read())

    @contextlib.contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        """Turns what stores raise into a StoreError; a FileNotFoundError passes."""
        import pyarrow as pa

        try:
            yield
        except FileNotFoundError:
            raise
        except (OSError, pa.ArrowException) as error:
            text = " ".join(str(error).split())
            if isinstance(error, PermissionError) or _DENIED.search(text):
                raise StoreDeniedError(f"'{_shown(self.address)}' cannot be {done}: access is denied.") from None
            raise StoreError(f"'{_shown(self.address)}' cannot be {done}: {text[:_MOST_TEXT]}") from None


def _opened(address: str) -> "tuple[fs.FileSystem, str]":
    """(file system, path of the folder in it). Raises ExtraMissingError, StoreError."""
    try:
        import pyarrow as pa
        from pyarrow import fs
    except ImportError:
        raise ExtraMissingError(
            f"'{_shown(address)}' needs pyarrow.", hint='Run: python -m pip install "hffne[cluster]"'
        ) from None
    try:
        try:
            files, root = fs.FileSystem.from_uri(address)
        except pa.ArrowInvalid:
            import fsspec

            inner, root = fsspec.core.url_to_fs(address)
            files = fs.PyFileSystem(fs.FSSpecHandler(inner))
    except (OSError, ValueError, ImportError, pa.ArrowException) as error:
        raise StoreError(f"'{_shown(address)}' cannot be opened: {' '.join(str(error).split())[:_MOST_TEXT]}") from None
    return files, root.rstrip("/")


def _shown(address: str) -> str:
    """An address without the key that may stand in it."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"
