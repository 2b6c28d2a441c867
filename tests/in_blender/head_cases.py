# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about a head: its shape keys, its parts, its skin, and the files in which it goes to other programs."""

from pathlib import Path

import bpy
import case_process
import numpy as np
from case_process import choose, counts, empty
from head_scene import angle, build, evaluated, received

from hffne_blender.scene import camera, face_attributes, head, shape_keys
from hffne_blender.scene.access import read_array


def case_object():
    empty()
    obj, sent = build(), received()
    keys = obj.data.shape_keys.key_blocks
    result = {
        "keys": {key.name: [key.value, key.slider_min, key.slider_max] for key in keys},
        "relative": obj.data.shape_keys.use_relative,
        "posed": float(np.abs(evaluated(obj) - sent.vertices).max()),
        "shown": float(np.abs(shape_keys.shown_points(obj.data) - sent.vertices).max()),
    }
    keys[shape_keys.PHOTO].value = 0
    result["neutral"] = float(np.abs(evaluated(obj) - sent.head.neutral).max())
    worst = []
    for name, vertices, deltas in sent.head.keys:
        keys[name].value = 1
        expected = sent.head.neutral.copy()
        expected[vertices] += deltas
        worst.append(float(np.abs(evaluated(obj) - expected).max()))
        keys[name].value = 0
    slots = read_array(obj.data.polygons, "material_index", 1, np.int32)
    layer = read_array(obj.data.uv_layers[0].uv, "vector", 2)
    corners = sent.quads >= 0
    groups = {group.name: group.index for group in obj.vertex_groups}
    members = {
        part: {v.index for v in obj.data.vertices if any(entry.group == groups[part] for entry in v.groups)}
        for part in sent.head.parts
    }
    known = face_attributes.confidence(obj)
    skin = np.unique(sent.texture_corners()[0])
    return {
        **result,
        "worst key": max(worst),
        "slots": bool((slots == sent.head.quad_parts).all()),
        "materials": [material.name for material in obj.data.materials],
        "corners": sorted({len(polygon.vertices) for polygon in obj.data.polygons}),
        "uvs": float(np.abs(layer - sent.uvs[corners]).max()),
        "parts": head.parts_of(obj),
        "groups": sorted(groups),
        "members": all(
            members[part] == set(np.unique(sent.quads[sent.head.quad_parts == number]).tolist()) - {-1}
            for number, part in enumerate(sent.head.parts)
        ),
        "confidence": [float(known[skin].min()), float(np.delete(known, skin).max())],
        "smooth": all(polygon.use_smooth for polygon in obj.data.polygons),
    }


def case_round_trip():
    """The skin is shaded with the normals that were sent, whatever lies over it in the UV map."""
    empty()
    obj = build(texture_size=512, grid=96)
    result = {"photo": angle(obj)}
    obj.data.shape_keys.key_blocks[shape_keys.PHOTO].value = 0
    result["neutral"] = angle(obj)
    return result


def case_failure():
    """When Blender fails half way nothing of the head stays."""
    empty()
    before = counts()
    kept = shape_keys.add
    shape_keys.add = lambda *_: 1 / 0
    try:
        build()
        said = ""
    except ZeroDivisionError as error:
        said = str(error)
    finally:
        shape_keys.add = kept
    return {"said": said, "left": counts() == before, "keys": len(bpy.data.shape_keys)}


def case_real(blend):
    """The facts of a head that the engine built."""
    bpy.ops.wm.open_mainfile(filepath=blend)
    obj = next(other for other in bpy.data.objects if camera.load(other))
    moves = {name: move for name, (_, move) in deltas(obj).items()}
    slots = read_array(obj.data.polygons, "material_index", 1, np.int32)
    keys = obj.data.shape_keys.key_blocks
    return {
        "keys": [key.name for key in keys],
        "values": [key.value for key in keys],
        "slots": head.parts_of(obj),
        "used": [bool((slots == number).any()) for number in range(len(obj.data.materials))],
        "empty keys": [name for name, move in moves.items() if np.abs(move).max() < 1e-4],
        "size": list(obj.dimensions),
        "jawOpen": float(moves["jawOpen"][:, 2].min()),
        "eyeBlinkLeft": float(np.linalg.norm(moves["eyeBlinkLeft"], axis=1).max()),
    }


def case_real_files(blend, folder):
    bpy.ops.wm.open_mainfile(filepath=blend)
    return files(next(other for other in bpy.data.objects if camera.load(other)), folder)


def case_files(folder):
    empty()
    return files(build(), folder)


def files(obj, folder):
    """A head in FBX and glTF and back: the names of its keys, and how far each moves the points."""
    own = deltas(obj)
    result = {}
    for kind in ("gltf", "fbx"):
        path = str(Path(folder) / f"head.{'glb' if kind == 'gltf' else 'fbx'}")
        choose(obj)
        if kind == "gltf":
            bpy.ops.export_scene.gltf(filepath=path, use_selection=True, export_apply=False, export_morph=True)
        else:
            bpy.ops.export_scene.fbx(filepath=path, use_selection=True, use_mesh_modifiers=False)
        before = set(bpy.data.objects)
        getattr(bpy.ops.import_scene, kind)(filepath=path)
        back = next(other for other in bpy.data.objects if other not in before and other.type == "MESH")
        found = deltas(back)
        result[kind] = {
            "names": [key.name for key in back.data.shape_keys.key_blocks][1:],
            "values": {key.name: key.value for key in back.data.shape_keys.key_blocks[1:]},
            "off": off(own, found),
            "materials": len(back.data.materials),
        }
    result["own"] = list(own)
    return result


def deltas(obj):
    """{key: (points of the basis, how far each moves (V, 3))} in world space."""
    keys = obj.data.shape_keys.key_blocks
    matrix = np.array(obj.matrix_world)
    # A vertex without a face is in no file.
    used = np.unique(read_array(obj.data.loops, "vertex_index", 1, np.int32))
    shapes = {key.name: read_array(key.data, "co", 3)[used] for key in keys}
    basis = shapes.pop(keys[0].name)
    places = basis @ matrix[:3, :3].T + matrix[:3, 3]
    return {name: (places, (points - basis) @ matrix[:3, :3].T) for name, points in shapes.items()}


def pairs(points, others):
    """(K, 3) indices of `others` at each of the points (K, 3): a file may split vertices and order them anew.

    Vertices of other parts may lie in one place, so each point has several; -1 where there is none.
    """
    from mathutils.kdtree import KDTree

    tree = KDTree(len(others))
    for index, point in enumerate(others.tolist()):
        tree.insert(point, index)
    tree.balance()
    found = np.full((len(points), 3), -1)
    for row, point in enumerate(points.tolist()):
        near = [index for _, index, distance in tree.find_n(point, 3) if distance < 1e-5]
        found[row, : len(near)] = near
    return found


def off(own, found):
    """The largest difference between the moves (K, 3) of all keys of two objects, given as of `deltas`."""
    first = next(iter(own))
    near = pairs(own[first][0], found[first][0])
    # The best of the vertices in one place counts, of all keys together.
    differences = np.zeros(near.shape)
    for name in own:
        difference = np.abs(found[name][1][near] - own[name][1][:, None]).max(2)
        differences = np.maximum(differences, np.where(near < 0, 1.0, difference))
    return float(differences.min(1).max())


if __name__ == "__main__":
    case_process.main(globals())
