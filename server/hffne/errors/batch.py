# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of photos, object stores and clusters."""

from hffne import exit_codes
from hffne.errors.base import HffneError


class PhotoEndsWorkerError(HffneError):
    """A photo that ends the process which computes it, each time it is tried."""

    code = "photo_ends_worker"
    hint = "Open the photo in an image program and save it again, or give the machine more memory."


class BatchWorkerError(HffneError):
    """A process that computes photos and does not start."""

    code = "no_worker"
    hint = "Use fewer workers: each needs half a gigabyte of memory. `hffne doctor` checks the engine."


class OtherSettingsError(HffneError):
    """A target that holds results of other settings or of another version."""

    code = "other_settings"
    hint = "Choose another target, or the settings that it was begun with."
    exit_code = exit_codes.BAD_INPUT


class StoreError(HffneError):
    """An object store that cannot be reached, read or written."""

    code = "no_store"
    hint = "Check the address, the credentials and their rights."
    exit_code = exit_codes.CANNOT_WRITE


class StoreDeniedError(StoreError):
    """An object store that does not allow what is done with it."""

    code = "store_denied"


class ClusterError(HffneError):
    """A cluster that cannot be reached or used."""

    code = "no_cluster"


class ExtraMissingError(HffneError):
    """Packages of an optional extra are not installed."""

    code = "no_extra"
