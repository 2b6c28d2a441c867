# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about Apply to My Mesh: what is transferred, what is replaced, what is refused."""

import errno
import os
from pathlib import Path
from unittest.mock import patch

import bpy
import case_process
import numpy as np
from case_process import choose, start
from face_scene import build
from lip_colors import across_a_gap, on_a_lip_of_an_open_mouth
from mathutils import Euler, Matrix
from target_mesh import ALL, MOVED, angle, bumpy, counts, fake, put_landmarks, remeshed, state

from hffne_blender.character import density, face_uv
from hffne_blender.character.read_face import read_face
from hffne_blender.engine import session
from hffne_blender.numeric import face_projection, raster, similarity
from hffne_blender.operators.bases.faces import face_for
from hffne_blender.scene import export, images, textures
from hffne_blender.scene.triangle_tree import TriangleTree
from hffne_blender.settings import HFFNE_Settings


def case_copy():
    """Onto a remeshed, moved, turned, scaled and differently unwrapped copy of the face itself."""
    start()
    obj = fake()
    result = {}
    copy = remeshed(obj, MOVED)
    put_landmarks(obj, copy, 0.0015)
    result["state"] = list(bpy.ops.hffne.apply_to_mesh(face=obj.name, target=copy.name, align="LANDMARKS", **ALL))
    result["landmarks"] = angle(obj, copy)
    plain(copy)
    result["without"] = angle(obj, copy)
    bpy.data.objects.remove(copy)
    copy = remeshed(obj, Matrix.Translation((0.004, -0.003, 0.005)) @ Euler((0.03, 0.02, 0.05)).to_matrix().to_4x4())
    bpy.ops.hffne.apply_to_mesh(face=obj.name, target=copy.name, align="PLACED", **ALL)
    result["placed"] = angle(obj, copy)
    return result


def case_shape():
    """A copy that is wider than the face gets the face's width by a shape key; twice, it is the same key."""
    start()
    obj = fake()
    copy = remeshed(obj, Matrix.Translation((1, 2, 3)))
    obj.matrix_world = Matrix.Translation((1, 2, 3))
    for vertex in copy.data.vertices:
        vertex.co.x *= 1.06
    bpy.context.view_layer.update()
    own = np.array([vertex.co for vertex in copy.data.vertices])
    arguments = {"face": obj.name, "target": copy.name, "align": "PLACED", "normal": False, "shape": True, **ALL}
    result = {"state": list(bpy.ops.hffne.apply_to_mesh(**arguments))}
    keys = copy.data.shape_keys.key_blocks
    first = np.array([point.co for point in keys["Face Shape"].points])
    result["keys"] = [[key.name, key.value] for key in keys]
    result["basis"] = float(np.abs(np.array([point.co for point in keys["Basis"].points]) - own).max())
    # Beside the face's own surface, but for its size and place, which are the mesh's.
    inner = (np.abs(own[:, 0]) < 0.045) & (np.abs(own[:, 2]) < 0.05)
    face = read_face(obj).surface
    tree = TriangleTree(face.points, face.triangles)

    def beside(points):
        def nearest(at):
            hits = tree.nearest(at)
            return hits.point, hits.normal, hits.found

        moved = similarity.onto_surface(points[inner] + (1, 2, 3), nearest)
        return float(np.linalg.norm(tree.nearest(moved).point - moved, axis=1).mean())

    result["beside"] = [1000 * beside(own), 1000 * beside(first)]
    bpy.ops.hffne.apply_to_mesh(**arguments)
    again = np.array([point.co for point in copy.data.shape_keys.key_blocks["Face Shape"].points])
    result["again"] = [len(copy.data.shape_keys.key_blocks), float(np.abs(again - first).max())]
    return result


