# SPDX-License-Identifier: GPL-3.0-or-later
"""The error that a user can see: a code for programs, words for people, an exit code."""

from hffne import exit_codes


class HffneError(Exception):
    """An error that the user can understand and act on.

    code       a short stable name for programs
    message    what is wrong, naming the file or value
    hint       what to do about it, or ""
    exit_code  what the command line returns, see exit_codes
    """

    code = "error"
    hint = ""
    exit_code = exit_codes.ERROR

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def as_dict(self) -> dict[str, str | int]:
        """The error as plain data, for error frames and for JSON reports."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "exit_code": self.exit_code}

    @staticmethod
    def from_dict(fields: dict[str, object]) -> "HffneError":
        """The error that `as_dict` gave, of its own class; an unknown code gives a plain HffneError."""
        cls = classes_by_code().get(str(fields.get("code")), HffneError)
        return cls(str(fields.get("message", "")), hint=str(fields.get("hint", "")))


class Cancelled(Exception):
    """Raised between two stages when the result is no longer wanted."""


def classes_by_code() -> dict[str, type[HffneError]]:
    """{code: its class} of every error."""
    classes, found = [HffneError], {}
    for cls in classes:
        found[cls.code] = cls
        classes.extend(cls.__subclasses__())
    return found
