# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about meshes and scenes as people have them: another head of the same shape must be shaded as the face is."""

import os
import random
from pathlib import Path

import bpy
import case_process
import head_scene
import hostile_values
import numpy as np
from case_process import choose, start
from mathutils import Matrix
from target_mesh import ALL, angle, fake, remeshed

from hffne_blender.commands import roundtrip
from hffne_blender.engine import session
from hffne_blender.scene import generated_maps, images


def uvs_of(copy):
    uv = np.empty(len(copy.data.loops) * 2, np.float32)
    copy.data.uv_layers[0].uv.foreach_get("vector", uv)
    return uv.reshape(-1, 2)


def set_uvs(copy, uv):
    copy.data.uv_layers[0].uv.foreach_set("vector", uv.astype(np.float32).ravel())
    copy.data.update()


def over_an_edge(copy):
    uv = uvs_of(copy)
    uv = (uv - uv.min(0)) / np.ptp(uv, axis=0)
    set_uvs(copy, uv * [0.58, 0.8] + [0.85, 0.1])


def on_tile_1002(copy):
    set_uvs(copy, uvs_of(copy) + [1, 0])


def inside_out(copy):
    copy.data.flip_normals()


def half_flipped(copy):
    import bmesh  # there once bpy is

    work = bmesh.new()
    work.from_mesh(copy.data)
    bmesh.ops.reverse_faces(work, faces=[face for face in work.faces if face.calc_center_median().x > 0.02])
    work.to_mesh(copy.data)
    work.free()


def thick(copy):
    """Three modifiers, of which the last lays an inner side over the skin's UVs."""
    finer = copy.modifiers.new("finer", "SUBSURF")
    finer.levels, finer.render_levels, finer.subdivision_type = 1, 1, "SIMPLE"
    copy.modifiers.new("weld", "WELD").merge_threshold = 1e-7
    solid = copy.modifiers.new("solid", "SOLIDIFY")
    solid.thickness, solid.offset = 0.004, -1


def nowhere(copy):
    copy.data.vertices.foreach_set("co", np.full(3 * len(copy.data.vertices), np.nan, np.float32))
    copy.data.update()


def flat(copy):
    copy.data.shade_flat()


def ngons(copy, angle_limit=0.05):
    import bmesh  # there once bpy is

    work = bmesh.new()
    work.from_mesh(copy.data)
    bmesh.ops.dissolve_limit(work, angle_limit=angle_limit, verts=work.verts[:], edges=work.edges[:])
    work.to_mesh(copy.data)
    work.free()
    copy.data.shade_smooth()
    assert max(len(polygon.vertices) for polygon in copy.data.polygons) > 4


def coarse_ngons(copy):
    """So coarse that its facets draw the face along its own surface."""
    ngons(copy, 0.12)


def degenerate(copy):
    """Edges without length."""
    chance = random.Random(2)
    for edge in chance.sample(list(copy.data.edges), 60):
        first, second = edge.vertices
        copy.data.vertices[first].co = copy.data.vertices[second].co
    copy.data.update()


def layers(copy):
    """Thousands of large faces through the skin."""
    screw = copy.modifiers.new("screw", "SCREW")
    screw.steps = screw.render_steps = 24


def without_uvs(copy):
    copy.modifiers.new("remesh", "REMESH").voxel_size = 0.02


def mirrored(copy):
    """One half, and a Mirror modifier for the other, which lies over the first one's UVs."""
    import bmesh  # there once bpy is

    work = bmesh.new()
    work.from_mesh(copy.data)
    every = work.verts[:] + work.edges[:] + work.faces[:]
    bmesh.ops.bisect_plane(work, geom=every, plane_co=(0, 0, 0), plane_no=(1, 0, 0), clear_outer=True)
    work.to_mesh(copy.data)
    work.free()
    copy.data.shade_smooth()
    copy.modifiers.new("mirror", "MIRROR")