def case_face_uv():
    """A second UV map for the face alone: on the copy of the face, under a subdivision, twice."""
    start()
    obj = fake()
    copy = remeshed(obj, MOVED)
    copy.modifiers.new("smooth", "SUBSURF").subdivision_type = "SIMPLE"
    put_landmarks(obj, copy, 0.0015)
    # Its own UV map gives the face a corner of the square.
    uv = copy.data.uv_layers["skin"].uv
    for corner in uv:
        corner.vector = corner.vector * 0.2
    arguments = {"face": obj.name, "target": copy.name, "align": "LANDMARKS", "face_uv": True, **ALL}
    result = {"state": list(bpy.ops.hffne.apply_to_mesh(**arguments))}
    layers = copy.data.uv_layers
    result["layers"] = [[layer.name, layer.active, layer.active_render] for layer in layers]
    result["angle"] = angle(obj, copy)
    # Over the copy, where it is measured.
    obj.matrix_world = MOVED
    bpy.context.view_layer.update()
    shares = [density.across(obj, copy, name)[0] for name in ("skin", "HFFNE Face")]
    result["share"] = [*shares, density.FACE_UV]
    nodes = [node for slot in copy.material_slots for node in slot.material.node_tree.nodes]
    result["maps"] = sorted({node.uv_map for node in nodes if node.type in ("UVMAP", "NORMAL_MAP")})
    obj.matrix_world = Matrix.Identity(4)
    bpy.context.view_layer.update()
    bpy.ops.hffne.apply_to_mesh(**arguments)
    result["again"] = [layer.name for layer in layers]
    result["overlap"] = overlap_of_layers(obj, copy)
    # One triangle ahead of the middle, and one with a corner far behind it.
    corners = np.array([(0, -1, 0), (1, -1, 0), (0, -1, 1), (1, -1, 0), (0, -1, 1), (1, 1, 0)], float)
    both, ahead = np.ones(2, bool), np.array((0, -1.0, 0))
    uvs = face_projection.uvs_of(corners, np.repeat([0, 1], 3), np.zeros(3), ahead, both, ~both)
    result["widths"] = np.ptp(uvs.reshape(2, 3, 2), axis=1).tolist()
    result["gap"] = across_a_gap()
    result["open mouth"] = on_a_lip_of_an_open_mouth()
    return result


def overlap_of_layers(obj, copy):
    """Texels of a mesh on the face's UVs, of a second layer 3 mm below it, and those that both share."""
    points = np.array([vertex.co for vertex in copy.data.vertices])
    triangles = np.array([triangle.vertices for triangle in copy.data.loop_triangles])
    corners = np.concatenate([points[triangles], points[triangles] + (0, 0.003, 0)])
    source = read_face(obj)
    uvs = face_uv.make(source, source.surface.points, corners.reshape(-1, 3), np.full(len(corners), 3), False)
    # What is under the face; the rest lies at the corner of the square.
    layers = [layer[np.ptp(layer, axis=1).min(1) > 0] for layer in uvs.reshape(2, len(triangles), 3, 2)]
    skin, below = (raster.owners(layer, 256) >= 0 for layer in layers)
    return [int(skin.sum()), int(below.sum()), int((skin & below).sum())]


def plain(copy):
    """Take the detail off the copy again, to know what it is worth."""
    for slot in copy.material_slots:
        for node in slot.material.node_tree.nodes:
            if node.type == "NORMAL_MAP":
                node.inputs["Strength"].default_value = 0


