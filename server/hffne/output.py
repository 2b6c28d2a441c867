# SPDX-License-Identifier: GPL-3.0-or-later
"""Write results atomically: no incomplete file ever has its final name."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from hffne.errors import OutputError
from hffne.scratch import Scratch


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
    """Write several files that belong together: all of them or none.

    writers: {path: function that writes to a binary file}. Each is first written under another name in the same folder
    and renamed when all are complete. Raises OutputError; exceptions of the functions pass through.
    """
    finished: dict[Path, Path] = {}
    try:
        with ExitStack() as stack:
            for path, write in writers.items():
                # The temporary name has no extension of the final one, since the file is incomplete.
                name = finished[path] = stack.enter_context(Scratch(path.parent))
                with open(name, "wb") as file:
                    write(file)
            for path, name in finished.items():
                os.chmod(name, 0o666 & ~_umask())
                os.replace(name, path)
    except OSError as error:
        raise OutputError(f"'{path}' cannot be written: {error.strerror or error}") from None


def _umask() -> int:
    # It can only be read by setting it.
    value = os.umask(0)
    os.umask(value)
    return value


def _remove_empty(folders: list[Path]) -> None:
    for folder in reversed(folders):
        try:
            folder.rmdir()
        except OSError:
            return