def seam(copy):
    """N-gons over a seam between two charts."""
    uv = uvs_of(copy) * [0.4, 0.8]
    for polygon in copy.data.polygons:
        if polygon.center.x > 0:
            uv[list(polygon.loop_indices), 0] += 0.5
    set_uvs(copy, uv)
    ngons(copy)


def uneven_scale(copy):
    scale = Matrix.Diagonal((1, 1, 1.2, 1))
    copy.data.transform(scale.inverted())
    copy.data.update()
    copy.matrix_world = copy.matrix_world @ scale


def hidden_modifier(copy):
    """A displacement that only the render has: without it the target lies beside the face."""
    move = copy.modifiers.new("move", "DISPLACE")
    move.direction, move.strength, move.mid_level, move.show_viewport = "X", 0.02, 0.0, False
    copy.data.transform(Matrix.Translation((-0.02, 0, 0)))
    copy.data.update()


def no_area(copy):
    set_uvs(copy, uvs_of(copy) * 0 + 0.5)


def hidden(copy):
    copy.hide_set(True)


def hidden_in_viewports(copy):
    copy.hide_viewport = True


def not_selectable(copy):
    copy.hide_select = True


def scene_s_own_settings(copy):
    scene, layer = bpy.context.scene, bpy.context.view_layer
    scene.render.bake.normal_g, scene.render.bake.normal_b = "NEG_Y", "NEG_Z"
    scene.render.use_simplify, scene.render.bake.use_clear = True, True
    layer.material_override = bpy.data.materials.new("override")


KINDS = (
    over_an_edge, on_tile_1002, inside_out, flat, ngons, uneven_scale, hidden_modifier, hidden, hidden_in_viewports,
    not_selectable, scene_s_own_settings, no_area, half_flipped, thick, nowhere, seam,
)  # fmt: skip


# Those that concern Apply to My Mesh alone.
APPLY_KINDS = coarse_ngons, degenerate, layers, without_uvs, mirrored


def outcome(work, obj, copy):
    """Mean degrees between the shading of both after some work, or what it says."""
    try:
        state = work()
    except RuntimeError as error:
        return str(error).strip()
    assert state == {"FINISHED"}, state
    copy.hide_viewport = False
    copy.hide_set(False)
    bpy.context.view_layer.material_override = None
    return angle(obj, copy)["mean"]


def case_bake():
    """Each kind of mesh and scene by both methods; what a bake leaves of the scene."""
    start()
    obj = fake()
    result = {}
    for kind in KINDS:
        if kind is hidden_modifier:
            continue  # Fast says that it leaves modifiers out; Blender's baker has them
        # The others are right with an uneven scale, which the measure of this file is not.
        for method in ("BLENDER",) if kind is uneven_scale else ("FAST", "BLENDER"):
            copy = remeshed(obj, Matrix.Identity(4))
            kind(copy)
            bpy.context.view_layer.update()
            choose(obj)
            render, bake = bpy.context.scene.render, bpy.context.scene.render.bake
            before = [render.engine, bake.normal_g, copy.hide_viewport, copy.hide_select, len(bpy.data.scenes)]
            more = {"target": copy.name, "method": method, "resolution": 512}
            result[f"{kind.__name__} {method}"] = outcome(lambda more=more: bpy.ops.hffne.bake(**more), obj, copy)
            after = [render.engine, bake.normal_g, before[2] and copy.hide_viewport, copy.hide_select]
            result.setdefault("kept", []).append([*after, len(bpy.data.scenes)] == [*before[:2], False, *before[3:]])
            bpy.data.objects.remove(copy)
    copy = remeshed(obj, Matrix.Identity(4))
    choose(obj)
    import addon_utils  # there once bpy is

    addon_utils.disable("cycles")
    result["without Cycles"] = outcome(lambda: bpy.ops.hffne.bake(target=copy.name, method="BLENDER"), obj, copy)
    return result


