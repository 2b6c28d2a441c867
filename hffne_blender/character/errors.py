# SPDX-License-Identifier: GPL-3.0-or-later
"""The error of a transfer that cannot be done."""

from ..system.errors import ExtensionError


class TransferError(ExtensionError):
    """The detail cannot be transferred."""
