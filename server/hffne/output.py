# SPDX-License-Identifier: GPL-3.0-or-later
"""Write results atomically: no incomplete file ever has its final name."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hffne.errors import OutputError
from hffne.file_set import FileSet


@contextmanager
def output_folder(path: str | Path) -> Iterator[Path]:
    """A context with a folder that exists and can be written to.

    Raises OutputError at once when that is not possible. A folder that was created here and is still empty at the
    end is removed again.
    """
    path = Path(path)
    created: list[Path] = []
    try:
        for folder in reversed([path, *path.parents]):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                created.append(folder)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        _remove_empty(created)
        raise OutputError(f"The folder '{path}' cannot be written to: {error.strerror or error}") from None
    try:
        yield path
    finally:
        _remove_empty(created)


def write_files(writers: Mapping[Path, Callable[[BinaryIO], object]]) -> None:
    """Write several files that belong together: all of them or none, see `file_set`.

    writers: {path: function that writes to a binary file}

    Raises OutputError; exceptions of the functions pass through.
    """
    path: Path | None = None
    try:
        with FileSet() as files:
            for path, write in writers.items():
                with open(files.add(path), "xb") as file:
                    write(file)
            path = next(iter(writers), path)
            files.commit()
    except OSError as error:
        raise OutputError.of(path, error) from None


def _remove_empty(folders: list[Path]) -> None:
    for folder in reversed(folders):
        try:
            folder.rmdir()
        except OSError:
            return
