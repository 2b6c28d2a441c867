# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of an installation, made from what its tools print."""

import re

from ..system.errors import ExtensionError

_RETRY = "Check the connection and press Install again: it goes on from here."

# Debian's words, another Python's, and those of a venv that could not run it.
_NO_ENSUREPIP = r"ensurepip is\s+not\s+available|No module named '?ensurepip|'ensurepip'.*non-zero exit status"

# A pattern in the output of Python's venv and pip, the message for it ({0}: the pattern's group), and the hint.
_WORDS = (
    (
        rf"{_NO_ENSUREPIP}|No module named '?venv",
        "This Blender's Python cannot make environments.",
        "Use the Blender of blender.org, install Python's venv package (Debian, Ubuntu: python3-venv), or choose a "
        "Python that has the engine.",
    ),
    (
        r"No space left|not enough space|Errno 28",
        "The disk is full.",
        "Make room and press Install again: it goes on from here.",
    ),
    (r"DO NOT MATCH THE HASHES", "A download is damaged.", "Press Install again."),
    (
        r"name resolution|getaddrinfo|NewConnectionError|ConnectTimeout|Read timed out|ConnectionReset|ProxyError"
        r"|IncompleteRead|Network is unreachable",
        "The package index cannot be reached.",
        _RETRY,
    ),
    (
        r"(?:No matching distribution found for|satisfies the requirement) (\S+)",
        "There is no {0} for this computer's Python.",
        "In a folder of wheels, add it; otherwise read the log.",
    ),
    (
        r"ResolutionImpossible",
        "The versions that the engine needs contradict this computer's own settings of pip.",
        "Take its constraints away, or choose a folder of wheels.",
    ),
    (
        r"Permission denied|Access is denied|WinError 5",
        "The extension's folder cannot be written.",
        "Close other programs that use the engine and try again.",
    ),
)


class InstallError(ExtensionError):
    """An installation or a check that failed."""


def failure(text: str) -> InstallError:
    """The error for the output of a tool that failed."""
    for pattern, message, hint in _WORDS:
        match = re.search(pattern, text)
        if match:
            return InstallError("install_failed", message.format(*match.groups()), hint)
    lines = [line for line in text.splitlines() if "rror" in line] or text.splitlines()[-1:]
    message = "The installation failed" + (f": {lines[-1].strip()}" if lines else ".")
    return InstallError("install_failed", message, "Read the log; then try Repair.")


def lacks_ensurepip(text: str) -> bool:
    """Whether Python's venv failed for want of ensurepip alone: an environment without pip can be made."""
    return re.search(_NO_ENSUREPIP, text) is not None


def unreachable() -> InstallError:
    """The error when PyTorch's index does not answer."""
    return InstallError(
        "install_failed", "PyTorch's own package index cannot be reached.", f"{_RETRY} Or choose a folder of wheels."
    )
