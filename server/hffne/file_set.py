# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way in which results are written: all files of a set appear together, or none of them.

Standard library only: the engine and the extension have the same file.
"""

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from .scratch import Scratch

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl


class FileSet:
    """Files that are written under other names, in a private folder beside their places, and moved at the end.

    A link in a file's place is replaced and never followed. What a killed run leaves is removed by the next one in the
    same folder, see `scratch`. Two sets for the same names never mix: the last one that is committed is there as a
    whole.
    """

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._folders: dict[Path, Path] = {}
        self._files: dict[Path, Path] = {}

    def __enter__(self) -> "FileSet":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was not committed. Safe to call twice."""
        self._stack.close()

    def add(self, path: str | os.PathLike[str]) -> Path:
        """Where to write the file that is to become `path`, in a folder that exists. Raises OSError."""
        final = Path(os.path.abspath(path))
        folder = self._folders.get(final.parent)
        if folder is None:
            folder = self._stack.enter_context(Scratch(final.parent, folder=True))
            self._folders[final.parent] = folder
        self._files[final] = folder / final.name
        return self._files[final]

    def commit(self, check: Callable[[Path], object] | None = None) -> list[Path]:
        """Move all files to their places, or change nothing there; returns the places.

        check  called with each file before anything is moved; it may raise OSError

        Raises OSError when a file was not written or cannot get its name.
        """
        for written in self._files.values():
            if not stat.S_ISREG(written.lstat().st_mode):
                raise OSError(f"'{written.name}' is not a file")
            if check is not None:
                check(written)
            os.chmod(written, 0o666 & ~_UMASK)
            _sync(written)
        with contextlib.ExitStack() as locks:
            for folder in sorted(self._folders):
                locks.enter_context(_locked(folder))
            self._move()
        for folder in self._folders:
            _sync(folder)
        return list(self._files)

    def _move(self) -> None:
        undo: list[tuple[Path, Path | None]] = []
        try:
            for final, written in self._files.items():
                if final.is_dir() and not final.is_symlink():
                    raise OSError(f"'{final.name}' is a folder")
                before = None
                if os.path.lexists(final):
                    before = written.with_name(f"{final.name}.before")
                    os.replace(final, before)
                undo.append((final, before))
                os.replace(written, final)
        except BaseException:
            # Also when it is interrupted.
            for final, before in reversed(undo):
                if before is not None:
                    os.replace(before, final)
                else:
                    final.unlink(missing_ok=True)
            raise


def _read_umask() -> int:
    # It can only be read by setting it: once, while there is one thread.
    value = os.umask(0)
    os.umask(value)
    return value


_UMASK = _read_umask()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep others from committing to a folder, where the system has locks."""
    if fcntl is None:
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        yield  # it may be written to and not be read
        return
    try:
        with contextlib.suppress(OSError):  # not on every network file system
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    """Bring a file, or a folder's names, onto the disk. A disk that cannot is not asked again."""
    if os.name == "nt" and path.is_dir():
        return
    try:
        descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (22, 95):  # "not supported" on some file systems
            raise
    finally:
        os.close(descriptor)
