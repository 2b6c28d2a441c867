# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the extension's zip, which Blender installs: Edit > Preferences > Get Extensions > Install from Disk.

    python -m hffne_blender.build [--output DIR] [--validate]

Run from the sources. Needs no Blender, but for --validate, which runs Blender's own
validator: from the bpy module, or from the program given with --blender.
"""

import argparse
import ast
import base64
import hashlib
import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
MANIFEST = SOURCE.parent / "addon_manifest.toml"
# The name that Blender requires inside the zip.
MANIFEST_IN_ZIP = "blender_manifest.toml"
# Tools for those who work on the sources; an installed extension has no use for them.
LEFT_OUT = {"build.py", "commands/profile_main_thread.py"}
# The engine's own package inside the zip, so that the zip alone is enough.
WHEEL_FOLDER = "engine_wheel"
ENGINE = SOURCE.parent / "server" / "hffne"
ENGINE_DATA = {".py", ".npz", ".safetensors", ".json", ".md"}
# The same sources give the same zip, whenever it is built.
TIMESTAMP = (2020, 1, 1, 0, 0, 0)


def manifest_value(key, text=None):
    """A top-level string of the manifest; tomllib is missing in Python 3.10."""
    for line in (MANIFEST.read_text("utf-8") if text is None else text).splitlines():
        name, equals, value = line.partition("=")
        if line.startswith("["):
            break
        if equals and name.strip() == key:
            return value.strip().strip('"')
    raise KeyError(key)


def build(folder):
    """Write <id>-<version>.zip into `folder` and return its path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{manifest_value('id')}-{manifest_value('version')}.zip"
    partial = path.with_name(path.name + ".partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
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
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def engine_wheel():
    """(file name, bytes) of the engine as a wheel, made without any build tool (PEP 427)."""
    version = manifest_value("version")
    project = (SOURCE.parent / "pyproject.toml").read_text("utf-8")
    requires = ast.literal_eval(re.search(r"^dependencies = (\[.*?^\])", project, re.M | re.S).group(1))
    python = re.search(r'^requires-python = "(.+)"', project, re.M).group(1)
    metadata = ["Metadata-Version: 2.1", "Name: hffne", f"Version: {version}", f"Requires-Python: {python}"]
    metadata += [f"Requires-Dist: {line}" for line in requires]
    info = f"hffne-{version}.dist-info"
    files = {}
    for source in sorted(ENGINE.rglob("*")):
        if source.suffix in ENGINE_DATA and source.is_file():
            files[source.relative_to(ENGINE.parent).as_posix()] = source.read_bytes()
    files[f"{info}/METADATA"] = "\n".join([*metadata, ""]).encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: hffne\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nhffne = hffne.cli.main:main\n"
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


def validate(path, blender=None):
    """Run Blender's own `extension validate` on the zip; returns its exit code."""
    return subprocess.run(validate_command(path, blender)).returncode


def validate_command(path, blender=None):
    """The command line of Blender's validator. Raises FileNotFoundError where there is no Blender."""
    program = blender or shutil.which("blender")
    if blender is None:
        import importlib.util

        spec = importlib.util.find_spec("bpy")
        if spec is not None and spec.origin:
            found = sorted(Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
            if found:
                return [sys.executable, str(found[0]), "validate", str(path)]
    if program is None:
        raise FileNotFoundError("no Blender to validate with: install bpy or give --blender")
    return [program, "--command", "extension", "validate", str(path)]


def _add(archive, source, name):
    _write(archive, name, source.read_bytes())


def _write(archive, name, data, packing=zipfile.ZIP_DEFLATED):
    entry = zipfile.ZipInfo(name, TIMESTAMP)
    entry.compress_type = packing
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="hffne_blender.build", description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", default="dist", metavar="DIR", help="folder to write to (default: dist)")
    parser.add_argument("--validate", action="store_true", help="run Blender's own validator on the zip")
    parser.add_argument("--blender", metavar="PROGRAM", help="the Blender to validate with (default: the bpy module)")
    options = parser.parse_args(arguments)
    if not MANIFEST.exists():
        print(f"There is no {MANIFEST}: run this from the project's sources.", file=sys.stderr)
        return 2
    path = build(options.output)
    print(path)
    if options.validate:
        try:
            return validate(path, options.blender)
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
