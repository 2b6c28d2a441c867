# SPDX-License-Identifier: GPL-3.0-or-later
"""A static extension repository: the zip, Blender's index of it and a page, made by Blender's own generator."""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .system.file_set import FileSet

# Blender reads the first, people the second.
INDEX, PAGE = "index.json", "index.html"
# Blender replaces what is in braces.
_TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>HFFNE: Face From Photo</title>
  <style>body { font: 16px sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
  td, th { text-align: left; padding: 0 1em 0.3em 0; vertical-align: top }</style>
</head>
<body>
<h1>HFFNE: Face From Photo</h1>
<p>In Blender: <i>Edit &gt; Preferences &gt; Get Extensions &gt; Repositories &gt; + &gt; Add Remote Repository</i>,
with the address of <a href="index.json">index.json</a>. Or drag a link of the table onto Blender's window.</p>
${body}
<p>${date}</p>
</body>
</html>
"""


def extension_command(blender: str | None = None) -> list[str]:
    """The start of a command line of `blender --command extension`, of the bpy module where no program is given.

    Raises FileNotFoundError where there is no Blender.
    """
    if blender is None:
        spec = importlib.util.find_spec("bpy")
        if spec is not None and spec.origin:
            scripts = sorted(Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
            if scripts:
                return [sys.executable, str(scripts[0])]
    program = blender or shutil.which("blender")
    if program is None:
        raise FileNotFoundError("There is no Blender: install bpy or give --blender.")
    return [program, "--command", "extension"]


def publish(archive: Path, folder: Path, blender: str | None = None) -> list[Path]:
    """Make `folder` a repository of the extension in `archive`, <id>-<version>.zip; returns its files.

    Blender shows one version of an extension, so zips of other versions are removed from the folder, after the new
    index is in place. Raises OSError, and RuntimeError with the generator's output where it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "repository"
        made.mkdir()
        shutil.copyfile(archive, made / archive.name)
        template = Path(temporary) / "page.html"
        template.write_text(_TEMPLATE, "utf-8")
        options = ["server-generate", "--repo-dir", str(made), "--html", "--html-template", str(template)]
        done = subprocess.run([*extension_command(blender), *options], capture_output=True, text=True, errors="replace")
        try:
            listed = [entry["archive_url"] for entry in json.loads((made / INDEX).read_text("utf-8"))["data"]]
        except (OSError, ValueError, KeyError):
            listed = []
        # The generator only prints what is wrong with a zip.
        if done.returncode != 0 or listed != [f"./{archive.name}"]:
            raise RuntimeError(f"Blender's generator failed:\n{done.stdout}\n{done.stderr}")
        with FileSet() as files:
            # The index last: it names the zip.
            for name in (archive.name, PAGE, INDEX):
                shutil.copyfile(made / name, files.add(folder / name))
            written = files.commit()
    for old in folder.glob(f"{archive.name.split('-')[0]}-*.zip"):
        if old.name != archive.name:
            old.unlink()
    return written
