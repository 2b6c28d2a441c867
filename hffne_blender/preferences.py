# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the engine is and what it runs on. These settings belong to the machine, not to a .blend file.

The class that Blender registers, with its panel, is `ui.preferences.HFFNE_Preferences`.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .engine import installed, launch, session, torch_builds
from .system.required import required

# The extension's own name, also when it is installed as bl_ext.<repository>.<id>.
PACKAGE = __package__

# By the build: its size on the disk when installed, where that was measured, and while it is being installed.
BUILDS = (
    ("AUTO", "Automatic", "CUDA with an NVIDIA driver, ROCm with an AMD driver, Metal on macOS, otherwise CPU"),
    ("CPU", "CPU", "Works on every machine: 1.1 GB on the disk, up to 3 GB during installation"),
    ("CUDA", "CUDA", "For NVIDIA GPUs, on Linux and Windows: up to 12 GB during installation"),
    ("ROCM", "ROCm", "For AMD GPUs, on Linux: up to 25 GB during installation"),
)


@dataclass(frozen=True)
class EngineSettings:
    """The values of the preferences; the defaults hold where the extension was registered without being enabled."""

    engine_python: str = ""
    wheels_folder: str = ""
    build: str = "AUTO"
    device: str = "auto"
    model: str = "compact"
    exemplar_file: str = ""
    refiner_file: str = ""
    weights: str = ""
    coarse_file: str = ""
    idle_minutes: int = 5
    frame_result: bool = True


DEFAULTS = EngineSettings()


def build_property(**more: Any) -> Any:
    """The choice of the PyTorch build, also a property of the operator that installs the engine."""
    return bpy.props.EnumProperty(name="PyTorch Build", items=BUILDS, default=DEFAULTS.build, **more)


def _model_changed(self: "EngineProperties", context: bpy.types.Context) -> None:
    # The last answer was computed by the other model.
    session.forget_answer()


def _engine_changed(self: "EngineProperties", context: bpy.types.Context) -> None:
    """Have the engine at a new path checked, beside the user; the message about the one before is no longer true."""
    session.forget_error()
    if not session.installing():
        session.state.installation = None
    if self.engine_python and not path_problem(self.engine_python) and not bpy.app.background:
        if bpy.app.timers.is_registered(_check):
            bpy.app.timers.unregister(_check)
        bpy.app.timers.register(_check, first_interval=0.3)


def _check() -> None:
    operators: Any = bpy.ops
    windows = required(bpy.context.window_manager).windows
    if windows:
        with bpy.context.temp_override(window=windows[0]):
            if operators.hffne.check_engine.poll():
                operators.hffne.check_engine("INVOKE_DEFAULT")


def path_problem(text: str) -> str:
    """What is wrong with the path of an engine's Python as it was typed, in words, or ""."""
    if launch.refusal(text):
        return launch.refusal(text)
    path = launch.find_python("", text)
    if not os.path.exists(path):
        return f"There is no file {path}"
    return f"There is no Python in the folder {path}" if os.path.isdir(path) else ""


def missing_problem(text: str, folder: bool) -> str:
    """What is wrong with the path of a file, or of a folder, that need not be given, in words, or ""."""
    path = os.path.expanduser(bpy.path.abspath(text))
    if not text or (os.path.isdir(path) if folder else os.path.isfile(path)):
        return ""
    kind, other = ("folder", "file") if folder else ("file", "folder")
    return f"This is a {other}: choose a {kind}" if os.path.exists(path) else f"There is no {kind} {path}"


