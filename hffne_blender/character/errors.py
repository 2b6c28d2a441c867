# SPDX-License-Identifier: GPL-3.0-or-later
"""The error of a transfer that cannot be done."""


class TransferError(Exception):
    """The detail cannot be transferred.

    code     a short name, listed in docs/troubleshooting.md
    message  what is wrong
    hint     what to do about it, or ""
    """

    def __init__(self, code: str, message: str, hint: str = ""):
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint

    def as_dict(self) -> dict[str, str]:
        """The error in the form of the engine's error messages."""
        return {"code": self.code, "message": self.message, "hint": self.hint}
