# SPDX-License-Identifier: GPL-3.0-or-later
"""pip for an environment of a Python without ensurepip, as Debian's and Ubuntu's are: its wheel installs itself."""

from pathlib import Path

# One file of the Python package index, by its hash. The installation then updates it, as it does ensurepip's.
FILE = "pip-26.3-py3-none-any.whl"
URL = (
    f"https://files.pythonhosted.org/packages/07/25/ee8c38ae72d66b844ce8eb9711ba905dba21ca1a8a0c960057c41cd23337/{FILE}"
)
SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"

# Run by the environment's Python, for nothing in Blender's own process uses a network.
_DOWNLOAD = """
import hashlib, sys, urllib.request
url, sha256, target = sys.argv[1:]
data = urllib.request.urlopen(url, timeout=60).read()
if hashlib.sha256(data).hexdigest() != sha256:
    sys.exit("Error: pip's wheel is not the one that was expected.")
with open(target, "wb") as file:
    file.write(data)
"""


def download(python: Path, folder: Path) -> tuple[list[str], Path]:
    """(the command that downloads pip's wheel into a folder and compares its hash, the wheel's path)."""
    target = folder / FILE
    return [str(python), "-c", _DOWNLOAD, URL, SHA256, str(target)], target


def of_folder(wheels: str) -> Path | None:
    """The newest wheel of pip in a folder of wheels."""
    return max(Path(wheels).glob("pip-*-py3-none-any.whl"), key=_version, default=None)


def install(python: Path, wheel: Path) -> list[str]:
    """The command that has a wheel of pip install itself."""
    return [str(python), str(wheel / "pip"), "install", "--no-deps", "--no-index", str(wheel)]


def _version(wheel: Path) -> list[int]:
    return [int(part) for part in wheel.name.split("-")[1].split(".") if part.isdigit()]