class EngineProperties:
    """The same values as Blender properties, for the class that Blender registers."""

    engine_python: bpy.props.StringProperty(
        name="Engine Python",
        description="The Python executable, or the folder of the virtual environment, with the engine package 'hffne'",
        subtype="FILE_PATH",
        update=_engine_changed,
    )
    wheels_folder: bpy.props.StringProperty(
        name="Wheels",
        description="Folder of wheels to install the engine from, for a computer without network access",
        subtype="DIR_PATH",
    )
    build: build_property(description="PyTorch build that is installed with the engine; CPU is the smallest")
    device: bpy.props.EnumProperty(
        name="Device",
        description="Device that the networks run on",
        items=(
            ("auto", "Automatic", "The fastest device of this machine"),
            ("cuda", "CUDA", "NVIDIA, or AMD with ROCm"),
            ("xpu", "XPU", "Intel"),
            ("mps", "Metal", "Apple"),
            ("cpu", "CPU", "Works on every machine"),
        ),
        default=DEFAULTS.device,
    )
    model: bpy.props.EnumProperty(
        name="Model",
        description="Networks that estimate the normals",
        items=(
            ("compact", "Compact", "The networks that come with the engine"),
            ("paper", "Published", "The published HFFNE networks, for research only; import their checkpoints first"),
        ),
        default=DEFAULTS.model,
        update=_model_changed,
    )
    exemplar_file: bpy.props.StringProperty(
        name="Exemplar", description="The published ExemplarModel.pkl", subtype="FILE_PATH"
    )
    refiner_file: bpy.props.StringProperty(
        name="Refiner", description="The published RefinerModel.pt", subtype="FILE_PATH"
    )
    weights: bpy.props.StringProperty(
        name="Trained Weights",
        description="Folder of networks that you trained with 'hffne train'; they take the place of the model's",
        subtype="DIR_PATH",
        update=_model_changed,
    )
    coarse_file: bpy.props.StringProperty(
        name="Coarse Network",
        description="An ONNX file of a network of normals that takes the coarse network's place, with a JSON file of "
        "its conventions beside it",
        subtype="FILE_PATH",
        update=_model_changed,
    )
    idle_minutes: bpy.props.IntProperty(
        name="Stop After",
        description="Minutes without work after which the engine is stopped to free its memory; 0 never stops it",
        default=DEFAULTS.idle_minutes,
        min=0,
        soft_max=60,
    )
    frame_result: bpy.props.BoolProperty(
        name="Show New Faces",
        description="Move the view to a face when it is made, and before it",
        default=DEFAULTS.frame_result,
    )


def get(context: bpy.types.Context) -> EngineSettings:
    """The preferences, or their defaults where the extension is not enabled."""
    addon = required(context.preferences).addons.get(PACKAGE)
    own = getattr(addon, "preferences", None)
    return DEFAULTS if own is None else own


def own_networks(context: bpy.types.Context) -> tuple[str, str]:
    """The folder of networks that the user trained and the ONNX file in the coarse network's place, or "".

    From the preferences, else from the variables HFFNE_TRAINED_WEIGHTS and HFFNE_COARSE_FILE.
    """
    chosen = get(context)
    weights = bpy.path.abspath(chosen.weights) or os.environ.get(launch.WEIGHTS_VARIABLE, "")
    return weights, bpy.path.abspath(chosen.coarse_file) or os.environ.get(launch.COARSE_VARIABLE, "")


def engine_folder() -> str:
    """The folder in which this extension keeps the engine, or "" when it is not installed as an extension."""
    try:
        return bpy.utils.extension_path_user(PACKAGE, path="engine", create=False)
    except ValueError:
        return ""


def engine_build(context: bpy.types.Context) -> str:
    """The PyTorch build that an installation uses, by its name in `engine.install`."""
    build = get(context).build
    return torch_builds.choose_build() if build == "AUTO" else build.lower()


def engine_wheel() -> Path | None:
    """The wheel of the engine package in the installed extension; None in the sources."""
    found = sorted(Path(__file__).resolve().parent.glob("engine_wheel/*.whl"))
    return found[-1] if found else None


def engine_of_another_blender() -> tuple[str, str] | None:
    """(Blender's version, path of Python) of an engine of this version in another Blender's folders, or None."""
    base, wheel = engine_folder(), engine_wheel()
    if not base or not wheel:
        return None
    return next(iter(installed.of_other_blenders(base, installed.version_of(wheel))), None)


def find_python(context: bpy.types.Context, explicit: str = "") -> str:
    """The path of the engine's Python, or "".

    The first that exists of: `explicit`, the preferences, the environment variable, the engine installed by this
    extension, that of another Blender.
    """
    preferred = get(context).engine_python
    chosen = launch.find_python(explicit, preferred) or installed.installed_python(engine_folder())
    return chosen or (engine_of_another_blender() or ("", ""))[1]