def case_copied_head():
    """A head that is copied into one material, where its parts lie over each other: the skin's texels by all ways.

    Degrees between the map and that of the skin alone, where no other part covers it there.
    """
    import bmesh  # there once bpy is

    start()
    obj = head_scene.build(texture_size=256, grid=40)
    whole, result = bpy.data.objects.new("Whole", obj.data.copy()), {}
    skin = whole.data.copy()
    work = bmesh.new()
    work.from_mesh(skin)
    bmesh.ops.delete(work, geom=[face for face in work.faces if face.material_index], context="FACES")
    work.to_mesh(skin)
    work.free()
    alone = bpy.data.objects.new("Alone", skin)
    for copy in (alone, whole):
        bpy.context.scene.collection.objects.link(copy)
        copy.data.materials.clear()
        copy.data.shade_smooth()
    for method, size in (("BLENDER", 128), ("FAST", 512), ("APPLY", 512)):
        maps = []
        for copy in (alone, whole):
            choose(obj)
            if method == "APPLY":
                bpy.ops.hffne.apply_to_mesh(**{**ALL, "face": obj.name, "target": copy.name, "align": "PLACED"})
            else:
                bpy.ops.hffne.bake(target=copy.name, method=method, resolution=size, margin=0, assign=False)
            made = "normal" if method == "APPLY" else "bake_tangent"
            maps.append(images.normals(generated_maps.of_object(copy)[made]))
        if method != "APPLY":  # without a margin
            covered = np.abs(maps[0] - (0, 0, 1)).max(-1) > 0.02
        result[method] = float(roundtrip.angles(maps[0][covered], maps[1][covered]).mean())
    return result


def case_apply():
    """Each kind of mesh by Apply to My Mesh."""
    start()
    obj = fake()
    result = {}
    for kind in (*KINDS, *APPLY_KINDS):
        if kind is uneven_scale:
            continue
        copy = remeshed(obj, Matrix.Identity(4))
        kind(copy)
        bpy.context.view_layer.update()
        more = {**ALL, "face": obj.name, "target": copy.name, "align": "PLACED"}
        result[kind.__name__] = outcome(lambda more=more: bpy.ops.hffne.apply_to_mesh(**more), obj, copy)
        bpy.data.objects.remove(copy)
    return result


def case_tiles():
    """Two UV tiles in one material are refused; with a slot of its own the head is taken."""
    start()
    obj = fake()
    said = {}
    for slots in (1, 2):
        copy = remeshed(obj, Matrix.Identity(4))
        copy.data.materials.append(bpy.data.materials.new("head"))
        body = remeshed(obj, Matrix.Translation((3, 0, 0)))
        body.data.transform(body.matrix_world)
        body.matrix_world = Matrix.Identity(4)
        set_uvs(body, uvs_of(body) + [1, 0])
        body.data.materials.append(copy.data.materials[0] if slots == 1 else bpy.data.materials.new("body"))
        bpy.context.view_layer.update()
        with bpy.context.temp_override(active_object=copy, object=copy, selected_editable_objects=[copy, body]):
            bpy.ops.object.join()
        more = {**ALL, "face": obj.name, "target": copy.name, "align": "PLACED"}
        said[str(slots)] = outcome(lambda more=more: bpy.ops.hffne.apply_to_mesh(**more), obj, copy)
        said[f"code {slots}"] = (session.state.last_error or {}).get("code")
        bpy.data.objects.remove(copy)
    return said


def in_a_group(material):
    """A Principled shader in a group that another material uses too; the group has an input for the normal."""
    group = bpy.data.node_groups.new("Skin", "ShaderNodeTree")
    group.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    group.interface.new_socket("Normal", in_out="INPUT", socket_type="NodeSocketVector")
    names = ("ShaderNodeBsdfPrincipled", "NodeGroupInput", "NodeGroupOutput")
    shader, given, taken = (group.nodes.new(name) for name in names)
    group.links.new(given.outputs["Normal"], shader.inputs["Normal"])
    group.links.new(shader.outputs[0], taken.inputs[0])
    tree = material.node_tree
    tree.nodes.clear()
    node, output = tree.nodes.new("ShaderNodeGroup"), tree.nodes.new("ShaderNodeOutputMaterial")
    node.node_tree = group
    tree.links.new(node.outputs[0], output.inputs[0])