def case_care():
    """Only what was requested appears, a second run replaces it, the file keeps it, the border is soft."""
    start()
    obj = fake(grid=40, texture_size=256)
    copy = remeshed(obj, Matrix.Translation((0.3, 0, 0)))
    own = bumpy(copy)
    own_nodes = len(own.node_tree.nodes)
    put_landmarks(obj, copy, 0)
    before, had = state(copy), counts()
    arguments = {"face": obj.name, "target": copy.name, "texture_size": "512", "border": 0.02}
    bpy.ops.hffne.apply_to_mesh(**arguments)
    result = {"untouched": state(copy) == before, "own": [len(own.node_tree.nodes) == own_nodes, own.name]}
    first = counts()
    result["made"] = {kind: first[kind] - had[kind] for kind in first}
    slot = copy.material_slots[0]
    result["slot"] = [slot.link, slot.material.name, copy.data.materials[0].name]
    surface = next(node for node in slot.material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    result["joined"] = surface.inputs["Normal"].links[0].from_node.type

    # The artist goes on working on the material; a second run must keep that.
    surface.inputs["Roughness"].default_value = 0.123
    bpy.ops.hffne.apply_to_mesh(**arguments, strength=0.5, displacement=True)
    second = counts()
    result["again"] = {kind: second[kind] - first[kind] for kind in second}
    result["kept"] = round(surface.inputs["Roughness"].default_value, 3)
    image = bpy.data.images["Hero_fake_normal"]
    pixels = images.values(image)[..., :3] * 2 - 1
    result["flat outside"] = float(np.mean(np.abs(pixels[:40, :40] - (0, 0, 1)) < 1e-3))
    result["image"] = [image.colorspace_settings.name, image.is_float, bool(image.packed_file), image.users]
    height = bpy.data.images["Hero_fake_displacement"]
    values = images.values(height)[..., 0] - 0.5
    result["height"] = [float(np.abs(values).max()), float(height["hffne_scale"]), float(np.median(values))]

    path = str(Path(bpy.app.tempdir) / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    copy = bpy.data.objects["Hero"]
    nodes = copy.material_slots[0].material.node_tree.nodes
    saved = images.values(nodes["HFFNE Normal"].image)[..., :3] * 2 - 1
    result["saved"] = float(np.abs(saved - pixels).max())
    return result


def case_pictures():
    """Color, delit color and roughness arrive over the artist's own material, which is seen where there is no face."""
    start()
    obj = build(names=("albedo", "roughness"), texture_size=256, grid=48)
    bpy.context.view_layer.update()
    copy = remeshed(obj, Matrix.Identity(4))
    own = bpy.data.materials.new("Own skin")
    own.use_nodes = True
    own.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.1, 0.2, 0.3, 1)
    copy.data.materials.append(own)
    across = density.across(obj, copy)
    arguments = {"face": obj.name, "target": copy.name, "align": "PLACED", **ALL, "border": 0.01, "normal": False}
    others = Matrix.Translation((9, 0, 0)), Matrix.Translation((9, 0, 0)) @ Matrix.Scale(40, 4)
    result = {"across": across, "elsewhere": [density.across(obj, remeshed(obj, matrix)) for matrix in others]}
    had = counts()
    bpy.ops.hffne.apply_to_mesh(**arguments, color=True, albedo=True, roughness=True)
    first = counts()
    bpy.ops.hffne.apply_to_mesh(**arguments, color=True, albedo=True, roughness=True)
    result["made"] = {kind: [first[kind] - had[kind], counts()[kind] - first[kind]] for kind in first}
    found, sent = export.maps_of(copy), textures.of_material(obj.data.materials[0])
    for kind in ("color", "albedo", "roughness"):
        values = images.values(found[kind])
        deep = values[..., 3] > 0.99
        # What the two have in common whatever the UVs are: the mean over the face.
        mean = images.values(sent[kind])[64:192, 64:192, :3].mean((0, 1))
        result[kind] = [
            found[kind].colorspace_settings.name, float(deep.mean()), float(values[..., 3].min()),
            np.abs(values[deep][:, :3].mean(0) - mean).max(),
        ]  # fmt: skip
    tree = copy.material_slots[0].material.node_tree
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    mix = shader.inputs["Base Color"].links[0].from_node
    before = next(entry for entry in mix.inputs if entry.name == "A" and entry.enabled)
    pictures = [link.from_node.image.name for entry in mix.inputs for link in entry.links]
    result["mixed"] = [mix.type, list(before.default_value)[:3], sorted(set(pictures)), len(own.node_tree.nodes)]
    result["active"] = tree.nodes.active.image.name
    result["rough"] = shader.inputs["Roughness"].links[0].from_node.type
    try:
        bare = fake(grid=24, texture_size=64)
        bpy.ops.hffne.apply_to_mesh(face=bare.name, target=copy.name, align="PLACED", roughness=True)
    except RuntimeError as error:
        result["missing"] = str(error)
    return result


def case_latest(folder):
    """The latest face is the one made last, also when the file was opened again, whatever the names are."""
    start()
    first = fake(grid=24, texture_size=64)
    second = fake(grid=24, texture_size=64)
    first.name, second.name = "Zoe", "Ada"
    bpy.ops.mesh.primitive_cube_add()
    said = [face_for(bpy.context, bpy.context.object).name]
    path = str(Path(folder) / "faces.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    said.append(face_for(bpy.context, bpy.context.object).name)
    third = fake(grid=24, texture_size=64)
    third.name = "Bea"
    return [*said, face_for(bpy.context, bpy.data.objects["Cube"]).name]


def case_mistakes():
    """Each impossible request is refused with a message, and leaves nothing."""
    start()
    obj = fake(grid=24, texture_size=64)
    remeshed(obj, MOVED)
    bare = bpy.data.objects.new("Bare", bpy.data.meshes.new("Bare"))
    bare.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    dense = remeshed(obj, MOVED)
    dense.name = "Dense"
    dense.modifiers.new("Mine", "MULTIRES")
    bpy.context.scene.collection.objects.link(bare)
    far = remeshed(obj, Matrix.Translation((9, 9, 9)))
    far.name = "Far"
    bpy.context.view_layer.update()
    had = counts()
    said = {}
    written = {"full disk": "pathlib.Path.write_bytes", "fuller disk": "tempfile.mkdtemp"}
    for name, arguments in {
        "no face": {"face": "Hero", "target": "Hero"},
        "itself": {"face": obj.name, "target": obj.name},
        "missing": {"face": obj.name, "target": "nobody"},
        "no uv": {"face": obj.name, "target": "Bare"},
        "other uv": {"face": obj.name, "target": "Hero", "uv_map": "lost"},
        "few landmarks": {"face": obj.name, "target": "Hero", "align": "LANDMARKS"},
        "far": {"face": obj.name, "target": "Far", "align": "PLACED"},
        "multires": {"face": obj.name, "target": "Dense", "align": "PLACED", "relief": True},
        "nothing": {"face": obj.name, "target": "Hero", "normal": False},
        # For the pictures on which the engine would find the face: a folder, and a file in it.
        "full disk": {"face": obj.name, "target": "Hero"},
        "fuller disk": {"face": obj.name, "target": "Hero"},
    }.items():
        try:
            with patch(written.get(name, "os.abort"), side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))):
                bpy.ops.hffne.apply_to_mesh(**arguments)
            said[name] = ["", ""]
        except RuntimeError as error:
            said[name] = [session.state.last_error["code"], str(error)]
    left = [name for name in os.listdir(bpy.app.tempdir) if name.startswith(".hffne-")]
    return {"said": said, "left": counts() == had and not left}


