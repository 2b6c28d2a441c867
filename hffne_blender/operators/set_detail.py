# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.set_detail`: the sliders of a face's detail, for scripts; the panel shows the very same ones.

bpy.ops.hffne.set_detail(strength=1.2, fine=0.5, smoothing=0.1, relief="DISPLACEMENT")
"""

import bpy

from ..scene import detail_nodes, material, skin_nodes

SLIDERS = {
    name.lower(): (name, default, most, description)
    for name, default, most, description in (*detail_nodes.SLIDERS, *skin_nodes.SLIDERS)
}


def _slider(key):
    name, default, most, description = SLIDERS[key]
    return bpy.props.FloatProperty(
        name=name, description=description, default=default, min=0, max=most, options={"SKIP_SAVE"}
    )


class HFFNE_OT_set_detail(bpy.types.Operator):
    """Weigh the detail of the selected face; what is not given stays as it is"""

    bl_idname = "hffne.set_detail"
    bl_label = "Set Detail"
    bl_options = {"REGISTER", "UNDO"}

    strength: _slider("strength")
    fine: _slider("fine")
    medium: _slider("medium")
    coarse: _slider("coarse")
    smoothing: _slider("smoothing")
    split: _slider("split")
    delit: _slider("delit")
    clay: _slider("clay")
    relief: bpy.props.EnumProperty(
        name="Relief",
        description="How the relief is shown",
        items=(
            ("NORMAL", "Normals", "By the normal map: quick, keeps the outline"),
            ("DISPLACEMENT", "Displacement", "By moving the surface along the height map, with a subdivision modifier"),
        ),
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context):
        return poll_face(cls, context)

    def execute(self, context):
        obj = context.object
        skin = obj.data.materials[0]
        given = [key for key in (*SLIDERS, "relief") if self.properties.is_property_set(key)]
        # All is checked before anything is changed.
        for key in given:
            lack = skin_nodes.unavailable_reason(skin, SLIDERS[key][0]) if key in ("delit", "clay") else ""
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
                node = skin_nodes.find_node(skin) if key in ("delit", "clay") else detail_nodes.find_node(skin)
                node.inputs[SLIDERS[key][0]].default_value = getattr(self, key)
        return {"FINISHED"}


def poll_face(cls, context):
    """Whether the active object is a face with its sliders; the poll of all operators that work on one."""
    if not detail_nodes.has_sliders(context.object):
        cls.poll_message_set("Select a face made from a photo")
        return False
    return True
