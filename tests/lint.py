# SPDX-License-Identifier: GPL-3.0-or-later
"""The linter, the formatting and the types of the whole project: python tests/lint.py [--fix] [check ...]

Makes the project's environment when there is none. The checks are `ruff`, `format` and `mypy`, by default all of
them. --fix lets ruff correct what it can, and formats. Standard library only.
"""

import argparse
import sys

from run import EXTRAS, ROOT, project_python, run, say  # puts the bootstrap's folder on the path


def commands(fix: bool) -> dict[str, list[str]]:
    """The arguments of Python for each check."""
    return {
        "ruff": ["ruff", "check", *(["--fix"] if fix else []), "."],
        "format": ["ruff", "format", *([] if fix else ["--check"]), "."],
        "mypy": ["mypy"],
    }


def main() -> int:
    """Run the checks, also after one has failed; returns 1 when any has."""
    parser = argparse.ArgumentParser(description="Run the linter, the formatter and the type checker.")
    parser.add_argument("checks", nargs="*", metavar="check", help=f"{', '.join(commands(False))} (default: all)")
    parser.add_argument("--fix", action="store_true", help="correct what ruff can correct, and format")
    options = parser.parse_args()
    known = commands(options.fix)
    if not set(options.checks) <= set(known):
        parser.error(f"the checks are {', '.join(known)}")
    # The types of all packages count, so the same environment as for the tests.
    python = project_python([*EXTRAS, "lint"])
    failed = []
    for check in options.checks or known:
        say(" ".join(known[check]))
        if run(python, "-m", *known[check], cwd=ROOT):
            failed.append(check)
    if failed:
        print(f"lint: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
