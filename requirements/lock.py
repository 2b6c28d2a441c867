# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the locks beside this file: python requirements/lock.py [--upgrade] [other options of `uv pip compile`]

Needs uv (`pip install uv`). Without --upgrade the versions that the locks already name stay as they are where
pyproject.toml still allows them. Standard library only.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

from bootstrap import ENGINE_LOCKS, LOCKED_EXTRAS, PYTHON, ROOT, TORCH, lock_of

# One lock for every system, with markers; hashes of every file of a release; nothing about this machine.
OPTIONS = [
    *("--universal", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", "--quiet"),
    *("--excludes", "requirements/excluded.txt", "--no-emit-package", "torch"),
]
# What a package asks for although it runs with others.
OVERRIDES = ("--overrides", "requirements/overrides.txt")
HEADER = "# Made by: python requirements/lock.py\n"


def main() -> int:
    """Compile all extras together, then each lock with the versions that were found together."""
    with tempfile.TemporaryDirectory() as folder:
        constraints, together = Path(folder) / "torch.txt", Path(folder) / "together.txt"
        constraints.write_text(TORCH + "\n", encoding="utf-8")
        # The versions of before, which uv prefers.
        known = [path.read_text(encoding="utf-8") for path in map(lock_of, LOCKED_EXTRAS) if path.exists()]
        together.write_text("\n".join(known), encoding="utf-8")
        extras = [part for extra in LOCKED_EXTRAS if extra for part in ("--extra", extra)]
        _compile(together, *extras, "--constraints", constraints, *sys.argv[1:])
        for extra in LOCKED_EXTRAS:
            chosen = ["--extra", extra] if extra else []
            path = lock_of(extra)
            path.unlink(missing_ok=True)
            _compile(path, *chosen, "--constraints", constraints, "--constraints", together)
            _head(path)
        for python, path in ENGINE_LOCKS.items():
            if path not in map(lock_of, LOCKED_EXTRAS):
                _compile(path, "--constraints", constraints, *sys.argv[1:], python=python)
                _head(path)
    return 0


def _compile(output: Path, *arguments: object, python: str = "") -> None:
    """Compile a lock for PYTHON with what bpy's wheels want, or for another Python with what its packages want."""
    chosen = ["--python-version", python] if python else ["--python-version", "{}.{}".format(*PYTHON), *OVERRIDES]
    command = ["uv", "pip", "compile", "pyproject.toml", *OPTIONS, *chosen, "-o", str(output), *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True)


def _head(path: Path) -> None:
    text = path.read_text(encoding="utf-8").removeprefix(HEADER)
    path.write_text(HEADER + text, encoding="utf-8", newline="\n")
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