def old_skin(material):
    tree = material.node_tree
    tree.nodes.clear()
    names = ("BsdfDiffuse", "SubsurfaceScattering", "MixShader", "OutputMaterial")
    first, second, mix, output = (tree.nodes.new(f"ShaderNode{name}") for name in names)
    tree.links.new(first.outputs[0], mix.inputs[1])
    tree.links.new(second.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs[0])


def unlit(material):
    tree = material.node_tree
    tree.nodes.clear()
    emission, output = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(emission.outputs[0], output.inputs[0])


def case_shaders():
    """How many shaders get the relief, for each kind of material, and what the artist's own have afterwards."""
    start()
    obj = fake(grid=40, texture_size=256)
    result = {}
    for kind in (in_a_group, old_skin, unlit):
        copy = remeshed(obj, Matrix.Identity(4))
        material = bpy.data.materials.new(kind.__name__)
        material.use_nodes = True
        kind(material)
        copy.data.materials.append(material)
        own = [group for group in bpy.data.node_groups if group.name == "Skin"]
        inputs = [len(group.interface.items_tree) for group in own]
        more = {**ALL, "face": obj.name, "target": copy.name, "align": "PLACED"}
        bpy.ops.hffne.apply_to_mesh(**more)
        result[kind.__name__] = linked(copy.material_slots[0].material.node_tree)
        result[f"{kind.__name__} kept"] = inputs == [len(group.interface.items_tree) for group in own]
        bpy.data.objects.remove(copy)
    copy = remeshed(obj, Matrix.Identity(4))
    material = bpy.data.materials.new("off")
    material.use_nodes = True
    material.use_nodes = False
    copy.data.materials.append(material)
    bpy.ops.hffne.apply_to_mesh(**{**ALL, "face": obj.name, "target": copy.name, "align": "PLACED"})
    result["use nodes"] = copy.material_slots[0].material.use_nodes
    return result


def case_hostile(folder):
    """Values of a .blend that are wrong or mean harm: what operators say, and what they write outside a folder."""
    start()
    os.environ["HFFNE_ENGINE_PYTHON"] = str(Path(folder) / "no engine")
    chance, bad, outside = random.Random(28), [], Path(folder) / "evil.png"
    inside = Path(folder) / "a" / "b"
    inside.mkdir(parents=True)
    for number in range(20):
        make = fake if number % 3 else head_scene.build
        obj = make(grid=12, texture_size=16)
        target = bpy.data.objects.new("Target", obj.data.copy())
        bpy.context.scene.collection.objects.link(target)
        for image in hostile_values.images_of(obj)[:1]:
            image["hffne_map"] = "x/../../../evil" if number % 2 else "normal"
        spoilt = [hostile_values.spoil(obj, chance) for _ in range(2)]
        bad += [[spoilt, one] for one in hostile_values.try_all(obj, target, inside, chance, 8)]
        for made in list(bpy.data.objects):
            bpy.data.objects.remove(made)
    return {"bad": bad, "out": outside.exists()}


def linked(tree):
    """The shaders of a tree and of its groups whose normal is linked."""
    count = 0
    for node in tree.nodes:
        if node.type == "GROUP":
            count += linked(node.node_tree) if any(socket.is_linked for socket in node.inputs) else 0
        elif "Normal" in node.inputs and any(output.type == "SHADER" for output in node.outputs):
            count += node.inputs["Normal"].is_linked
    return count


if __name__ == "__main__":
    case_process.main(globals())
