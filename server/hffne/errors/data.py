# SPDX-License-Identifier: GPL-3.0-or-later
"""Data sets, measuring and training."""

from hffne import exit_codes
from hffne.errors.base import HffneError


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


class PackError(HffneError):
    """A file that is not a pack of a training run, a damaged one, or another task's."""

    code = "bad_pack"
    hint = "Copy the file again, or make it with `hffne train pack`."
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
