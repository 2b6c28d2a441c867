# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.apply_to_mesh`: transfer the detail of a generated face to the artist's own head."""

import bpy

from .. import settings
from ..character import apply, density, target_material
from ..system.required import required
from .bases import windows
from .bases.background import InBackground, Work
from .bases.faces import face_for, face_names
from .bases.types import OperatorResult

RESULTS = ("normal", "displacement", "relief", "color", "albedo", "roughness", "shape")
# The properties that are fields of `apply.Options` as they are.
OPTIONS = (
    "align", *RESULTS, "levels", "strength", "largest", "border", "seen_only", "skip_eyes", "uv_map", "face_uv",
    "material",
)  # fmt: skip


class HFFNE_OT_apply_to_mesh(InBackground, bpy.types.Operator):
    """Transfer the relief of the selected face to the active mesh and its UVs; the mesh itself is not changed"""

    bl_idname = "hffne.apply_to_mesh"
    bl_label = "Apply to My Mesh"
    bl_options = {"REGISTER", "UNDO"}

    face: bpy.props.StringProperty(
        name="Face",
        description="The face object; empty uses the one chosen in the panel, the selected one or the latest",
        search=face_names,
        options={"SKIP_SAVE"},
    )
    target: bpy.props.StringProperty(
        name="Target", description="The mesh object to apply to; empty uses the active one", options={"SKIP_SAVE"}
    )
    align: bpy.props.EnumProperty(
        name="Align By",
        description="How the face is aligned with the mesh",
        items=(
            (
                "AUTO",
                "Automatic",
                "By the landmarks on the mesh if there are any; otherwise the engine detects them on the mesh",
            ),
            ("LANDMARKS", "Landmarks", "By the landmarks that you have placed on the mesh"),
            ("PLACED", "As Placed", "The face is roughly in place on the mesh"),
        ),
    )
    normal: bpy.props.BoolProperty(name="Normal Map", description="Create a tangent-space normal map", default=True)
    displacement: bpy.props.BoolProperty(
        name="Displacement Map", description="Create a displacement map; 0.5 is no displacement"
    )
    relief: bpy.props.BoolProperty(name="Multires Relief", description="Sculpt the relief into a Multires modifier")
    color: bpy.props.BoolProperty(name="Color", description="Create a color texture of the photo's colors")
    albedo: bpy.props.BoolProperty(
        name="Delit Color",
        description="Create a color texture of the colors without the photo's light; it is shown where both are made",
    )
    roughness: bpy.props.BoolProperty(name="Roughness", description="Create a roughness texture")
    shape: bpy.props.BoolProperty(
        name="Fit My Mesh's Shape",
        description="Create a shape key 'Face Shape' that moves your mesh to the face's own shape, by its slider",
    )
    levels: bpy.props.IntProperty(
        name="Multires Levels", description="Subdivisions of the Multires modifier", default=4, min=1, max=7
    )
    texture_size: settings.texture_size_property()
    strength: bpy.props.FloatProperty(
        name="Strength", description="Factor on the depth of the relief", default=1.0, min=0.0, soft_max=3.0
    )
    largest: bpy.props.FloatProperty(
        name="Largest Form",
        description="Leave out forms wider than this (on a life-size head), as your mesh has its own. "
        "0 keeps all, for a retopology of the same face",
        default=0.03,
        min=0.0,
        soft_max=0.1,
        unit="LENGTH",
    )
    border: bpy.props.FloatProperty(
        name="Soft Border",
        description="Width over which the relief fades out toward the face's border (on a life-size head)",
        default=0.02,
        min=0.0,
        soft_max=0.06,
        unit="LENGTH",
    )
    seen_only: bpy.props.BoolProperty(
        name="Only What the Photo Shows", description="Leave out what was filled in from the other side of the face"
    )
    skip_eyes: bpy.props.BoolProperty(
        name="Leave Out the Eyes", description="Leave out the eyes, as your mesh has its own", default=True
    )
    uv_map: bpy.props.StringProperty(name="UV Map", description="UV map of the mesh; empty uses the one for rendering")
    face_uv: bpy.props.BoolProperty(
        name="UV Map for the Face",
        description="Make a second UV map on which the face alone fills the texture, and leave your own as it is: "
        "for a mesh whose UV map gives the face few pixels",
    )
    material: bpy.props.BoolProperty(
        name="Set Up Material",
        description="Add the maps to a copy of the mesh's material, on this object only",
        default=True,
    )

    # Of the face on the target's UV map and on the photo, see `density.across`; shown by the dialog.
    _across: tuple[float, float] | None = None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        target = self._target(context)
        face = face_for(context, target)
        # With nothing to choose from, report at once what is missing.
        if not windows.has_window(context) or face is None or target is None or target.type != "MESH":
            return self.begin(context)
        self.face, self.target, self._windowed = self.face or face.name, target.name, True
        chosen = bpy.data.objects.get(self.face)
        self._across = density.across(chosen or face, target, self.uv_map)
        return required(context.window_manager).invoke_props_dialog(self, width=360, confirm_text="Apply")

    def _target(self, context: bpy.types.Context) -> bpy.types.Object | None:
        return bpy.data.objects.get(self.target) if self.target else context.object

    def work(self, context: bpy.types.Context) -> Work:
        target = self._target(context)
        face = bpy.data.objects.get(self.face) if self.face else face_for(context, target)
        chosen = apply.Options(texture_size=int(self.texture_size), **{name: getattr(self, name) for name in OPTIONS})
        made = yield from apply.apply(context, face, target, chosen)
        if made.get("unlinked"):
            self.report(
                {"WARNING"},
                f"No shader of {', '.join(made['unlinked'])} takes a normal: link the node "
                f"'{target_material.NORMAL_MAP}' to the Normal input of one yourself",
            )
        results = [kind for kind in RESULTS if kind in made]
        face_name = self.face or required(face).name
        self.report({"INFO"}, f"{required(self._target(context)).name}: {', '.join(results)} from {face_name}")

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.use_property_split = True
        layout.prop(self, "face", icon="USER")
        layout.prop(self, "align")
        column = layout.column(heading="Output")
        for name in RESULTS:
            column.prop(self, name)
        if self.relief:
            layout.prop(self, "levels")
        layout.prop(self, "texture_size")
        if self._across is not None:
            share, pixels = self._across
            share = density.FACE_UV if self.face_uv else share
            texels = round(share * int(self.texture_size))
            text = f"About {texels} px across the face; the photo has {round(pixels)}"
            layout.label(text=text, icon="INFO" if texels > pixels / 2 else "ERROR")
        layout.prop(self, "face_uv")
        for name in ("strength", "largest", "border", "seen_only", "skip_eyes", "material"):
            layout.prop(self, name)
