# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of photos; kept in the scene, so that a saved file knows what is done and what is left."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import bpy
from mathutils import Vector

from .system.photo_formats import is_photo_name
from .system.required import required

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems

# Where the queue is kept on a scene.
PROPERTY = "hffne_batch"
STATES: tuple[tuple[str, str, str, "IconItems", int], ...] = (
    ("WAITING", "Waiting", "Not started", "TIME", 0),
    ("RUNNING", "Running", "In progress", "PLAY", 1),
    ("DONE", "Done", "The face is in the scene, or its files are in the folder", "CHECKMARK", 2),
    ("FAILED", "Failed", "The message says why; it can be tried again", "ERROR", 3),
)
ICONS = {name: icon for name, _, _, icon, _ in STATES}
# Meters between neighboring faces and between rows, and faces in a row.
SPACING, ROW_SPACING, ROW = 0.26, 0.3, 8


def _renamed(item: "HFFNE_BatchItem", context: bpy.types.Context) -> None:
    item.name = os.path.basename(item.photo)


class HFFNE_BatchItem(bpy.types.PropertyGroup):
    """One photo of the queue."""

    # The list's search uses `name`.
    name: bpy.props.StringProperty(name="Name", description="File name of the photo")
    photo: bpy.props.StringProperty(name="Photo", description="Path of the photo", subtype="FILE_PATH", update=_renamed)
    state: bpy.props.EnumProperty(name="State", description="State of the photo", items=STATES)
    message: bpy.props.StringProperty(name="Message", description="The engine's message on the photo")
    obj: bpy.props.PointerProperty(name="Face", description="The face built from the photo", type=bpy.types.Object)


def files_only_property(**more: Any) -> Any:
    """Whether faces are written as files instead of staying in the scene."""
    return bpy.props.BoolProperty(
        name="Write Files Only",
        description="Write each face as GLB, FBX and USD with its textures into a folder, and keep none in the scene",
        default=False,
        **more,
    )


def folder_property(**more: Any) -> Any:
    """The folder for the files."""
    return bpy.props.StringProperty(
        name="Folder", description="Folder for the files of the faces", subtype="DIR_PATH", **more
    )


class HFFNE_Batch(bpy.types.PropertyGroup):
    """The queue of one scene."""

    items: bpy.props.CollectionProperty(type=HFFNE_BatchItem)
    files_only: files_only_property()
    folder: folder_property()
    active: bpy.props.IntProperty(name="Active Photo", description="Index of the selected photo in the queue")


def queue_of(context: bpy.types.Context) -> HFFNE_Batch:
    """The queue of the current scene."""
    return getattr(required(context.scene), PROPERTY)


def photos_in(folder: str) -> list[str]:
    """The paths of the photos in a folder, sorted by name, without its subfolders. Raises OSError."""
    names = sorted(os.listdir(folder), key=str.casefold)
    return [
        os.path.join(folder, name)
        for name in names
        if is_photo_name(name) and os.path.isfile(os.path.join(folder, name))
    ]


def add(queue: HFFNE_Batch, paths: Iterable[str]) -> int:
    """Append the photos that are not in the queue yet; returns how many."""
    present = {_key(item.photo) for item in queue.items}
    count = 0
    for path in paths:
        key = _key(path)
        if key not in present:
            present.add(key)
            queue.items.add().photo = path
            count += 1
    return count


def _key(path: str) -> str:
    return os.path.normcase(os.path.abspath(bpy.path.abspath(path)))


def counts(queue: HFFNE_Batch) -> dict[str, int]:
    """{state: number of photos}."""
    result = dict.fromkeys(ICONS, 0)
    for item in queue.items:
        result[item.state] += 1
    return result


def summary(queue: HFFNE_Batch) -> str:
    """The numbers of photos by state, and the messages of the first three that failed."""
    by_state = counts(queue)
    parts = [f"{by_state['DONE']} done"]
    if by_state["FAILED"]:
        parts.append(f"{by_state['FAILED']} failed")
    left = by_state["WAITING"] + by_state["RUNNING"]
    if left:
        parts.append(f"{left} left")
    text = f"{len(queue.items)} photos: {', '.join(parts)}."
    for item in [item for item in queue.items if item.state == "FAILED"][:3]:
        text += f" {os.path.basename(item.photo)}: {item.message}"
    return text


def place_of(index: int, start: Vector, unit: float = 1.0) -> Vector:
    """The location of the face of photo `index`, in rows of ROW from `start`, one row behind the other.

    unit  Blender units in a meter
    """
    row, column = divmod(index, ROW)
    place = start.copy()
    place.x += column * SPACING * unit
    place.y += row * ROW_SPACING * unit
    return place


def register() -> None:
    """Register the queue and attach it to scenes."""
    bpy.utils.register_class(HFFNE_BatchItem)
    bpy.utils.register_class(HFFNE_Batch)
    group = bpy.props.PointerProperty(type=HFFNE_Batch)  # type: ignore[func-returns-value]  # the stub lacks it
    setattr(bpy.types.Scene, PROPERTY, group)


def unregister() -> None:
    """Undo `register`."""
    delattr(bpy.types.Scene, PROPERTY)
    bpy.utils.unregister_class(HFFNE_Batch)
    bpy.utils.unregister_class(HFFNE_BatchItem)
