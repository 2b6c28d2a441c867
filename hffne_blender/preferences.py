# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the engine is and what it computes on. These belong to the machine, not to a file."""

from dataclasses import dataclass
from pathlib import Path

import bpy

from .engine import install, launch, session

# The extension's own name, also when it is installed as bl_ext.<repository>.<id>.
PACKAGE = __package__


# By the build: what it takes on the disk when installed, where that was measured, and while it is being installed.
BUILDS = (
    ("AUTO", "Automatic", "CUDA where there is an NVIDIA driver, ROCm where there is AMD's, Metal on macOS, else CPU"),
    ("CPU", "CPU", "Works everywhere: 1.1 GB on the disk, up to 3 GB while it is installed"),
    ("CUDA", "CUDA", "For NVIDIA cards, on Linux and Windows: up to 12 GB while it is installed"),
    ("ROCM", "ROCm", "For AMD cards, on Linux: up to 25 GB while it is installed"),
)


def build_property(**more):
    return bpy.props.EnumProperty(name="PyTorch Build", items=BUILDS, default="AUTO", **more)


def _model_changed(self, context):
    # The last answer is the other model's.
    session.forget_answer()


class HFFNE_Preferences(bpy.types.AddonPreferences):
    bl_idname = PACKAGE

    engine_python: bpy.props.StringProperty(
        name="Engine Python",
        description="The Python (or the virtual environment's folder) into which the engine 'hffne' is installed",
        subtype="FILE_PATH",
    )
    wheels_folder: bpy.props.StringProperty(
        name="Wheels",
        description="A folder of wheels to install the engine from, for a computer without a network",
        subtype="DIR_PATH",
    )
    build: build_property(description="Which PyTorch is installed with the engine; the smallest one is often enough")
    device: bpy.props.EnumProperty(
        name="Device",
        description="What the engine computes on",
        items=(
            ("auto", "Automatic", "The best that this machine has"),
            ("cuda", "CUDA", "NVIDIA, or AMD with ROCm"),
            ("xpu", "XPU", "Intel"),
            ("mps", "Metal", "Apple"),
            ("cpu", "CPU", "Works everywhere"),
        ),
        default="auto",
    )
    model: bpy.props.EnumProperty(
        name="Model",
        description="Which networks estimate the normals",
        items=(
            ("compact", "Compact", "The networks that come with the engine"),
            ("paper", "Published", "The published HFFNE networks, for research only; import their checkpoints first"),
        ),
        default="compact",
        update=_model_changed,
    )
    exemplar_file: bpy.props.StringProperty(
        name="Exemplar", description="The published ExemplarModel.pkl", subtype="FILE_PATH"
    )
    refiner_file: bpy.props.StringProperty(
        name="Refiner", description="The published RefinerModel.pt", subtype="FILE_PATH"
    )
    idle_minutes: bpy.props.IntProperty(
        name="Stop After",
        description="Minutes after which an engine with nothing to do is stopped and its memory given back; 0 keeps it",
        default=5,
        min=0,
        soft_max=60,
    )

    def draw(self, context):
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "engine_python")
        layout.prop(self, "wheels_folder")
        layout.prop(self, "build")
        # The user interface imports this module.
        from .ui import engine_setup

        engine_setup.draw(layout, context, lambda place, words, icon: place.label(text=words, icon=icon))
        engine_setup.draw_upkeep(layout, context)
        layout.prop(self, "device")
        layout.prop(self, "model")
        if self.model == "paper":
            column = layout.column(align=True)
            column.prop(self, "exemplar_file")
            column.prop(self, "refiner_file")
            column.operator("hffne.import_weights")
            column.label(text="For research only, by the terms of their authors.", icon="INFO")
        layout.prop(self, "idle_minutes", text="Stop After (Minutes)")
        row = layout.row(align=True)
        row.operator("hffne.show_log", icon="TEXT")
        row.operator("hffne.show_log", text="", icon="COPYDOWN").copy = True
        row.operator("hffne.write_report")


@dataclass(frozen=True)
class _Defaults:
    """Stands in where the extension was registered without being enabled, as scripts do."""

    engine_python: str = ""
    wheels_folder: str = ""
    build: str = "AUTO"
    device: str = "auto"
    model: str = "compact"
    exemplar_file: str = ""
    refiner_file: str = ""
    idle_minutes: int = 5


def get(context):
    entry = context.preferences.addons.get(PACKAGE)
    preferences = getattr(entry, "preferences", None)
    return preferences if preferences is not None else _Defaults()


def engine_folder():
    """Where this extension keeps the engine, or "" when it is not installed as an extension."""
    try:
        return bpy.utils.extension_path_user(PACKAGE, path="engine", create=False)
    except ValueError:
        return ""


def engine_build(context):
    """The build of PyTorch that an installation takes, as `install` names it."""
    build = get(context).build
    return install.choose_build() if build == "AUTO" else build.lower()


def engine_wheel():
    """The engine's own package in the installed extension as a Path; None in the sources."""
    found = sorted(Path(__file__).resolve().parent.glob("engine_wheel/*.whl"))
    return found[-1] if found else None


def engine_of_another_blender():
    """(Blender's version, Python) of an engine of this extension's version beside another Blender, or None."""
    base, wheel = engine_folder(), engine_wheel()
    if not base or not wheel:
        return None
    return next(iter(install.of_other_blenders(base, install.version_of(wheel))), None)


def find_python(context, explicit=""):
    """The engine's Python, or "".

    The caller's, the preferences', the variable's, the installed one, that of another Blender.
    """
    preferred = bpy.path.abspath(get(context).engine_python)
    chosen = launch.find_python(explicit, preferred) or install.installed_python(engine_folder())
    return chosen or (engine_of_another_blender() or ("", ""))[1]


def register():
    bpy.utils.register_class(HFFNE_Preferences)


def unregister():
    bpy.utils.unregister_class(HFFNE_Preferences)
