# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation as a web site: python docs/make_site.py [-o DIR]   (needs the extra `docs`)

The pages are written for reading beside the sources: their links lead to files anywhere in the project. Here the pages
outside of this folder become pages too, other files are copied, and every link is checked (mkdocs --strict).
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
# Pages outside of docs/, and their names in the site.
ELSEWHERE = {
    "README.md": "project.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "reporting.md",
    "requirements/README.md": "locked-versions.md",
    "server/hffne/weights/MODEL_CARD.md": "model-card.md",
}
LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def places():
    """{path of a page: its name in the site}."""
    pages = {path: "index.md" if path.name == "README.md" else path.name for path in sorted(DOCS.glob("*.md"))}
    return pages | {ROOT / name: page for name, page in ELSEWHERE.items()}


def assemble(folder):
    """Write the pages, with links that fit, and the files that they name into `folder`."""
    pages = places()
    for path, name in pages.items():

        def fitting(match, path=path):
            target, _, anchor = match[2].partition("#")
            if not target or re.match(r"[a-z]+:", target):
                return match[0]
            file = (path.parent / target).resolve()
            if file not in pages:
                return match[1] + _copied(file, folder) + match[3]
            return match[1] + pages[file] + (f"#{anchor}" if anchor else "") + match[3]

        text = path.read_text(encoding="utf-8")
        # What stands in code is no link.
        parts = re.split(r"(`[^`\n]*`)", text)
        parts[::2] = [LINK.sub(fitting, part) for part in parts[::2]]
        (folder / name).write_text("".join(parts), encoding="utf-8")


def _copied(file, folder):
    """The name in the site of a file that is no page; a folder's is that of the list of its files."""
    name = file.relative_to(ROOT).as_posix()
    name = name.removeprefix("docs/") if name.startswith("docs/") else f"files/{name}"
    if file.is_dir():
        name += ".txt"
        text = "".join(
            f"{path.relative_to(file)}\n" for path in sorted(file.rglob("*")) if "__pycache__" not in path.parts
        )
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        return name
    # A browser shows text, and would save a program.
    if file.suffix in (".py", ".toml", ".json", ".lock"):
        name += ".txt"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / name)
    return name


def navigation():
    """The sections of docs/README.md with their pages; those that it does not link stand last."""
    pages, listed, sections = places(), set(), []
    for part in (DOCS / "README.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        names = []
        for match in LINK.finditer(body):
            file = (DOCS / match[2].partition("#")[0]).resolve()
            if file in pages and pages[file] not in listed:
                listed.add(pages[file])
                names.append(pages[file])
        sections.append({title: names})
    rest = [name for name in pages.values() if name not in listed and name != "index.md"]
    return [{"Documentation": "index.md"}, *sections, *([{"More": rest}] if rest else [])]


def settings(docs, site):
    """mkdocs' settings; JSON is YAML too."""
    return {
        "site_name": "HFFNE",
        "docs_dir": str(docs),
        "site_dir": str(site),
        "theme": {"name": "material", "font": False, "features": ["navigation.indexes", "toc.follow"]},
        "markdown_extensions": ["tables", "toc", "fenced_code", "sane_lists"],
        "plugins": ["search"],
        "use_directory_urls": False,
        "nav": navigation(),
        "validation": {
            "nav": {"omitted_files": "warn", "not_found": "warn"},
            "links": {"not_found": "warn", "anchors": "warn", "unrecognized_links": "warn"},
        },
    }


def main():
    """Build the site; mkdocs' exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", default=ROOT / "dist" / "site", type=Path, metavar="DIR")
    site = parser.parse_args().output.absolute()
    with tempfile.TemporaryDirectory() as temporary:
        docs = Path(temporary) / "docs"
        docs.mkdir()
        assemble(docs)
        config = Path(temporary) / "mkdocs.yml"
        config.write_text(json.dumps(settings(docs, site)), encoding="utf-8")
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean", "--config-file", str(config)]
        return subprocess.run(command, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
