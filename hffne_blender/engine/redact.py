# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove private names from a text before it is shown to others.

Standard library only: the engine and the extension have the same file.
"""

import getpass
import os
import re
from pathlib import Path

# Our messages put a file's name in quotes. Where an unquoted path ends cannot be known, as names may have spaces,
# commas and full stops: so the rest of its line is removed.
_QUOTED = re.compile(r"'[^\n]*'")
_PATH = re.compile(r"(?<!\w)(?:[A-Za-z]:[\\/]|\\\\|~?/)(?=\S)[^\n]*")

# Shorter names are also words ("a", "of"): they are replaced only as a folder's name.
SHORTEST_WORD = 3
# Account names that belong to no person and are ordinary words in messages: only as a folder's name, too.
IMPERSONAL = frozenset({"root", "user", "users", "admin", "administrator", "guest", "test", "default", "public"})

# A name ends where no letter or digit follows; "_" separates words in file names.
_BEFORE, _AFTER = r"(?<![^\W_])", r"(?![^\W_])"


def redact(text: object, user: str | None = None, home: str | None = None) -> str:
    """`text` without the home folder, the user's name, quoted names and paths.

    user, home: the user's name and home folder; None takes this process's.
    """
    cleaned = _QUOTED.sub("<name>", str(text))
    cleaned = _without_home(cleaned, home)
    return _without_user(_PATH.sub("<path>", cleaned), user)


def redact_user(text: object, user: str | None = None, home: str | None = None) -> str:
    """`text` with the home folder as "~" and the user's name as "<user>"; other paths stay readable."""
    return _without_user(_without_home(str(text), home), user)


def _without_home(text: str, home: str | None) -> str:
    try:
        path = Path.home() if home is None else Path(home)
    except RuntimeError:
        # No such variable, and the system knows no home of this process's user.
        return text
    parts = [part for part in re.split(r"[\\/]+", str(path)) if part]
    if not parts:
        # The root folder is the home of no person.
        return text
    # A drive letter stands first on Windows, elsewhere the slash does.
    start = "" if re.fullmatch("[A-Za-z]:", parts[0]) else r"[\\/]+"
    pattern = r"(?<![\w.~-])" + start + r"[\\/]+".join(map(re.escape, parts)) + r"(?![\w-]|\.\w)"
    return re.sub(pattern, "~", text, flags=re.IGNORECASE if os.name == "nt" else 0)


def _without_user(text: str, user: str | None) -> str:
    if user is None:
        try:
            user = getpass.getuser()
        except (OSError, KeyError, ImportError):
            # No such variable, and the system knows no name for this process's user.
            user = ""
    if not user:
        return text
    name = re.escape(user)
    if len(user) < SHORTEST_WORD or user.lower() in IMPERSONAL:
        # Only a whole folder's name between two slashes, or after the last one.
        return re.sub(rf"(?<=[\\/]){name}(?![^\s\\/'\",;:)])", "<user>", text, flags=re.IGNORECASE)
    return re.sub(rf"{_BEFORE}{name}{_AFTER}", "<user>", text, flags=re.IGNORECASE)
