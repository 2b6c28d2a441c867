# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a face is, and the collections into which what stands around it goes."""

import bpy
from mathutils import Vector

MARK = "hffne_studio"


def middle(obj):
    """(centre, radius) of an object's bounding box in its own space; a Vector and metres."""
    corners = [Vector(corner) for corner in obj.bound_box]
    low = Vector([min(corner[axis] for corner in corners) for axis in range(3)])
    high = Vector([max(corner[axis] for corner in corners) for axis in range(3)])
    return (low + high) / 2, max(high - low) / 2


def fresh_collection(scene, kind, name):
    """An empty collection of a kind in the scene; what an earlier one of that kind held is removed."""
    for old in list(scene.collection.children):
        if old.get(MARK) == kind:
            remove(old)
    made = bpy.data.collections.new(name)
    made[MARK] = kind
    scene.collection.children.link(made)
    return made


def remove(collection):
    """Remove a collection of ours with its objects and what only they used."""
    data = [obj.data for obj in collection.objects if obj.data is not None]
    blocks = list(collection.objects)
    bpy.data.batch_remove([*blocks, collection])
    bpy.data.batch_remove([block for block in data if block.users == 0])


def empty(collection, name, parent, location=(0, 0, 0), size=0.02, kind="PLAIN_AXES"):
    """A new Empty, a child of `parent` at a place in its space."""
    made = bpy.data.objects.new(name, None)
    made.empty_display_type, made.empty_display_size = kind, size
    made.parent, made.location = parent, location
    collection.objects.link(made)
    return made


def drive(obj, path, index, expression):
    """Let a property follow the frame, by an expression that Blender runs without asking for leave."""
    driver = obj.driver_add(path, index).driver
    driver.type, driver.expression = "SCRIPTED", expression
