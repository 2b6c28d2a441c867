# SPDX-License-Identifier: GPL-3.0-or-later
"""One file with all that a training run needs on another machine: an uncompressed tar.

README.md   what it is and how to run it
set/…       the files of the training set that the task uses
inputs/…    the weights that the run begins with
pack.json   the recipe, the seed, and every file's bytes and SHA-256; last, so that each file is read once
"""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from hffne import __version__
from hffne.errors import OutputError, PackError
from hffne.output import output_folder, write_files
from hffne.scratch import Scratch
from hffne.training.provenance import commit
from hffne.training.recipe import Recipe, from_dict

FORMAT = "hffne pack 1"
_FACTS, _README, _SET, _INPUTS = "pack.json", "README.md", "set", "inputs"


@dataclass(frozen=True)
class Pack:
    """An unpacked pack.

    folder  the training set
    recipe  with all that options had changed
    seed    of the run
    inputs  the files that the run begins with, by the names of the command's options
    made    version and commit of the program that wrote it
    """

    folder: Path
    recipe: Recipe
    seed: int
    inputs: dict[str, Path]
    made: str


def write_pack(
    output: Path, recipe: Recipe, seed: int, folder: Path, files: Sequence[Path], inputs: Mapping[str, Path]
) -> int:
    """Write a pack; returns its bytes. Raises OutputError.

    folder: the training set; files: those of it that the task uses. inputs: see Pack.
    """
    named = {f"{_SET}/{path.relative_to(folder).as_posix()}": path for path in files}
    given = {name: f"{_INPUTS}/{name}{path.suffix}" for name, path in inputs.items()}
    named |= {given[name]: path for name, path in inputs.items()}
    readme = _README_TEXT.format(task=recipe.task, version=__version__, commit=commit(), name=output.name)

    def write(file: BinaryIO) -> None:
        facts: dict[str, Any] = {"format": FORMAT, "version": __version__, "commit": commit(), "seed": seed}
        facts |= {"task": recipe.task, "recipe": recipe.as_dict(), "inputs": given, "files": {}}
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            _add(archive, _README, io.BytesIO(readme.encode()), len(readme.encode()))
            for name, path in named.items():
                with open(path, "rb") as content:
                    size = path.stat().st_size
                    facts["files"][name] = [size, _add(archive, name, content, size)]
            text = json.dumps(facts, indent=1).encode()
            _add(archive, _FACTS, io.BytesIO(text), len(text))

    with output_folder(output.parent):
        write_files({output: write})
    return output.stat().st_size


def unpack(path: Path, task: str, folder: Path) -> Pack:
    """Unpack into a new folder, where it is not there already, and check every file.

    Raises PackError for a file that is damaged, no pack or another task's, OutputError.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            try:
                facts = json.loads(_member(archive, _FACTS).read())
                recipe, expected = _checked(facts, path)
            except KeyError:
                raise _damaged(path, "its end is missing, or it is no pack") from None
            if recipe.task != task:
                hint = f"Run: hffne train {recipe.task} --pack {path.name}"
                raise PackError(f"'{path}' is a pack of task {recipe.task}, not {task}.", hint=hint)
            if _facts_in(folder) != facts:
                _extract(archive, path, folder, facts, expected)
    except FileNotFoundError:
        raise PackError(f"There is no file '{path}'.") from None
    except (tarfile.TarError, EOFError, ValueError, TypeError, AttributeError) as error:
        raise _damaged(path, str(error) or type(error).__name__) from None
    except OSError as error:
        raise PackError(f"'{path}' cannot be read: {error.strerror or error}.") from None
    inputs = {name: folder / place for name, place in facts["inputs"].items()}
    made = f"{facts.get('version')} {facts.get('commit')}"
    return Pack(folder / _SET, recipe, facts["seed"], inputs, made)


def _checked(facts: Any, path: Path) -> tuple[Recipe, dict[str, list[Any]]]:
    """The recipe, and {name: [bytes, SHA-256]}. Raises PackError, KeyError, TypeError, ConfigurationError."""
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise PackError(f"'{path}' is not a pack of this version of hffne.")
    files = dict(facts["files"])
    for name in files:
        place = PurePosixPath(name)
        # Names with other parts could lie outside of the folder.
        if place.parts[:1] not in ((_SET,), (_INPUTS,)) or ".." in place.parts or "\\" in name or ":" in name:
            raise _damaged(path, f"it names '{name}'")
    if not set(facts["inputs"].values()) <= set(files) or type(facts["seed"]) is not int:
        raise _damaged(path, f"its {_FACTS} contradicts itself")
    return from_dict(facts["recipe"], str(facts["task"]), f"The recipe in '{path}'"), files


def _extract(
    archive: tarfile.TarFile, path: Path, folder: Path, facts: dict[str, Any], expected: dict[str, list[Any]]
) -> None:
    with output_folder(folder.parent), Scratch(folder.parent, folder=True) as place:
        try:
            for name, (size, digest) in expected.items():
                try:
                    content = _member(archive, name)
                except KeyError:
                    raise _damaged(path, f"'{name}' is missing") from None
                target = place / "new" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with open(target, "xb") as file:
                    hashing = _Hashing(content)
                    shutil.copyfileobj(hashing, file, 1 << 20)
                if (target.stat().st_size, hashing.digest.hexdigest()) != (size, digest):
                    raise _damaged(path, f"'{name}' is not what was packed")
            (place / "new" / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
            if folder.exists():
                shutil.rmtree(folder)
            (place / "new").rename(folder)
        except OSError as error:
            raise OutputError.of(folder, error) from None


def _facts_in(folder: Path) -> Any:
    """What was unpacked there, or None."""
    try:
        return json.loads((folder / _FACTS).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    """The content of a plain file. Raises KeyError."""
    content = archive.extractfile(name)
    if content is None or not archive.getmember(name).isreg():
        raise KeyError(name)
    return content


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> str:
    """Add a file; returns its SHA-256."""
    entry, hashing = tarfile.TarInfo(name), _Hashing(content)
    entry.size = size
    archive.addfile(entry, hashing)
    return hashing.digest.hexdigest()


class _Hashing(io.RawIOBase):
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.digest, self._file = hashlib.sha256(), file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _damaged(path: Path, why: str) -> PackError:
    return PackError(f"'{path}' is damaged or not a pack: {why}.")


_README_TEXT = """# A training run of hffne, packed

Task {task}; made by hffne {version} {commit}.

On the machine that trains, with the same version of hffne and its extra `train`:

    hffne train {task} --pack {name} --output run

It checks every file, unpacks beside the run (so much room is needed once more) and begins. The same command goes on
where a run was stopped; `--accelerator`, `--devices`, `--workers`, `--threads`, `--until` and `--steps` may be added.
The weights are run/*.safetensors.
"""
