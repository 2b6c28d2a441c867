# SPDX-License-Identifier: GPL-3.0-or-later
"""Write results so that nothing half-written is ever seen under its name."""

import os
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hffne.errors import OutputError
from hffne.scratch import Scratch


@contextmanager
def output_folder(path):
    """A folder that exists and can be written to, as a Path.

    Raises OutputError before any work is done when that is not so. A folder that
    was made here and is still empty at the end is taken away again.
    """
    path = Path(path)
    made = []
    try:
        for folder in reversed([path, *path.parents]):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                made.append(folder)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        _remove_empty(made)
        raise OutputError(f"The folder '{path}' cannot be written to: {error.strerror or error}") from None
    try:
        yield path
    finally:
        _remove_empty(made)


def write_files(writers):
    """Write several files that belong together: all of them or none.

    writers: {Path: function(binary file)}. Each is first written under another
    name in the same folder; only when all are complete do they take their names.
    Raises OutputError; exceptions of the functions pass through.
    """
    finished = {}
    try:
        with ExitStack() as stack:
            for path, write in writers.items():
                # The name must not tell what the file is: it is not that yet.
                name = finished[path] = stack.enter_context(Scratch(path.parent))
                with open(name, "wb") as file:
                    write(file)
            for path, name in finished.items():
                os.chmod(name, 0o666 & ~_umask())
                os.replace(name, path)
    except OSError as error:
        raise OutputError(f"'{path}' cannot be written: {error.strerror or error}") from None


def _umask():
    # It can only be read by setting it.
    value = os.umask(0)
    os.umask(value)
    return value


def _remove_empty(folders):
    for folder in reversed(folders):
        try:
            folder.rmdir()
        except OSError:
            return
