# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera that goes around a face, and the pictures that it takes."""

import math
import os

import bpy

from ..system import verify_file
from ..system.silence_stdout import quiet
from .place import collection_for, drive, empty, marked, middle, of_face, remove

COLLECTION, KIND = "HFFNE Turntable", "turntable"
LENS = 85.0


def add(scene, obj, frames=96, sweep=140.0):
    """A camera around the face `obj`, the scene's camera from now on; replaces its own of an earlier call.

    sweep  degrees: to and fro over so much of the circle, or all around with 360
    The scene's frames are one turn from now on, so that it can be played and rendered.
    """
    remove(of_face(scene, obj, KIND), KIND)
    collection = collection_for(scene, KIND, COLLECTION)
    center, radius = middle(obj)
    pivot = empty(collection, "Turntable", obj, center, radius, "CIRCLE")
    if sweep >= 360:
        drive(pivot, "rotation_euler", 2, f"frame * {math.tau / frames:.9f}")
    else:
        drive(pivot, "rotation_euler", 2, f"sin(frame * {math.tau / frames:.9f}) * {math.radians(sweep / 2):.9f}")
    data = marked(bpy.data.cameras.new("Turntable"), KIND)
    data.lens = LENS
    camera = marked(bpy.data.objects.new("Turntable Camera", data), KIND)
    camera.parent = pivot
    distance = radius * 1.25 / math.tan(min(data.angle_x, data.angle_y) / 2) + radius
    camera.location = (0, -distance, 0)
    camera.rotation_euler = (math.pi / 2, 0, 0)
    scale = obj.matrix_world.to_scale().x
    data.clip_start, data.clip_end = 0.01 * scale, distance * 10 * scale
    collection.objects.link(camera)
    scene.camera = camera
    scene.frame_start, scene.frame_end = 1, frames
    return camera


def camera_of(scene, obj):
    """The camera that goes around a face, or None."""
    there = [child for pivot in of_face(scene, obj, KIND) for child in pivot.children if child.type == "CAMERA"]
    return there[0] if there else None


def render(scene, camera, folder, stem, step, size, samples):
    """Render every `step`-th of the scene's frames as `<stem>_<frame>.png` into a folder; returns the paths.

    samples  of Cycles; 0 takes the scene's
    The scene's settings are put back. Raises OSError when a picture cannot be written.
    """
    prefix = os.path.join(folder, f"{stem}_")
    restore = _set_up(scene, camera, prefix, step, size, samples)
    try:
        with quiet():
            bpy.ops.render.render(animation=True, scene=scene.name)
        paths = [f"{prefix}{frame:04d}.png" for frame in range(scene.frame_start, scene.frame_end + 1, step)]
        for path in paths:
            verify_file.check(path)
    except RuntimeError as error:
        raise OSError(str(error).strip()) from None
    finally:
        restore()
    return paths


def render_in_window(scene, camera, folder, stem, step, size, samples):
    """The same as Blender's own render in its window, which can be watched and stopped there; returns at once."""
    restore = _set_up(scene, camera, os.path.join(folder, f"{stem}_"), step, size, samples)
    ends = bpy.app.handlers.render_complete, bpy.app.handlers.render_cancel

    def end(*_):
        # Called by the thread that renders: the scene is changed by the main one.
        for handlers in ends:
            if end in handlers:
                handlers.remove(end)
        bpy.app.timers.register(restore)

    for handlers in ends:
        handlers.append(end)
    bpy.ops.render.render("INVOKE_DEFAULT", animation=True, scene=scene.name)


def _set_up(scene, camera, prefix, step, size, samples):
    """Set a scene up for the pictures; returns a function that puts back what was there."""
    picture = scene.render.image_settings
    wanted = [(scene, "camera", camera), (scene, "frame_step", step), (scene.render, "filepath", prefix)]
    wanted += [(scene.render, name, size) for name in ("resolution_x", "resolution_y")]
    wanted += [(scene.render, "resolution_percentage", 100)]
    wanted += [(scene.render, name, True) for name in ("use_file_extension", "use_overwrite")]
    # From 5.0 on a format belongs to a medium, which comes first.
    wanted += [(picture, "media_type", "IMAGE")] if hasattr(picture, "media_type") else []
    wanted += [(picture, "file_format", "PNG"), (picture, "color_mode", "RGB"), (picture, "color_depth", "8")]
    wanted += [(scene.cycles, "samples", samples)] if samples else []
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in wanted]
    for owner, name, value in wanted:
        setattr(owner, name, value)

    def restore():
        for owner, name, value in kept:
            try:
                setattr(owner, name, value)
            except ReferenceError:
                pass  # another file was opened, or the scene removed

    return restore
