# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases: python server/release.py cut VERSION | make [-o DIR]

cut VERSION  writes the version where it stands (addon_manifest.toml, CITATION.cff) and closes the changelog's section
make         tests what can be tested quickly, and writes everything that is published into DIR (default: dist):
             the extension's zip and its repository, sdist and wheel, a bill of materials, the documentation's site,
             the wheels of the platforms named by --wheels, and SHA256SUMS of all of it

`make` needs the project's environment with the extras `blender` and `docs`, and the packages build and twine.
"""

import argparse
import datetime
import hashlib
import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUMS = "SHA256SUMS"
_VERSION = r"\d+\.\d+\.\d+"


class ReleaseError(Exception):
    """A release that is not possible; the message says why."""


def version_of(root: Path = ROOT) -> str:
    """The project's version. Raises ReleaseError."""
    found = re.search(rf'^version = "({_VERSION})"$', _text(root / "addon_manifest.toml"), re.M)
    if found is None:
        raise ReleaseError("addon_manifest.toml has no version.")
    return found[1]


def cut(version: str, date: str, root: Path = ROOT) -> None:
    """Write a version and its date (YYYY-MM-DD) where they stand. Raises ReleaseError; nothing is changed then."""
    if not re.fullmatch(_VERSION, version):
        raise ReleaseError(f"'{version}' is not a version such as 1.2.3.")
    before = version_of(root)
    if _numbers(version) < _numbers(before):
        raise ReleaseError(f"{version} is lower than {before}.")
    changelog = _text(root / "CHANGELOG.md")
    if re.search(rf"^## {re.escape(version)} \(\d", changelog, re.M):
        raise ReleaseError(f"{version} was released before.")
    heading = rf"^## {_VERSION} \(unreleased\)$"
    if len(re.findall(heading, changelog, re.M)) != 1:
        raise ReleaseError("CHANGELOG.md needs one section '## <version> (unreleased)'.")
    own = re.split(r"^## ", changelog.split("(unreleased)", 1)[1], maxsplit=1, flags=re.M)[0]
    if not own.strip():
        raise ReleaseError("The changelog's section is empty.")
    manifest, citation = _text(root / "addon_manifest.toml"), _text(root / "CITATION.cff")
    citation = _put(rf"^version: {_VERSION}$", f"version: {version}", citation, "CITATION.cff")
    if re.search(r"^date-released: ", citation, re.M):
        citation = _put(r"^date-released: .*$", f"date-released: {date}", citation, "CITATION.cff")
    else:
        citation = citation.rstrip("\n") + f"\ndate-released: {date}\n"
    changed = {
        "addon_manifest.toml": _put(rf'^version = "{_VERSION}"$', f'version = "{version}"', manifest, "the manifest"),
        "CITATION.cff": citation,
        "CHANGELOG.md": re.sub(heading, f"## {version} ({date})", changelog, flags=re.M),
    }
    for name, text in changed.items():
        (root / name).write_text(text, encoding="utf-8", newline="\n")


def bill_of_materials(lock: str, version: str, torch: str) -> dict:
    """The engine's packages as CycloneDX 1.5, from the text of engine.lock and PyTorch's requirement.

    The serial number is made of the content, so that the same release has the same one.
    """
    components = [
        {
            "type": "library",
            "name": name,
            "version": number,
            "purl": f"pkg:pypi/{name}@{number}",
            # Of every file of the release that may be installed.
            "properties": [{"name": "sha256", "value": digest} for digest in re.findall("sha256:([0-9a-f]{64})", rest)],
        }
        for name, number, rest in re.findall(r"^([\w.-]+)==([^\s\\;]+)([^\n]*\n(?:    .*\n)*)", lock, re.M)
    ]
    name, _, number = torch.partition("==")
    components.append({"type": "library", "name": name, "version": number, "purl": f"pkg:pypi/{name}@{number}"})
    content = json.dumps([version, components], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "hffne", "version": version}},
        "components": components,
    }


def make(folder: Path, platforms: list) -> None:
    """Write everything that is published into an empty or new folder. Raises ReleaseError."""
    if folder.exists() and any(folder.iterdir()):
        raise ReleaseError(f"{folder} is not empty.")
    folder.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(ROOT / "server"))
    from bootstrap import TORCH, lock_of

    version = version_of()
    if f"## {version} (" not in _text(ROOT / "CHANGELOG.md"):
        raise ReleaseError(f"CHANGELOG.md has no section for {version}.")
    if f"## {version} (unreleased)" in _text(ROOT / "CHANGELOG.md"):
        print(f"This is a rehearsal: {version} is not cut yet.")
    repository = folder / "repository"
    _run("-m", "hffne_blender.build", "-o", folder, "--validate", "--repository", repository)
    _run("-m", "build", "--outdir", folder, ROOT)
    _run("-m", "twine", "check", "--strict", *folder.glob("*.whl"), *folder.glob("*.tar.gz"))
    bill = bill_of_materials(_text(lock_of("")), version, TORCH)
    (folder / f"hffne-{version}.cdx.json").write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    _run("docs/make_site.py", "-o", folder / "site")
    for platform in platforms:
        _run("-m", "hffne", "wheels", "--platform", platform, "-o", folder / f"wheels-{platform}")
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "site" not in path.relative_to(folder).parts[:1]
    ]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    cutting = commands.add_parser("cut", help="write the version and close the changelog's section")
    cutting.add_argument("version")
    making = commands.add_parser("make", help="write everything that is published")
    making.add_argument("-o", "--output", default=ROOT / "dist", type=Path, metavar="DIR")
    making.add_argument("--wheels", nargs="*", default=[], metavar="PLATFORM", help="also collect these wheels")
    options = parser.parse_args()
    try:
        if options.command == "cut":
            cut(options.version, datetime.date.today().isoformat())
            print(f"Version {options.version}: look at the changes, commit and tag them, then run `make`.")
        else:
            make(options.output.absolute(), options.wheels)
            print(f"Everything is in {options.output}.")
    except (ReleaseError, OSError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def _run(*arguments: object) -> None:
    command = [sys.executable, *map(str, arguments)]
    print("> " + " ".join(command[1:]), flush=True)
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise ReleaseError(f"'{' '.join(command[1:4])}' failed.")


def _put(pattern: str, text: str, whole: str, where: str) -> str:
    changed, count = re.subn(pattern, text, whole, flags=re.M)
    if count != 1:
        raise ReleaseError(f"The version stands {count} times in {where}, not once.")
    return changed


def _numbers(version: str) -> list:
    return [int(part) for part in version.split(".")]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
