# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the extension's zip, which Blender installs by Edit > Preferences > Get Extensions > Install from Disk.

    python -m hffne_blender.build [--output DIR] [--validate] [--repository DIR]

Run from the sources. Needs no Blender, except for --validate, which runs Blender's own validator, and --repository,
which runs its generator: from the bpy module, or from the program given with --blender.
"""

import argparse
import ast
import base64
import hashlib
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from .engine.lock import name_for
from .repository import extension_command, publish
from .system.file_set import FileSet

SOURCE = Path(__file__).resolve().parent
MANIFEST = SOURCE.parent / "addon_manifest.toml"
# The name that Blender requires inside the zip.
MANIFEST_IN_ZIP = "blender_manifest.toml"
# Developers' tools, which an installed extension does not need.
LEFT_OUT = {"build.py", "repository.py", "roundtrip.py", "commands/profile_main_thread.py"}
# The folder in the zip for the engine's own package, so that the zip alone is enough to install it.
WHEEL_FOLDER = "engine_wheel"
ENGINE = SOURCE.parent / "server" / "hffne"
# The exact versions for the Pythons that Blender has.
LOCKS = {"3.11": "engine.lock", "3.13": "engine-3.13.lock"}
# Of text files there are only licenses.
ENGINE_DATA = {".py", ".typed", ".npz", ".safetensors", ".json", ".md", ".txt"}
# A fixed time, so that the same sources always give the same zip.
TIMESTAMP = (2020, 1, 1, 0, 0, 0)


def manifest_value(key: str, text: str | None = None) -> str:
    """A top-level string of the manifest, or of `text`. Raises KeyError. (Python 3.10 has no tomllib.)"""
    for line in (MANIFEST.read_text("utf-8") if text is None else text).splitlines():
        name, equals, value = line.partition("=")
        if line.startswith("["):
            break
        if equals and name.strip() == key:
            return value.strip().strip('"')
    raise KeyError(key)


def build(folder: str | Path) -> Path:
    """Write <id>-<version>.zip into `folder` and return its path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{manifest_value('id')}-{manifest_value('version')}.zip"
    with FileSet() as files:
        with zipfile.ZipFile(files.add(path), "w", zipfile.ZIP_DEFLATED) as archive:
            _add(archive, MANIFEST, MANIFEST_IN_ZIP)
            license_file = SOURCE.parent / "LICENSE"
            if license_file.exists():
                _add(archive, license_file, "LICENSE")
            # For the Help button.
            _add(archive, SOURCE.parent / "docs" / "troubleshooting.md", "troubleshooting.md")
            for source in sorted(SOURCE.rglob("*.py")):
                name = source.relative_to(SOURCE).as_posix()
                if name not in LEFT_OUT:
                    _add(archive, source, name)
            wheel, data = engine_wheel()
            # Packed already.
            _write(archive, f"{WHEEL_FOLDER}/{wheel}", data, zipfile.ZIP_STORED)
            for python, lock in LOCKS.items():
                _add(archive, SOURCE.parent / "requirements" / lock, f"{WHEEL_FOLDER}/{name_for(python)}")
        files.commit()
    return path


def engine_wheel() -> tuple[str, bytes]:
    """(file name, bytes) of the engine as a wheel, made without any build tool (PEP 427)."""
    version = manifest_value("version")
    project = (SOURCE.parent / "pyproject.toml").read_text("utf-8")
    requires = ast.literal_eval(_first_group(r"^dependencies = (\[.*?^\])", project))
    python = _first_group(r'^requires-python = "([^"]+)"', project)
    metadata = ["Metadata-Version: 2.1", "Name: hffne", f"Version: {version}", f"Requires-Python: {python}"]
    metadata += [f"Requires-Dist: {line}" for line in requires]
    info = f"hffne-{version}.dist-info"
    files = {}
    for source in sorted(ENGINE.rglob("*")):
        if source.suffix in ENGINE_DATA and source.is_file():
            files[source.relative_to(ENGINE.parent).as_posix()] = source.read_bytes()
    files[f"{info}/METADATA"] = "\n".join([*metadata, ""]).encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: hffne\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nhffne = hffne.__main__:main\n"
    record = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(data)}")
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            _write(archive, name, data)
    return f"hffne-{version}-py3-none-any.whl", packed.getvalue()


def validate(path: str | Path, blender: str | None = None) -> int:
    """Run Blender's own `extension validate` on the zip; returns its exit code.

    blender  the program to use instead of the bpy module
    """
    return subprocess.run(validate_command(path, blender)).returncode


def validate_command(path: str | Path, blender: str | None = None) -> list[str]:
    """The command line of Blender's validator. Raises FileNotFoundError where there is no Blender."""
    return [*extension_command(blender), "validate", str(path)]


def _first_group(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.M | re.S)
    if match is None:
        raise ValueError(f"There is no match for {pattern}.")
    return match.group(1)


def _add(archive: zipfile.ZipFile, source: Path, name: str) -> None:
    _write(archive, name, source.read_bytes())


def _write(archive: zipfile.ZipFile, name: str, data: bytes, packing: int = zipfile.ZIP_DEFLATED) -> None:
    entry = zipfile.ZipInfo(name, TIMESTAMP)
    entry.compress_type = packing
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="hffne_blender.build", description=__doc__.split("\n")[0])
    parser.add_argument(
        "-o", "--output", default="dist", metavar="DIR", help="folder to write to (default: %(default)s)"
    )
    parser.add_argument("--validate", action="store_true", help="run Blender's own validator on the zip")
    parser.add_argument(
        "--repository", metavar="DIR", help="also make DIR a repository that Blender can add by its address"
    )
    parser.add_argument("--blender", metavar="PROGRAM", help="the Blender for both (default: the bpy module)")
    options = parser.parse_args(arguments)
    if not MANIFEST.exists():
        print(f"There is no {MANIFEST}: run this from the project's sources.", file=sys.stderr)
        return 2
    path = build(options.output)
    print(path)
    try:
        if options.repository:
            for file in publish(path, Path(options.repository), options.blender):
                print(file)
        return validate(path, options.blender) if options.validate else 0
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    except (OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
