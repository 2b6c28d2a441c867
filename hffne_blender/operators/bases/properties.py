# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties that several operators have, and the requests to the engine that they describe."""

from typing import Any

import bpy

from ... import check_boxes, settings
from ...system.required import required
from .types import OperatorMixin

# The panel's values apply, not those of the operator's last run.
OPTIONS = {"SKIP_SAVE"}
FACE_OPTIONS = settings.OUTPUT


def engine_python_property() -> Any:
    """The engine's Python, for scripts."""
    return bpy.props.StringProperty(
        name="Engine Python",
        description="Engine to use instead of the one in the preferences",
        subtype="FILE_PATH",
        options={"HIDDEN", "SKIP_SAVE"},
    )


class EngineOptions:
    """The properties of an operator that sends requests to the engine."""

    engine_python: engine_python_property()
    device: bpy.props.StringProperty(
        name="Device",
        description="Device to use instead of the one in the preferences",
        options={"HIDDEN", "SKIP_SAVE"},
    )


class PhotoOptions(OperatorMixin):
    """The properties of an operator that works on one photo."""

    photo: settings.photo_property(options=OPTIONS)
    image: settings.image_name_property(options=OPTIONS)

    def use_panel_photo(self, context: bpy.types.Context) -> None:
        """Take the panel's photo, unless the caller has named one."""
        if self.photo or self.image:
            return
        chosen = settings.of(context)
        if chosen.source == "IMAGE":
            self.image = chosen.image.name if chosen.image is not None else ""
        else:
            self.photo = chosen.photo


class FaceOptions(settings.MapBoxes, OperatorMixin):
    """The properties of an operator that builds faces."""

    base: settings.base_property(options=OPTIONS)
    detail_size: settings.detail_size_property(options=OPTIONS)
    texture_size: settings.texture_size_property(options=OPTIONS)
    lod: settings.lod_property(options=OPTIONS)
    grid: settings.grid_property(options=OPTIONS)
    color: settings.color_property(options=OPTIONS)
    keep_hair: settings.keep_hair_property(options=OPTIONS)
    keep_glasses: settings.keep_glasses_property(options=OPTIONS)
    maps: settings.maps_property(options=OPTIONS)

    def use_panel_settings(self, context: bpy.types.Context, names: tuple[str, ...] = FACE_OPTIONS) -> None:
        """Take the panel's settings for those properties that the caller has not set."""
        self.choose_base()
        for name in names:
            if not self.properties.is_property_set(name):
                setattr(self, name, getattr(settings.of(context), name))

    def choose_base(self) -> None:
        """Make a mask where the caller has named its grid and no base: a script from when every face was a mask."""
        if self.properties.is_property_set("grid") and not self.properties.is_property_set("base"):
            self.base = "MASK"

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.use_property_split = True
        for name in settings.output_names(self.base):
            layout.prop(self, name)
        check_boxes.draw(layout, self, settings.MAPS, "Maps")

    def face_request(self, **more: Any) -> dict[str, Any]:
        """The request to the engine for a face with these properties."""
        # Without a size the engine chooses it for each photo.
        size = {} if self.detail_size == "AUTO" else {"size": int(self.detail_size)}
        return {
            "type": "generate",
            **size,
            "texture_size": int(self.texture_size),
            "base": self.base.lower(),
            "lod": self.lod.lower(),
            "grid": int(self.grid),
            # Always with color, so that the extension can switch it off and on again without the engine.
            "color": True,
            "keep": [name for name, kept in (("hair", self.keep_hair), ("glasses", self.keep_glasses)) if kept],
            "maps": sorted(name.lower() for name in self.maps),
            **more,
        }
