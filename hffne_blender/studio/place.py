# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a face is, and the collections into which what stands around it goes."""

import re

import bpy
from mathutils import Vector

# On a collection, an object and its data: what it was put there as. Only what carries it is ever removed.
MARK = "hffne_studio"


def middle(obj):
    """(center, radius) of an object's bounding box in its own space; a Vector and meters."""
    corners = [Vector(corner) for corner in obj.bound_box]
    low = Vector([min(corner[axis] for corner in corners) for axis in range(3)])
    high = Vector([max(corner[axis] for corner in corners) for axis in range(3)])
    return (low + high) / 2, max(high - low) / 2


def collection_for(scene, kind, name):
    """The scene's collection for what is put around faces as a kind; a new one where there is none."""
    for known in scene.collection.children_recursive:
        if known.get(MARK) == kind and known.library is None:
            return known
    made = marked(bpy.data.collections.new(name), kind)
    scene.collection.children.link(made)
    return made


def marked(block, kind):
    """The block, known from now on as one that may be removed when the next of its kind comes."""
    block[MARK] = kind
    return block


def of_face(scene, obj, kind):
    """What was put around the face `obj` as a kind."""
    return [child for child in _ours(obj, kind) if scene.objects.get(child.name) == child]


def _ours(parent, kind):
    """The children of an object that carry the mark; a copy beside its original ("Key.001") is the artist's."""
    first = {}
    for child in sorted(parent.children, key=lambda child: child.name):
        if child.get(MARK) == kind:
            first.setdefault(re.sub(r"\.\d+$", "", child.name), child)
    return list(first.values())


def remove(roots, kind):
    """Remove objects of ours with what hangs on them; what an artist has hung on them or put beside them stays."""
    doomed, waiting = set(), list(roots)
    while waiting:
        obj = waiting.pop()
        doomed.add(obj)
        ours = _ours(obj, kind)
        waiting += ours
        for guest in set(obj.children).difference(ours):
            where = guest.matrix_world.copy()
            guest.parent = None
            guest.matrix_world = where
    data = {obj.data for obj in doomed if obj.data is not None and obj.data.get(MARK) == kind}
    materials = {slot.material for obj in doomed for slot in obj.material_slots if slot.material is not None}
    bpy.data.batch_remove(list(doomed))
    for blocks in (data, {material for material in materials if material.get(MARK) == kind}):
        bpy.data.batch_remove([block for block in blocks if block.users == 0])


def empty(collection, name, parent, location=(0, 0, 0), size=0.02, shape="PLAIN_AXES"):
    """A new Empty of the collection's kind, a child of `parent` at a place in its space."""
    made = marked(bpy.data.objects.new(name, None), collection[MARK])
    made.empty_display_type, made.empty_display_size = shape, size
    made.parent, made.location = parent, location
    collection.objects.link(made)
    return made


def drive(obj, path, index, expression):
    """Let a property follow the frame, by an expression that Blender runs without asking for leave."""
    driver = obj.driver_add(path, index).driver
    driver.type, driver.expression = "SCRIPTED", expression
