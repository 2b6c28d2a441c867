# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of photos: kept in the scene, so that a saved file knows what is done and what is left."""

import os

import bpy

from .system.photo_formats import is_photo_name

STATES = (
    ("WAITING", "Waiting", "Not begun", "TIME", 0),
    ("RUNNING", "Running", "The engine works on it", "PLAY", 1),
    ("DONE", "Done", "The face is in the scene", "CHECKMARK", 2),
    ("FAILED", "Failed", "See the message; it can be tried again", "ERROR", 3),
)
ICONS = {name: icon for name, _, _, icon, _ in STATES}
# Faces stand in rows, this many meters apart.
SPACING, ROW = 0.25, 8


def _renamed(item, context):
    item.name = os.path.basename(item.photo)


class HFFNE_BatchItem(bpy.types.PropertyGroup):
    # The list's search looks at `name`: the photo's file.
    name: bpy.props.StringProperty(name="Name", description="The photo's file name")
    photo: bpy.props.StringProperty(name="Photo", description="The photo's path", subtype="FILE_PATH", update=_renamed)
    state: bpy.props.EnumProperty(name="State", description="What has become of this photo", items=STATES)
    message: bpy.props.StringProperty(name="Message", description="What the engine said of it")
    obj: bpy.props.PointerProperty(name="Face", description="The face made of it", type=bpy.types.Object)


class HFFNE_Batch(bpy.types.PropertyGroup):
    items: bpy.props.CollectionProperty(type=HFFNE_BatchItem)
    active: bpy.props.IntProperty(name="Active Photo", description="The chosen photo of the queue")


def photos_in(folder):
    """The photos of a folder, by name; its subfolders are left alone. Raises OSError."""
    names = sorted(os.listdir(folder), key=str.casefold)
    return [
        os.path.join(folder, name)
        for name in names
        if is_photo_name(name) and os.path.isfile(os.path.join(folder, name))
    ]


def add(queue, paths):
    """Append photos that are not there yet; the number of new ones."""
    there = {os.path.normcase(os.path.abspath(bpy.path.abspath(item.photo))) for item in queue.items}
    count = 0
    for path in paths:
        key = os.path.normcase(os.path.abspath(bpy.path.abspath(path)))
        if key not in there:
            there.add(key)
            queue.items.add().photo = path
            count += 1
    return count


def counts(queue):
    """{state: number of photos}."""
    found = {name: 0 for name in ICONS}
    for item in queue.items:
        found[item.state] += 1
    return found


def summary(queue):
    """All of it in a sentence, with what went wrong."""
    found = counts(queue)
    parts = [f"{found['DONE']} done"]
    if found["FAILED"]:
        parts.append(f"{found['FAILED']} failed")
    left = found["WAITING"] + found["RUNNING"]
    if left:
        parts.append(f"{left} left")
    text = f"{len(queue.items)} photos: {', '.join(parts)}."
    for item in [item for item in queue.items if item.state == "FAILED"][:3]:
        text += f" {os.path.basename(item.photo)}: {item.message}"
    return text


def place_of(index, start):
    """Where the face of the photo `index` stands, from `start` (a Vector) on: in rows, behind one another."""
    row, column = divmod(index, ROW)
    place = start.copy()
    place.x += column * SPACING
    place.y += row * SPACING
    return place


def register():
    bpy.utils.register_class(HFFNE_BatchItem)
    bpy.utils.register_class(HFFNE_Batch)
    bpy.types.Scene.hffne_batch = bpy.props.PointerProperty(type=HFFNE_Batch)


def unregister():
    del bpy.types.Scene.hffne_batch
    bpy.utils.unregister_class(HFFNE_Batch)
    bpy.utils.unregister_class(HFFNE_BatchItem)
