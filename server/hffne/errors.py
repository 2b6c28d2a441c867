# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that a user can see: one class, one code for programs and one exit code each.

docs/troubleshooting.md explains the codes. A class without a `code` of its own would share its parent's, so each has
one; a message is given where the error is raised.
"""

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


# Photos


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


# Options, files and the machine


class OutputError(HffneError):
    """A result that cannot be written."""

    code = "cannot_write"
    hint = "Choose an output folder that you may write to, with enough free space."
    exit_code = exit_codes.CANNOT_WRITE


class FileAccessError(HffneError):
    """A file that cannot be used."""

    code = "file_error"


class DeviceError(HffneError):
    """A compute device that is not available, or does not compute correctly."""

    code = "no_device"
    hint = "Leave the device out to have one chosen, or use 'cpu'."
    exit_code = exit_codes.BAD_INPUT


class SizeError(HffneError):
    """A size of the fine network's crop that is not possible."""

    code = "bad_size"
    exit_code = exit_codes.BAD_INPUT


class ModelError(HffneError):
    """There is no such model."""

    code = "no_model"
    hint = "Use compact or paper."
    exit_code = exit_codes.BAD_INPUT


class VariantError(HffneError):
    """There is no such variant of the paper's networks."""

    code = "no_variant"
    exit_code = exit_codes.BAD_INPUT


class NotEnoughMemoryError(HffneError):
    """The memory of the computer or of its device is used up."""

    code = "out_of_memory"
    hint = "Close other programs, choose a smaller texture, or use the device 'cpu'."


class InternalError(HffneError):
    """A mistake in this program."""

    code = "internal"
    hint = "The engine's log tells more; please report it."
    exit_code = exit_codes.INTERNAL


# Installation


class WeightsError(HffneError):
    """Network weights that are damaged or of another kind of file."""

    code = "bad_weights"
    hint = "Install the package again: its weights are missing or damaged."


class WeightsMissingError(WeightsError):
    """Network weights that are not there."""

    code = "weights_missing"
    hint = "Reinstall the engine."


class WeightsMismatchError(WeightsError):
    """Network weights of another network."""

    code = "weights_mismatch"


class IncompleteInstallationError(HffneError):
    """A package that the engine needs is missing."""

    code = "engine_incomplete"


class BlenderMissingError(HffneError):
    """There is neither a bpy module nor a Blender program."""

    code = "no_blender"


class ExtensionMissingError(HffneError):
    """The extension's files are missing."""

    code = "no_extension"
    hint = "Install the package again."


class MediaPipeMissingError(HffneError):
    """MediaPipe is not installed."""

    code = "no_mediapipe"


class SciPyMissingError(HffneError):
    """SciPy is not installed."""

    code = "no_scipy"
    hint = 'Run: python -m pip install ".[evaluate]"'


class TrimeshMissingError(HffneError):
    """trimesh or Embree is not installed."""

    code = "no_trimesh"
    hint = 'Run: python -m pip install ".[evaluate]"'


# The engine's protocol


class RequestError(HffneError):
    """A request to the engine that is not possible."""

    code = "bad_request"
    hint = "Update the Blender extension and the engine to the same version."
    exit_code = exit_codes.BAD_INPUT


class BusyError(HffneError):
    """Too many requests are waiting."""

    code = "busy"
    hint = "Wait for answers."


class ResultTooLargeError(HffneError):
    """A result that is larger than a frame may be."""

    code = "too_large"
    hint = "Choose smaller textures, or fewer maps."


# Data sets, measuring and training


class DatasetMissingError(HffneError):
    """A folder that holds nothing of a data set, or no data set of that name."""

    code = "no_dataset"


class DatasetIncompleteError(HffneError):
    """A data set of which a part is missing."""

    code = "half_dataset"


class DatasetFileError(HffneError):
    """A data set's file that is not what it should be."""

    code = "bad_dataset_file"
    hint = "Download the file again."


class BenchmarkError(HffneError):
    """Data on which nothing could be measured."""

    code = "no_benchmark"


class LightsError(HffneError):
    """Photos or lights that photometric stereo cannot use."""

    code = "bad_lights"


class NoPhotosError(HffneError):
    """There are no photos to work on."""

    code = "no_photos"
    hint = "Name a folder of JPEG or PNG photos."


class PhotoListError(HffneError):
    """A list of photos that cannot be read."""

    code = "no_list"


class HeadsError(HffneError):
    """A folder that does not hold the people of the second head family."""

    code = "no_heads"
    hint = "Name the folder with NAME.npz and tex/."
    exit_code = exit_codes.BAD_INPUT


class ShapeModelError(HffneError):
    """The shape model that makes training data is missing or cannot be read."""

    code = "no_shapes"
    exit_code = exit_codes.BAD_INPUT


class TrainingSetError(HffneError):
    """A folder that is not a training set, or not a complete one."""

    code = "no_set"
    hint = "Make a training set with `hffne train data`."
    exit_code = exit_codes.BAD_INPUT


class ConfigurationError(HffneError):
    """A training configuration that is not possible."""

    code = "bad_config"
    exit_code = exit_codes.BAD_INPUT


class FabricMissingError(HffneError):
    """Lightning Fabric, which training needs, is not installed."""

    code = "no_fabric"
    hint = 'Run: python -m pip install ".[train]"'


class CheckpointError(HffneError):
    """A checkpoint that is damaged, or belongs to another training run."""

    code = "bad_checkpoint"
    exit_code = exit_codes.BAD_INPUT


class TrainingError(HffneError):
    """Training that cannot continue: a loss is not finite."""

    code = "training"


class Cancelled(Exception):
    """Raised between two stages when the result is no longer wanted."""


def classes_by_code() -> dict[str, type[HffneError]]:
    """{code: its class} of every error in this module."""
    classes, found = [HffneError], {}
    for cls in classes:
        found[cls.code] = cls
        classes.extend(cls.__subclasses__())
    return found
