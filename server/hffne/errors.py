# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, told to people: a code for programs, a message, a hint."""


class HffneError(Exception):
    """An error that the user can understand and act on.

    code     a short stable name for programs
    message  what is wrong, naming the file or value
    hint     what to do about it, or ""
    exit_code  what the command line returns
    """

    code = "error"
    hint = ""
    exit_code = 1

    def __init__(self, message, hint=None, code=None):
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint
        if code is not None:
            self.code = code

    def as_dict(self):
        """The error as plain data, for the wire and for JSON reports."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class PhotoError(HffneError):
    """A photo that cannot be read."""

    code = "bad_photo"
    hint = "Open the photo in an image program and save it again as JPEG or PNG."
    exit_code = 2


class PhotoNotFoundError(PhotoError):
    code = "photo_not_found"
    hint = "Check the path."


class PhotoTooSmallError(PhotoError):
    code = "photo_too_small"
    hint = "Use a photo on which the face is at least 64 pixels wide."


class PhotoTooLargeError(PhotoError):
    code = "photo_too_large"
    hint = "Scale the photo down or cut the face out, then try again."


class NoFaceError(HffneError):
    """No face on the photo, or not the one that was asked for."""

    code = "no_face"
    hint = "Use a photo on which both eyes, the nose and the mouth can be seen."
    exit_code = 3


class OutputError(HffneError):
    """A result that cannot be written."""

    code = "cannot_write"
    hint = "Choose an output folder that you may write to, with enough free space."
    exit_code = 4


class DeviceError(HffneError):
    """A compute device that is not there."""

    code = "no_device"
    hint = "Leave the device out to have one chosen, or use 'cpu'."
    exit_code = 2


class WeightsError(HffneError):
    """Network weights that are missing or damaged."""

    code = "bad_weights"
    hint = "Install the package again: its weights are missing or damaged."


class RequestError(HffneError):
    """A request to the engine that makes no sense."""

    code = "bad_request"
    hint = "Update the Blender extension and the engine to the same version."
    exit_code = 2


class Cancelled(Exception):
    """Raised between two stages when the one who asked no longer wants the result."""
