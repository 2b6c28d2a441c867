# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.bake`: bake the selected face's detail into a normal map, for itself or for another mesh.

bpy.ops.hffne.bake(target="LowPoly", method="BLENDER", resolution=2048, margin=16, extrusion=0.01)
"""

from contextlib import nullcontext

import bpy

from ..bake import blender, fast
from ..bake.skin_last import skin_last
from ..numeric.png import encode_normal, png_bytes
from ..scene import generated_maps, material
from ..scene.access import mesh_of
from ..scene.temporary import CyclesMissing
from ..scene.textures import KIND
from ..studio.place import face_at
from ..system.required import required
from .bases.polls import OnFace
from .bases.types import OperatorResult


class HFFNE_OT_bake(OnFace, bpy.types.Operator):
    """Bake the selected face's detail, with its sliders applied, into a normal map of a mesh in the same place"""

    bl_idname = "hffne.bake"
    bl_label = "Bake Normal Map"
    bl_options = {"REGISTER", "UNDO"}

    target: bpy.props.StringProperty(
        name="Target",
        description="Mesh to bake onto; empty bakes the face's own sliders into one map",
        options={"SKIP_SAVE"},
    )
    method: bpy.props.EnumProperty(
        name="Method",
        description="Method of baking",
        items=(
            ("FAST", "Fast", "Without rendering; modifiers are ignored"),
            ("BLENDER", "Blender's Baker", "Selected to Active in Cycles, with modifiers and a cage"),
        ),
    )
    space: bpy.props.EnumProperty(
        name="Space",
        description="Space of the normals",
        items=(
            ("TANGENT", "Tangent", "Relative to the surface: for meshes that deform"),
            ("OBJECT", "Object", "Relative to the object: for rigid meshes"),
        ),
    )
    resolution: bpy.props.IntProperty(
        name="Resolution", description="Side of the map in pixels", default=1024, min=16, max=8192
    )
    margin: bpy.props.IntProperty(
        name="Margin",
        description="Pixels by which UV islands are extended beyond their border",
        default=16,
        min=0,
        max=256,
    )
    extrusion: bpy.props.FloatProperty(
        name="Extrusion",
        description="Distance above the mesh at which the rays start",
        default=0.01,
        min=0,
        soft_max=0.1,
        subtype="DISTANCE",
    )
    distance: bpy.props.FloatProperty(
        name="Ray Distance",
        description="Maximum length of the rays; 0 uses the method's default",
        default=0,
        min=0,
        soft_max=0.2,
        subtype="DISTANCE",
    )
    cage: bpy.props.StringProperty(
        name="Cage",
        description="Enlarged copy of the target from which the rays start (Blender's baker only)",
        options={"SKIP_SAVE"},
    )
    assign: bpy.props.BoolProperty(
        name="Assign Material", description="Assign a material with the map to a mesh that has none", default=True
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        source = face_at(context.object)
        others = [obj for obj in context.selected_objects if obj.type == "MESH" and face_at(obj) != source]
        if others and not self.properties.is_property_set("target"):
            self.target = others[0].name
        return required(context.window_manager).invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.use_property_split = True
        layout.prop_search(self, "target", required(context.scene), "objects")
        names = ["method", "space", "resolution", "margin"]
        names += ["extrusion", "distance"] if self.target else []
        for name in names:
            layout.prop(self, name)
        if self.target and self.method == "BLENDER":
            layout.prop_search(self, "cage", required(context.scene), "objects")
        layout.prop(self, "assign")

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        source = required(face_at(context.object))
        try:
            target = _mesh(context, self.target) if self.target else source
            cage = _mesh(context, self.cage) if self.cage else None
            name = fast.uv_name(target)
            if cage is not None and self.method == "FAST":
                raise ValueError("A cage is for Blender's baker; the fast method has none.")
            fast.check_mesh(source, target)
            # A cage belongs to the target's faces in their order.
            ordered = (
                skin_last(context, source, target, self.method == "BLENDER") if cage is None else nullcontext(target)
            )
            with ordered as canvas:
                if target != source:
                    fast.check_shading(source, canvas, self.extrusion, self.distance, target.name)
                common = (source, canvas, self.resolution, self.extrusion, self.distance, self.margin)
                if self.method == "FAST":
                    normal = fast.bake(*common, self.space == "OBJECT")
                else:
                    normal = blender.bake(context, *common, self.space == "OBJECT", cage)
        except (ValueError, RuntimeError) as error:
            hint = " Or choose the method Fast." if isinstance(error, CyclesMissing) else ""
            self.report({"ERROR"}, str(error).strip() + hint)
            return {"CANCELLED"}
        kind = f"bake_{self.space.lower()}"
        data = png_bytes(encode_normal(normal))
        image = generated_maps.store(target, kind, f"{target.name}_{kind}", data)
        if self.space == "TANGENT":
            # A material with sliders uses it as its whole normal map.
            image[KIND] = "normal"
        materials = mesh_of(target).materials
        if self.assign and not any(materials):
            materials.clear()
            if self.space == "OBJECT":
                skin = material.build_object_space(target.name, image)
            else:
                skin = material.build_material(target.name, name, {"normal": image})
            materials.append(skin)
        ignored = [modifier.name for modifier in target.modifiers if modifier.show_render]
        if self.method == "FAST" and ignored:
            self.report({"WARNING"}, f"Without the modifiers of '{target.name}': {', '.join(ignored)}")
        self.report({"INFO"}, f"{image.name}: {self.resolution} px")
        return {"FINISHED"}


def _mesh(context: bpy.types.Context, name: str) -> bpy.types.Object:
    """The mesh object of that name. Raises ValueError when it cannot be baked onto."""
    obj = required(context.scene).objects.get(name)
    if obj is None or obj.type != "MESH":
        raise ValueError(f"There is no mesh '{name}' in this scene.")
    if obj.name not in required(context.view_layer).objects:
        raise ValueError(f"The mesh '{name}' is in no collection of this view layer.")
    return obj
