# SPDX-License-Identifier: GPL-3.0-or-later
"""Options, files, the machine, the installation and the engine's protocol."""

import errno

from hffne import exit_codes
from hffne.errors.base import HffneError


class OutputError(HffneError):
    """A result that cannot be written."""

    code = "cannot_write"
    hint = "Choose an output folder that you may write to, with enough free space."
    exit_code = exit_codes.CANNOT_WRITE

    @staticmethod
    def of(path: object, error: OSError) -> "OutputError":
        """The error for a file that could not be written, DiskFullError where the disk is full."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFullError(f"The disk is full, '{path}' cannot be written: {error.strerror}")
        return OutputError(f"'{path}' cannot be written: {error.strerror or error}")


class DiskFullError(OutputError):
    """There is no space for a result."""

    code = "disk_full"
    hint = "Make room on that disk, or choose another output folder, and run the same command again."


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


class PlatformError(HffneError):
    """A platform or a Python that the engine does not run on."""

    code = "no_platform"
    exit_code = exit_codes.BAD_INPUT


class WheelsError(HffneError):
    """Wheels that cannot be downloaded."""

    code = "no_wheels"
    hint = "Check the connection, or try another Python or platform."


class OnnxFileError(HffneError):
    """An ONNX file, or the JSON of its conventions, that cannot be used."""

    code = "bad_onnx"
    hint = "docs/paper.md describes what an ONNX network and its JSON must be."
    exit_code = exit_codes.BAD_INPUT


class OnnxRuntimeMissingError(HffneError):
    """ONNX Runtime, which runs a user's own network, is not installed."""

    code = "no_onnxruntime"
    hint = "Run the engine's Python with: -m pip install onnxruntime"
