# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.set_detail`: the sliders of a face's detail, for scripts; the panel shows the same ones.

bpy.ops.hffne.set_detail(strength=1.2, fine=0.5, smoothing=0.1, relief="DISPLACEMENT")
"""

from types import ModuleType
from typing import Any

import bpy

from .. import sliders
from ..scene import detail_nodes, material, skin_nodes
from ..scene.access import first_material
from ..scene.nodes import set_input
from ..studio.place import face_at
from ..system.required import required
from .bases.polls import active_face
from .bases.types import OperatorResult

SLIDERS = {
    sliders.key(name): (name, default, most, description)
    for name, default, most, description in (*detail_nodes.SLIDERS, *skin_nodes.SLIDERS)
}


def _slider(key: str) -> Any:
    name, default, most, description = SLIDERS[key]
    return bpy.props.FloatProperty(
        name=name, description=description, default=default, min=0, max=most, options={"SKIP_SAVE"}
    )


def _nodes_of(key: str) -> ModuleType:
    """The module of the node group that has a slider."""
    return skin_nodes if key in ("delit", "clay") else detail_nodes


class HFFNE_OT_set_detail(bpy.types.Operator):
    """Set the sliders of the selected face; those that are not given stay as they are"""

    bl_idname = "hffne.set_detail"
    bl_label = "Set Detail"
    bl_options = {"REGISTER", "UNDO"}

    strength: _slider("strength")
    fine: _slider("fine")
    medium: _slider("medium")
    coarse: _slider("coarse")
    smoothing: _slider("smoothing")
    synthetic_pores: _slider("synthetic_pores")
    split: _slider("split")
    delit: _slider("delit")
    clay: _slider("clay")
    relief: bpy.props.EnumProperty(
        name="Relief",
        description="How the relief is shown",
        items=(
            ("NORMAL", "Normals", "With the normal map: fast, the outline stays smooth"),
            ("DISPLACEMENT", "Displacement", "By moving the surface along the height map, with a subdivision modifier"),
        ),
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return active_face(cls, context)

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        obj = required(face_at(context.object))
        skin = first_material(obj)
        given = [key for key in (*SLIDERS, "relief") if self.properties.is_property_set(key)]
        # Check everything before changing anything.
        for key in given:
            lack = _nodes_of(key).unavailable_reason(skin, SLIDERS[key][0]) if key in SLIDERS else ""
            if lack:
                self.report({"ERROR"}, f"This face has {lack}.")
                return {"CANCELLED"}
        if "relief" in given:
            try:
                material.set_displaced(obj, self.relief == "DISPLACEMENT")
            except ValueError as error:
                self.report({"ERROR"}, f"{error} Generate it with the map Height.")
                return {"CANCELLED"}
        for key in given:
            if key in SLIDERS:
                set_input(required(_nodes_of(key).find_node(skin)), SLIDERS[key][0], getattr(self, key))
        return {"FINISHED"}
