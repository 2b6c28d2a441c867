# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that a user can see, as data: for operators, the panel, scripts and the exit code of a command line."""

from collections.abc import Mapping
from typing import Any, TypeVar

from . import exit_codes

_Error = TypeVar("_Error", bound="ExtensionError")

# The exit codes of the extension's own error codes; all others are exit_codes.ERROR. An error of the engine brings
# its own exit code.
EXIT_CODES = {
    "bad_image": exit_codes.BAD_INPUT,
    "bad_request": exit_codes.BAD_INPUT,
    "cannot_write": exit_codes.CANNOT_WRITE,
    "few_photos": exit_codes.BAD_INPUT,
    "internal": exit_codes.INTERNAL,
    "no_image": exit_codes.BAD_INPUT,
    "no_photo": exit_codes.BAD_INPUT,
    "photo_not_found": exit_codes.BAD_INPUT,
}


class ExtensionError(Exception):
    """An error that the user can understand and act on.

    code       a short stable name, listed in docs/troubleshooting.md
    message    what is wrong
    hint       what to do about it, or ""
    exit_code  what a command line returns for it, see exit_codes
    fatal      whether the engine has ended
    """

    def __init__(
        self, code: str, message: str, hint: str = "", exit_code: int | None = None, fatal: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.fatal = code, message, hint, fatal
        self.exit_code = EXIT_CODES.get(code, exit_codes.ERROR) if exit_code is None else exit_code

    def as_dict(self) -> dict[str, Any]:
        """The error in the form of the engine's error messages."""
        return {name: getattr(self, name) for name in ("code", "message", "hint", "exit_code", "fatal")}

    @classmethod
    def from_dict(cls: type[_Error], fields: Mapping[str, Any]) -> _Error:
        """The error that `as_dict` or an error message of the engine describes; what is missing gets a default."""
        exit_code = fields.get("exit_code")
        return cls(
            str(fields.get("code") or "error"),
            str(fields.get("message") or "The engine failed."),
            str(fields.get("hint") or ""),
            exit_code if type(exit_code) is int else None,
            fields.get("fatal") is True,
        )