def case_twin():
    """Applying to a copy of a mesh with the detail leaves the first as it was; a deleted copy is removed."""
    start()
    obj = fake(grid=40, texture_size=256)
    hero = remeshed(obj, Matrix.Translation((0.3, 0, 0)))
    bumpy(hero)
    put_landmarks(obj, hero, 0)
    arguments = {"face": obj.name, "align": "PLACED", "texture_size": "512", "displacement": True}
    hero.location = (0, 0, 0)
    bpy.context.view_layer.update()
    bpy.ops.hffne.apply_to_mesh(target=hero.name, **arguments)

    def assigned(target):
        skin = target.material_slots[0].material
        pictures = [skin.node_tree.nodes[name].image for name in ("HFFNE Normal", "HFFNE Height")]
        return [
            skin.name,
            [image.name for image in pictures],
            [hash(images.values(image).tobytes()) for image in pictures],
        ]

    before = assigned(hero)
    choose(hero)
    bpy.ops.object.duplicate()
    twin = bpy.context.object
    result = {"shared": assigned(twin) == before}
    for strength in (0.3, 0.5):
        bpy.ops.hffne.apply_to_mesh(target=twin.name, strength=strength, **arguments)
        result[f"kept {strength}"] = assigned(hero) == before
        result[f"own {strength}"] = [one != other for one, other in zip(assigned(twin), before, strict=True)]
    result["images"] = len([image for image in bpy.data.images if image.name.startswith("Hero")])
    result["materials"] = len([skin for skin in bpy.data.materials if skin.name.startswith("Own skin HFFNE")])
    # Both go on as they are with the next run on the first.
    twin_has = assigned(twin)
    bpy.ops.hffne.apply_to_mesh(target=hero.name, strength=2, **arguments)
    result["twin"] = assigned(twin) == twin_has
    choose(twin)
    name = twin.name
    bpy.ops.object.delete()
    result["gone"] = name not in bpy.data.objects
    return result


