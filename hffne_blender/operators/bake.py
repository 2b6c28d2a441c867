# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.bake`: the selected face's detail as a normal map, for itself or for another mesh.

bpy.ops.hffne.bake(target="LowPoly", method="BLENDER", resolution=2048, margin=16, extrusion=0.01)
"""

import bpy

from ..bake import blender, fast
from ..numeric.png import encode_normal, png_bytes
from ..scene import generated_maps, material
from ..scene.textures import KIND
from . import ask
from .set_detail import poll_face


class HFFNE_OT_bake(bpy.types.Operator):
    """Bake the selected face's detail, as its sliders make it, into a normal map of a mesh that lies over it"""

    bl_idname = "hffne.bake"
    bl_label = "Bake Normal Map"
    bl_options = {"REGISTER", "UNDO"}

    target: bpy.props.StringProperty(
        name="Onto",
        description="The mesh to bake onto; none bakes the face's own sliders into one map",
        options={"SKIP_SAVE"},
    )
    method: bpy.props.EnumProperty(
        name="Method",
        description="How the map is made",
        items=(
            ("FAST", "Fast", "Without a render: meshes as they are, without their modifiers"),
            ("BLENDER", "Blender's Baker", "Cycles' selected to active, with modifiers and a cage"),
        ),
    )
    space: bpy.props.EnumProperty(
        name="Space",
        description="What the normals are relative to",
        items=(
            ("TANGENT", "Tangent", "The surface: for meshes that move"),
            ("OBJECT", "Object", "The object: for stiff meshes"),
        ),
    )
    resolution: bpy.props.IntProperty(
        name="Resolution", description="Side of the map in pixels", default=1024, min=16, max=8192
    )
    margin: bpy.props.IntProperty(
        name="Margin", description="Pixels by which islands are carried on beyond their rim", default=16, min=0, max=256
    )
    extrusion: bpy.props.FloatProperty(
        name="Extrusion",
        description="How far above the mesh its rays start",
        default=0.01,
        min=0,
        soft_max=0.1,
        subtype="DISTANCE",
    )
    distance: bpy.props.FloatProperty(
        name="Ray Distance",
        description="How far rays go; 0 leaves it to the method",
        default=0,
        min=0,
        soft_max=0.2,
        subtype="DISTANCE",
    )
    cage: bpy.props.StringProperty(
        name="Cage",
        description="A mesh like the target, blown up, from which the rays start (Blender's baker only)",
        options={"SKIP_SAVE"},
    )
    assign: bpy.props.BoolProperty(
        name="Use It", description="Give the mesh a material with the map if it has none", default=True
    )

    @classmethod
    def poll(cls, context):
        return ask.object_mode(cls, context) and poll_face(cls, context)

    def invoke(self, context, event):
        others = [obj for obj in context.selected_objects if obj.type == "MESH" and obj != context.object]
        if others and not self.properties.is_property_set("target"):
            self.target = others[0].name
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context):
        layout = self.layout
        layout.use_property_split = True
        layout.prop_search(self, "target", context.scene, "objects")
        names = ["method", "space", "resolution", "margin"]
        names += ["extrusion", "distance"] if self.target else []
        for name in names:
            layout.prop(self, name)
        if self.target and self.method == "BLENDER":
            layout.prop_search(self, "cage", context.scene, "objects")
        layout.prop(self, "assign")

    def execute(self, context):
        source = context.object
        try:
            target = _mesh(context, self.target) if self.target else source
            cage = _mesh(context, self.cage) if self.cage else None
            name = fast.uv_name(target)
            if cage is not None and self.method == "FAST":
                raise ValueError("A cage is for Blender's baker; the fast method has none.")
            common = (source, target, self.resolution, self.extrusion, self.distance, self.margin)
            if self.method == "FAST":
                normal = fast.bake(*common, self.space == "OBJECT")
            else:
                normal = blender.bake(context, *common, self.space == "OBJECT", cage)
        except (ValueError, RuntimeError) as error:
            self.report({"ERROR"}, str(error).strip())
            return {"CANCELLED"}
        kind = f"bake_{self.space.lower()}"
        data = png_bytes(encode_normal(normal))
        image = generated_maps.store(target, kind, f"{target.name}_{kind}", data)
        if self.space == "TANGENT":
            # In a material with sliders it is the whole normal map.
            image[KIND] = "normal"
        if self.assign and not any(target.data.materials):
            target.data.materials.clear()
            if self.space == "OBJECT":
                skin = material.build_object_space(target.name, image)
            else:
                skin = material.build_material(target.name, name, {"normal": image})
            target.data.materials.append(skin)
        self.report({"INFO"}, f"{image.name}: {self.resolution} px")
        return {"FINISHED"}


def _mesh(context, name):
    obj = context.scene.objects.get(name)
    if obj is None or obj.type != "MESH":
        raise ValueError(f"There is no mesh '{name}' in this scene.")
    if obj.name not in context.view_layer.objects:
        raise ValueError(f"The mesh '{name}' is in no collection of this view layer.")
    return obj
