# SPDX-License-Identifier: GPL-3.0-or-later
"""The target's material with the face's maps in it: a copy, so that the artist's own stays as it is.

The copy is put into the object's own slot (link "Object"), so that the mesh and whoever
else uses it or its material do not change. Nodes are found again by their names.
"""

import bpy

NORMAL, NORMAL_MAP, HEIGHT, DISPLACE = "HFFNE Normal", "HFFNE Normal Map", "HFFNE Height", "HFFNE Displacement"
SUM, REST, UNIT, SMOOTH = "HFFNE Sum", "HFFNE Rest", "HFFNE Unit", "HFFNE Smooth Normal"
APPLIED = "hffne_applied"


def wear(obj, slots, uv_name, normal=None, height=None, scale=0.0):
    """Put the maps into the materials of the slots (indices) of `obj`.

    normal  Image, tangent space over `uv_name`; height: Image, 0.5 is no displacement; scale: its
            whole range in object units. The height is linked only where there is no normal map to
            show the same relief.
    """
    if not obj.material_slots:
        # A mesh without a slot has nowhere to put a material.
        obj.data.materials.append(None)
    for index in slots:
        slot = obj.material_slots[min(index, len(obj.material_slots) - 1)]
        if slot.material is None or APPLIED not in slot.material or _shared(slot.material, obj):
            own = _copy_of(slot.material, obj)
            slot.link = "OBJECT"
            slot.material = own
        tree = slot.material.node_tree
        if normal is not None:
            _set_normal(tree, uv_name, normal)
        if height is not None:
            _set_height(slot.material, uv_name, height, scale, linked=tree.nodes.get(NORMAL) is None)


def _shared(material, obj):
    """Whether another object wears it too: a copy of this one, which shall stay as it is."""
    return any(slot.material == material for other in bpy.data.objects if other != obj for slot in other.material_slots)


def _copy_of(material, obj):
    own = material.copy() if material is not None else bpy.data.materials.new(f"{obj.name} skin")
    if material is None or APPLIED not in material:
        own.name = f"{material.name if material else obj.name} HFFNE"
    if own.node_tree is None:
        own.use_nodes = True
    own[APPLIED] = True
    return own


def _set_normal(tree, uv_name, image):
    texture, bump = tree.nodes.get(NORMAL), tree.nodes.get(NORMAL_MAP)
    if texture is not None and bump is not None:
        texture.image, bump.uv_map = image, uv_name
        return
    surfaces = [node for node in tree.nodes if node.type == "BSDF_PRINCIPLED"] or [
        node for node in tree.nodes if node.type.startswith("BSDF_") and "Normal" in node.inputs
    ]
    x, y = min(((node.location.x, node.location.y) for node in surfaces), default=(0, 0))
    texture = _node(tree, "ShaderNodeTexImage", NORMAL, x - 620, y - 420)
    texture.image = image
    _read_by(tree, texture, uv_name)
    bump = _node(tree, "ShaderNodeNormalMap", NORMAL_MAP, x - 300, y - 420)
    bump.uv_map = uv_name
    tree.links.new(texture.outputs["Color"], bump.inputs["Color"])
    for surface in surfaces:
        socket = surface.inputs["Normal"]
        before = socket.links[0].from_socket if socket.links else None
        normal = bump.outputs["Normal"]
        if before is not None:
            normal = _added(tree, before, normal, x - 300, y - 640)
        tree.links.new(normal, socket)


def _added(tree, before, ours, x, y):
    """The artist's own relief and ours together: the sum of both, less the plain normal that both contain."""
    total = _node(tree, "ShaderNodeVectorMath", SUM, x, y, "ADD")
    plain = _node(tree, "ShaderNodeNewGeometry", SMOOTH, x - 200, y - 200)
    rest = _node(tree, "ShaderNodeVectorMath", REST, x + 180, y, "SUBTRACT")
    unit = _node(tree, "ShaderNodeVectorMath", UNIT, x + 360, y, "NORMALIZE")
    tree.links.new(before, total.inputs[0])
    tree.links.new(ours, total.inputs[1])
    tree.links.new(total.outputs[0], rest.inputs[0])
    tree.links.new(plain.outputs["Normal"], rest.inputs[1])
    tree.links.new(rest.outputs[0], unit.inputs[0])
    return unit.outputs[0]


def _set_height(material, uv_name, image, scale, linked):
    tree = material.node_tree
    texture, displace = tree.nodes.get(HEIGHT), tree.nodes.get(DISPLACE)
    output = next((node for node in tree.nodes if node.type == "OUTPUT_MATERIAL" and node.is_active_output), None)
    x, y = (output.location.x, output.location.y) if output else (300, 0)
    if texture is None or displace is None:
        texture = _node(tree, "ShaderNodeTexImage", HEIGHT, x - 620, y - 700)
        _read_by(tree, texture, uv_name)
        displace = _node(tree, "ShaderNodeDisplacement", DISPLACE, x - 250, y - 700)
        tree.links.new(texture.outputs["Color"], displace.inputs["Height"])
    texture.image = image
    displace.inputs["Midlevel"].default_value = 0.5
    displace.inputs["Scale"].default_value = scale
    if linked and output is not None and not output.inputs["Displacement"].links:
        tree.links.new(displace.outputs["Displacement"], output.inputs["Displacement"])
        material.displacement_method = "BOTH"


def _read_by(tree, texture, uv_name):
    """The texture follows its own UV map, whichever is the active one."""
    uv = _node(tree, "ShaderNodeUVMap", f"{texture.name} UV", texture.location.x - 220, texture.location.y)
    uv.uv_map = uv_name
    tree.links.new(uv.outputs["UV"], texture.inputs["Vector"])


def _node(tree, kind, name, x, y, operation=None):
    node = tree.nodes.new(kind)
    node.name = node.label = name
    node.location = (x, y)
    if operation:
        node.operation = operation
    return node
