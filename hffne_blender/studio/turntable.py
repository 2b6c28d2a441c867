# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera that goes around a face, and the pictures that it takes."""

import math
import os

import bpy

from ..quiet import quiet
from .place import drive, empty, fresh_collection, middle

COLLECTION = "HFFNE Turntable"
LENS = 85.0


def add(scene, obj, frames=96, sweep=140.0):
    """A camera around the face `obj`, the scene's camera from now on; replaces that of an earlier call.

    sweep  degrees: to and fro over so much of the circle, or all around with 360
    """
    collection = fresh_collection(scene, "turntable", COLLECTION)
    center, radius = middle(obj)
    pivot = empty(collection, "Turntable", obj, center, radius, "CIRCLE")
    if sweep >= 360:
        drive(pivot, "rotation_euler", 2, f"frame * {math.tau / frames:.9f}")
    else:
        drive(pivot, "rotation_euler", 2, f"sin(frame * {math.tau / frames:.9f}) * {math.radians(sweep / 2):.9f}")
    data = bpy.data.cameras.new("Turntable")
    data.lens = LENS
    camera = bpy.data.objects.new("Turntable Camera", data)
    camera.parent = pivot
    distance = radius * 1.25 / math.tan(min(data.angle_x, data.angle_y) / 2) + radius
    camera.location = (0, -distance, 0)
    camera.rotation_euler = (math.pi / 2, 0, 0)
    scale = obj.matrix_world.to_scale().x
    data.clip_start, data.clip_end = 0.01 * scale, distance * 10 * scale
    collection.objects.link(camera)
    scene.camera = camera
    return camera


def render(scene, folder, stem, frames, step, size, samples):
    """Render every `step`-th frame of a turn as `<stem>_0001.png`, ... into a folder; returns the paths.

    The scene's settings are put back. Raises OSError when a picture cannot be written.
    """
    settings, image = scene.render, scene.render.image_settings
    kept = {name: getattr(settings, name) for name in ("filepath", "resolution_x", "resolution_y")}
    kept["resolution_percentage"] = settings.resolution_percentage
    form = {name: getattr(image, name) for name in ("file_format", "color_mode", "color_depth")}
    before, taken = scene.frame_current, scene.cycles.samples
    paths = []
    try:
        settings.resolution_x = settings.resolution_y = size
        settings.resolution_percentage = 100
        image.file_format, image.color_mode, image.color_depth = "PNG", "RGB", "8"
        if samples:
            scene.cycles.samples = samples
        for number, frame in enumerate(range(0, frames, step), 1):
            scene.frame_set(frame)
            path = os.path.join(folder, f"{stem}_{number:04d}.png")
            settings.filepath = path
            try:
                with quiet():
                    bpy.ops.render.render(write_still=True, scene=scene.name)
            except RuntimeError as error:
                raise OSError(str(error)) from None
            if not os.path.isfile(path):
                raise OSError(f"{path} could not be written.")
            paths.append(path)
    finally:
        for name, value in kept.items():
            setattr(settings, name, value)
        image.file_format = form.pop("file_format")
        for name, value in form.items():
            setattr(image, name, value)
        scene.cycles.samples = taken
        scene.frame_set(before)
    return paths
