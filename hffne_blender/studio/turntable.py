# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera that circles around a face, and the rendering of its pictures."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import bpy

from ..scene.temporary import Setting, change, cycles_of
from ..system import verify_file
from ..system.file_set import FileSet
from ..system.silence_stdout import silence_stdout
from . import scene_settings
from .place import bounding_sphere, collection_for, drive, empty, mark, name_for, of_face, remove

KIND = "turntable"
# Millimeters.
LENS = 85.0


@dataclass(frozen=True)
class Rendering:
    """What to render and where to.

    camera   the camera object
    folder   an existing folder
    stem     the pictures are named `<stem>_<frame>.png`
    step     every `step`-th of the scene's frames is rendered
    size     pixels per side
    samples  of Cycles per pixel; 0 takes the scene's
    """

    camera: bpy.types.Object
    folder: str
    stem: str
    step: int
    size: int
    samples: int

    @property
    def prefix(self) -> str:
        """The paths of the pictures, up to the number of the frame."""
        return os.path.join(self.folder, f"{self.stem}_")


def add(scene: bpy.types.Scene, obj: bpy.types.Object, frames: int = 96, sweep: float = 140.0) -> bpy.types.Object:
    """Add a camera around the face `obj` and make it the scene's; replaces that of an earlier call. Returns it.

    `scene_settings.restore` brings back the scene's own camera and frames.

    frames  frames of one turn; they become the scene's, so that it can be played and rendered
    sweep   degrees of the arc over which the camera goes to and fro; with 360 it goes all around
    """
    remove(of_face(scene, obj, KIND), KIND)
    collection = collection_for(scene, obj)
    center, radius = bounding_sphere(obj)
    pivot = empty(collection, KIND, name_for(obj, "Turntable"), obj, center, radius, "CIRCLE")
    if sweep >= 360:
        drive(pivot, "rotation_euler", 2, f"frame * {math.tau / frames:.9f}")
    else:
        drive(pivot, "rotation_euler", 2, f"sin(frame * {math.tau / frames:.9f}) * {math.radians(sweep / 2):.9f}")
    data = mark(bpy.data.cameras.new(name_for(obj, "Turntable Camera")), KIND)
    data.lens = LENS
    camera = mark(bpy.data.objects.new(name_for(obj, "Turntable Camera"), data), KIND)
    camera.parent = pivot
    distance = radius * 1.25 / math.tan(min(data.angle_x, data.angle_y) / 2) + radius
    camera.location = (0, -distance, 0)
    camera.rotation_euler = (math.pi / 2, 0, 0)
    scale = obj.matrix_world.to_scale().x
    data.clip_start, data.clip_end = 0.01 * scale, distance * 10 * scale
    collection.objects.link(camera)
    scene_settings.set_camera(scene, camera)
    scene_settings.set_frames(scene, 1, frames)
    return camera


def camera_of(scene: bpy.types.Scene, obj: bpy.types.Object) -> bpy.types.Object | None:
    """The turntable camera of a face, or None."""
    cameras = [child for pivot in of_face(scene, obj, KIND) for child in pivot.children if child.type == "CAMERA"]
    return cameras[0] if cameras else None


def render(scene: bpy.types.Scene, wanted: Rendering) -> list[str]:
    """Render the pictures and return their paths.

    The scene's settings are restored. Raises OSError when a picture cannot be written.
    """
    with FileSet() as files:
        frames = range(scene.frame_start, scene.frame_end + 1, wanted.step)
        written = [files.add(f"{wanted.prefix}{frame:04d}.png") for frame in frames]
        try:
            restore = _set_up(scene, replace(wanted, folder=str(written[0].parent) if written else wanted.folder))
            try:
                with silence_stdout():
                    bpy.ops.render.render(animation=True, scene=scene.name)
            finally:
                restore()
        except RuntimeError as error:
            raise OSError(str(error).strip()) from None
        return [str(path) for path in files.commit(verify_file.verify_complete)]


def render_in_window(scene: bpy.types.Scene, wanted: Rendering) -> None:
    """Render the pictures as Blender's own render in its window, where it can be watched and stopped; returns at once.

    The scene's settings are restored when the render ends.
    """
    restore = _set_up(scene, wanted)
    for frame in range(scene.frame_start, scene.frame_end + 1, wanted.step):
        # Blender writes each picture as soon as it is there, and would write through a link.
        path = f"{wanted.prefix}{frame:04d}.png"
        if os.path.islink(path):
            os.remove(path)
    ends: Any = (bpy.app.handlers.render_complete, bpy.app.handlers.render_cancel)

    def end(*_: object) -> None:
        # The thread that renders calls this: the scene is changed by the main one.
        for handlers in ends:
            if end in handlers:
                handlers.remove(end)
        bpy.app.timers.register(restore)

    for handlers in ends:
        handlers.append(end)
    bpy.ops.render.render("INVOKE_DEFAULT", animation=True, scene=scene.name)


def _set_up(scene: bpy.types.Scene, wanted: Rendering) -> Callable[[], None]:
    """Set a scene up for the pictures; returns a function that restores its settings."""
    picture = scene.render.image_settings
    settings: list[Setting] = [
        (scene, "camera", wanted.camera),
        (scene, "frame_step", wanted.step),
        (scene.render, "use_border", False),
        (scene.render, "use_multiview", False),
        (scene.render, "filepath", wanted.prefix),
        (scene.render, "resolution_x", wanted.size),
        (scene.render, "resolution_y", wanted.size),
        (scene.render, "resolution_percentage", 100),
        (scene.render, "use_file_extension", True),
        (scene.render, "use_overwrite", True),
    ]
    # From Blender 5.0 on a format belongs to a medium, which is set first.
    settings += [(picture, "media_type", "IMAGE")] if hasattr(picture, "media_type") else []
    settings += [(picture, "file_format", "PNG"), (picture, "color_mode", "RGB"), (picture, "color_depth", "8")]
    settings += [(cycles_of(scene), "samples", wanted.samples)] if wanted.samples else []
    return change(settings)
