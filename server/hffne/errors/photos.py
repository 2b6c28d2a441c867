# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos and exemplars that cannot be used."""

from hffne import exit_codes
from hffne.errors.base import HffneError


class PhotoError(HffneError):
    """A photo that cannot be read."""

    code = "bad_photo"
    hint = "Open the photo in an image program and save it again as JPEG or PNG."
    exit_code = exit_codes.BAD_INPUT


class PhotoNotFoundError(PhotoError):
    """There is no such file."""

    code = "photo_not_found"
    hint = "Check the path."


class PhotoNotReadableError(PhotoError):
    """The file may not be read, or is not a plain file."""

    code = "photo_not_readable"
    hint = "Check the path and the file's permissions."


class PhotoIsFolderError(PhotoError):
    """The path is a folder's."""

    code = "photo_is_folder"
    hint = "Name a photo in it."


class EmptyPhotoError(PhotoError):
    """The file has 0 bytes."""

    code = "empty_photo"
    hint = "Copy or download the photo again."


class NotAPhotoError(PhotoError):
    """The file is in no format that can be read."""

    code = "not_a_photo"


class DamagedPhotoError(PhotoError):
    """The picture is cut off or damaged."""

    code = "damaged_photo"


class CameraRawError(PhotoError):
    """A camera's raw file."""

    code = "camera_raw"
    hint = "Develop it to JPEG or TIFF in an image program, then use that."


class PhotoTooComplexError(PhotoError):
    """Reading the file takes longer than any photo does."""

    code = "photo_too_complex"


class PhotoTooSmallError(PhotoError):
    """The photo has too few pixels for a face."""

    code = "photo_too_small"
    hint = "Use a photo on which the face is at least 64 pixels wide."


class PhotoTooLargeError(PhotoError):
    """The photo has more pixels than memory is reserved for."""

    code = "photo_too_large"
    hint = "Scale the photo down or cut the face out, then try again."


class NoFaceError(HffneError):
    """No face is detected on the photo, or not the one that was requested."""

    code = "no_face"
    hint = "Use a photo on which both eyes, the nose and the mouth can be seen."
    exit_code = exit_codes.NO_FACE


class ShapeError(HffneError):
    """The position map is not the shape of a face."""

    code = "no_shape"
    hint = "Try a sharper photo, or one on which the face is less covered."


class ExemplarError(HffneError):
    """An exemplar that cannot be read."""

    code = "bad_exemplar"
    hint = "Give an .npz of `hffne normals`, or a picture of normals in camera space (n * 0.5 + 0.5, green up)."
    exit_code = exit_codes.BAD_INPUT
