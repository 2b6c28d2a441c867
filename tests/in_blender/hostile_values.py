# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a .blend that are wrong or mean harm, and the operators that meet them; chosen at random."""

import os

import bpy

VALUES = (
    "x", "{", "[1]", "null", "", 5, -1, 2**31 - 1, [1, 2], [1.5, 2.5], True, float("nan"), 1e300, b"\xff\xfe", {"a": 1},
    "../../../evil", "//evil", "\x1b[2J", "a\nb\nc", "9" * 5000, "[" * 3000, "[NaN]", "[1e400]", "[[0.1, 0.2]]",
    '[["a", "b"]]', '{"rotation": 1}', '{"a": {"b": [1]}}', '{"texture_size": "x"}',
    '{"texture_size": 1e99, "maps": [1]}',
    "[" + "[0.5, 0.5]," * 67 + "[1e400, 0.5]]",
    '[{"vertices": [0, 1, 2], "weights": [1, 0, 0], "at": [NaN, 1]}]',
    '[{"vertices": [999999, 1, -2], "weights": ["a", 0, 0]}]',
)  # fmt: skip
PLACES = {
    "object": (
        "hffne_camera", "hffne_landmarks", "hffne_parts", "hffne_photo_path", "hffne_photo_face", "hffne_request",
        "hffne_shape", "hffne_pins", "hffne_pins_projected", "hffne_number", "hffne_normal", "hffne_photo_normal",
        "hffne_photo_color", "hffne_made_bake_tangent", "hffne_made_displacement", "hffne_studio", "hffne_face",
        "hffne",
    ),
    "mesh": ("hffne_confidence", "hffne_found", "hffne"),
    "material": ("hffne_sliders", "hffne_relight", "hffne_applied", "hffne_detail"),
    "image": ("hffne_map", "hffne_range", "hffne_scale"),
    "scene": ("hffne_own_settings", "hffne", "hffne_batch"),
}  # fmt: skip
ATTRIBUTES = ("hffne_confidence", "hffne_found")


def images_of(obj):
    trees = [material.node_tree for material in obj.data.materials if material and material.node_tree]
    return [node.image for tree in trees for node in tree.nodes if node.type == "TEX_IMAGE" and node.image]


def spoil(obj, chance):
    """Change something of a face or of its scene; returns what, in words, or None where Blender itself refuses."""
    place = chance.choice(("object", *PLACES, "attribute", *CHANGES))
    try:
        if place in PLACES:
            owners = {"object": obj, "mesh": obj.data, "scene": bpy.context.scene}
            owners |= {"material": obj.data.materials[0], "image": chance.choice(images_of(obj))}
            name, value = chance.choice(PLACES[place]), chance.choice(VALUES)
            owners[place][name] = value
            return f"{place} {name} {value!r:.60}"
        if place == "attribute":
            name = chance.choice(ATTRIBUTES)
            if name in obj.data.attributes:
                obj.data.attributes.remove(obj.data.attributes[name])
            kind = chance.choice(("STRING", "INT", "FLOAT_COLOR", "BOOLEAN", "FLOAT", "FLOAT_VECTOR"))
            domain = chance.choice(("FACE", "CORNER", "EDGE", "POINT"))
            obj.data.attributes.new(name, kind, domain)
            return f"attribute {name} {kind} {domain}"
        CHANGES[place](obj)
        obj.data.update_tag()
        bpy.context.view_layer.update()
        return place
    except (TypeError, ValueError, RuntimeError, AttributeError, OverflowError, IndexError):
        return None


def _no_uv(obj):
    while obj.data.uv_layers:
        obj.data.uv_layers.remove(obj.data.uv_layers[0])


def _one_vertex(obj):
    obj.data.clear_geometry()
    obj.data.vertices.add(1)


def _move(value):
    def change(obj):
        obj.data.vertices[3].co[0] = value

    return change


def _no_pictures(obj):
    for node in obj.data.materials[0].node_tree.nodes:
        if node.type == "TEX_IMAGE":
            node.image = None


def _missing_picture(obj):
    image = images_of(obj)[0]
    image.unpack(method="REMOVE")
    image.filepath = "//nowhere.png"
    image.reload()


def _nodes_off(obj):
    obj.data.materials[0].use_nodes = False


def _no_scale(obj):
    obj.scale = (0, 1, 1)


def _empty_slot(obj):
    obj.material_slots[0].material = None


CHANGES = {
    "no UV map": _no_uv,
    "no material": lambda obj: obj.data.materials.clear(),
    "no faces": lambda obj: obj.data.clear_geometry(),
    "one vertex": _one_vertex,
    "a vertex that is not finite": _move(float("nan")),
    "a vertex far away": _move(1e30),
    "no shape keys": lambda obj: obj.shape_key_clear(),
    "another shape key": lambda obj: obj.shape_key_add(),
    "more vertices": lambda obj: obj.data.vertices.add(5),
    "scaled to nothing": _no_scale,
    "an empty slot": _empty_slot,
    "no nodes": lambda obj: obj.data.materials[0].node_tree.nodes.clear(),
    "no links": lambda obj: obj.data.materials[0].node_tree.links.clear(),
    "no pictures": _no_pictures,
    "a missing picture": _missing_picture,
    "a picture of two pixels": lambda obj: images_of(obj)[0].scale(1, 2),
    "nodes off": _nodes_off,
}


def works(obj, target, folder, chance):
    """[(operator, its arguments)] of what can be done with a face."""
    do = bpy.ops.hffne
    align = chance.choice(("PLACED", "AUTO", "LANDMARKS"))
    more = {"align": align, "displacement": True, "texture_size": "512"}
    return [
        (do.bake, {"target": target.name, "resolution": 16}),
        (do.bake, {"resolution": 16}),
        (do.bake, {"target": obj.name, "resolution": 16, "method": "BLENDER"}),
        (do.apply_to_mesh, {"face": obj.name, "target": target.name, **more}),
        (do.export_maps, {"directory": folder}),
        (do.export_character, {"directory": folder, "preset": chance.choice(("ANY", "UNITY", "UNREAL"))}),
        *((operator, {}) for operator in (do.add_lights, do.add_turntable, do.restore_scene, do.view_photo)),
        *((operator, {}) for operator in (do.relight_photo, do.show_detail, do.set_detail, do.mark_as_asset)),
        *((operator, {}) for operator in (do.make_head, do.project_maps, do.place_landmarks, do.merge_photos)),
        *((operator, {}) for operator in (do.find_faces, do.batch_run, do.write_report, do.edit_pins)),
        (do.move_pin, {"start": (100, 100), "to": (103, 104)}),
        (do.remove_pin, {"pin": 0}),
        (do.remove_pin, {"all": True}),
    ]


def try_all(obj, target, folder, chance, count):
    """Run `count` operators; returns [(name, error)] of those that failed by more than a sentence of their own."""
    bad = []
    for operator, arguments in chance.sample(works(obj, target, os.fspath(folder), chance), count):
        try:
            for other in bpy.context.selected_objects:
                other.select_set(False)
            obj.select_set(True)
            bpy.context.view_layer.objects.active = obj
            if operator.poll():
                operator("EXEC_DEFAULT", **arguments)
        except ReferenceError:
            break  # the operator has replaced the face
        except RuntimeError as error:
            if "Traceback" in str(error) or "Error (" in str(error):
                bad.append((operator.idname_py(), str(error).strip()[-400:]))
        except Exception as error:  # of a poll
            bad.append((operator.idname_py(), f"{type(error).__name__}: {error}"))
    return bad
