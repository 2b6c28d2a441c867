# SPDX-License-Identifier: GPL-3.0-or-later
"""Take out of a text what is nobody else's business."""

import getpass
import re
from pathlib import Path

# What stands in quotes is a file's name in our messages. From where a path begins nobody can tell its end, as names
# have spaces, commas and full stops: so the rest of the line goes.
_QUOTED = re.compile(r"'[^\n]*'")
_PATH = re.compile(r"(?<!\w)(?:[A-Za-z]:[\\/]|\\\\|~?/)(?=\S)[^\n]*")


def masked(text, user=None):
    """`text` without the home folder, the user's name, quoted names and paths."""
    text = _QUOTED.sub("<name>", str(text))
    text = text.replace(str(Path.home()), "~")
    text = _PATH.sub("<path>", text)
    if user is None:
        try:
            user = getpass.getuser()
        except (OSError, KeyError, ImportError):
            user = ""
    if len(user) > 1:
        text = re.sub(rf"(?<!\w){re.escape(user)}(?!\w)", "<user>", text, flags=re.IGNORECASE)
    return text
