# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.apply_to_mesh`: the detail of a generated face on the artist's own head."""

import bpy

from .. import settings
from ..character import apply
from . import ask
from .background import InBackground

RESULTS = ("normal", "displacement", "relief")


class HFFNE_OT_apply_to_mesh(InBackground, bpy.types.Operator):
    """Carry the relief of the selected face over to the active mesh and its UVs; the mesh itself stays as it is"""

    bl_idname = "hffne.apply_to_mesh"
    bl_label = "Apply to My Mesh"
    bl_options = {"REGISTER", "UNDO"}

    face: bpy.props.StringProperty(
        name="Face",
        description="The face object; empty: the one chosen in the panel, else the selected one, else the latest",
        search=ask.face_names,
        options={"SKIP_SAVE"},
    )
    target: bpy.props.StringProperty(
        name="Target", description="The mesh object to apply to; empty: the active one", options={"SKIP_SAVE"}
    )
    align: bpy.props.EnumProperty(
        name="Align By",
        description="How the face finds its place on the mesh",
        items=(
            (
                "AUTO",
                "Automatic",
                "By the landmarks on the mesh if there are any, else the engine looks at the mesh and finds them",
            ),
            ("LANDMARKS", "Landmarks", "By the landmarks that you have placed on the mesh"),
            ("PLACED", "As Placed", "The face already lies on the mesh, roughly"),
        ),
    )
    normal: bpy.props.BoolProperty(name="Normal Map", description="Make a tangent-space normal map", default=True)
    displacement: bpy.props.BoolProperty(
        name="Displacement Map", description="Make a displacement map; 0.5 is no displacement"
    )
    relief: bpy.props.BoolProperty(name="Multires Relief", description="Sculpt the relief into a Multires modifier")
    levels: bpy.props.IntProperty(
        name="Multires Levels", description="Subdivisions of the Multires modifier", default=4, min=1, max=7
    )
    texture_size: settings.texture_size_property()
    strength: bpy.props.FloatProperty(
        name="Strength", description="Factor on the depth of the relief", default=1.0, min=0.0, soft_max=3.0
    )
    largest: bpy.props.FloatProperty(
        name="Largest Form",
        description="Leave out forms wider than this (on a head of natural size): your mesh has its own. "
        "0 keeps all, for a retopology of the same face",
        default=0.03,
        min=0.0,
        soft_max=0.1,
        unit="LENGTH",
    )
    border: bpy.props.FloatProperty(
        name="Soft Border",
        description="Width over which the relief fades out towards the face's border (on a head of natural size)",
        default=0.02,
        min=0.0,
        soft_max=0.06,
        unit="LENGTH",
    )
    seen_only: bpy.props.BoolProperty(
        name="Only What the Photo Shows", description="Leave out what was completed from the other side of the face"
    )
    skip_eyes: bpy.props.BoolProperty(
        name="Leave Out the Eyes", description="Your mesh has eyes of its own", default=True
    )
    uv_map: bpy.props.StringProperty(name="UV Map", description="The mesh's UV map; empty: the one used for rendering")
    material: bpy.props.BoolProperty(
        name="Set Up Material",
        description="Put the maps into a copy of the mesh's material, on this object only",
        default=True,
    )
    engine_python: ask.engine_python_property()
    device: ask.device_property()

    @classmethod
    def poll(cls, context):
        return ask.poll(cls, context)

    def invoke(self, context, event):
        target = self._target(context)
        face = ask.face_for(context, target)
        # With nothing to choose from, what is missing is told at once.
        if not ask.has_window(context) or face is None or target is None or target.type != "MESH":
            return self.begin(context)
        self.face, self.target, self._windowed = self.face or face.name, target.name, True
        return context.window_manager.invoke_props_dialog(self, width=360, confirm_text="Apply")

    def _target(self, context):
        return bpy.data.objects.get(self.target) if self.target else context.object

    def work(self, context):
        target = self._target(context)
        face = bpy.data.objects.get(self.face) if self.face else ask.face_for(context, target)
        names = (
            "align",
            *RESULTS,
            "levels",
            "strength",
            "largest",
            "border",
            "seen_only",
            "skip_eyes",
            "uv_map",
            "material",
        )
        chosen = apply.Options(texture_size=int(self.texture_size), **{name: getattr(self, name) for name in names})
        made = yield from apply.apply(context, face, target, chosen)
        parts = [kind for kind in RESULTS if kind in made]
        self.report({"INFO"}, f"{self._target(context).name}: {', '.join(parts)} from {self.face or face.name}")

    def draw(self, context):
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "face", icon="USER")
        layout.prop(self, "align")
        column = layout.column(heading="Make")
        for name in RESULTS:
            column.prop(self, name)
        if self.relief:
            layout.prop(self, "levels")
        for name in ("texture_size", "strength", "largest", "border", "seen_only", "skip_eyes", "material"):
            layout.prop(self, name)