def case_export(folder):
    """The maps of the artist's own mesh as files: the normal map, and the displacement in meters."""
    start()
    obj = fake(grid=40, texture_size=256)
    copy = remeshed(obj, Matrix.Scale(5, 4))
    bumpy(copy)
    put_landmarks(obj, copy, 0)
    choose(copy)
    result = {"before": bpy.ops.hffne.export_maps.poll()}
    bpy.ops.hffne.apply_to_mesh(face=obj.name, target=copy.name, texture_size="512", displacement=True)
    result["panel"] = drawn()
    offered = HFFNE_Settings.__annotations__["image"].keywords["poll"]
    result["photos"] = [image.name for image in bpy.data.images if offered(None, image)]
    image = copy["hffne_made_displacement"]
    # In the scene the mesh is five times as large as in its own space.
    wanted = (images.values(image)[..., 0] - 0.5) * image["hffne_scale"] * 5
    normal = images.values(copy["hffne_made_normal"])[..., :3]
    for file_format in ("OPEN_EXR", "PNG"):
        where = Path(folder) / file_format
        where.mkdir()
        result["state"] = list(
            bpy.ops.hffne.export_maps(directory=str(where), file_format=file_format, convention="DIRECTX")
        )
        read = {}
        for path in where.iterdir():
            if path.suffix == ".json":
                continue
            loaded = bpy.data.images.load(str(path))
            loaded.colorspace_settings.name = "Non-Color"
            read[path.stem] = images.values(loaded)[..., :3]
        result["files"] = sorted(read)
        found = read["Hero_displacement"][..., 0]
        if file_format == "PNG":
            found = (found - 0.5) * image["hffne_scale"] * 5
        green = read["Hero_normal"] * [1, -1, 1] + [0, 1, 0]
        result[file_format] = [float(np.abs(found - wanted).max()), float(np.abs(green - normal).max())]
    result["range"] = float(np.abs(wanted).max())
    # A mesh with a material of its own gets no other one by baking, but its map can be exported.
    choose(obj)
    bpy.ops.hffne.bake(target=copy.name, resolution=64, extrusion=1)
    choose(copy)
    bpy.ops.hffne.export_maps(directory=str(Path(folder) / "PNG"))
    result["baked"] = sorted(path.name for path in (Path(folder) / "PNG").iterdir())
    bpy.context.view_layer.objects.active = None
    result["none"] = bpy.ops.hffne.export_maps.poll()
    return result


def drawn():
    """What the panel My Own Character offers."""
    from types import SimpleNamespace

    from recorded_layout import Layout

    from hffne_blender.ui import character_panel

    lines = []
    character_panel.HFFNE_PT_character.draw(SimpleNamespace(layout=Layout(lines)), bpy.context)
    return lines


if __name__ == "__main__":
    case_process.main(globals())
