# SPDX-License-Identifier: GPL-3.0-or-later
"""A portrait of the face: camera, lights and render settings, scaled to the face.

The key light comes from far to the side, so that wrinkles are shaded; a weak fill light keeps the dark side
readable, a rim light separates the head from the background.
"""

import math
import os
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ..scene import color_spaces
from ..scene.temporary import cycles_of
from ..studio import lights
from ..system.required import required
from ..system.silence_stdout import silence_stdout

WIDTH, HEIGHT = 640, 800
# Millimeters.
LENS = 85.0
# See `studio.lights.PRESETS`.
LIGHTS = (
    ("Key", -62, 28, 0.15, 1.7),
    ("Fill", 50, 5, 0.60, 0.45),
    ("Rim", 150, 35, 0.25, 1.5),
)
BACKGROUND = (0.035, 0.037, 0.042, 1.0)


def set_up(scene: bpy.types.Scene, obj: bpy.types.Object, samples: int = 32) -> None:
    """Add camera, lights and a background for `obj` to `scene`, and set it up to render a portrait.

    samples  of Cycles per pixel
    """
    low, high = _bounds(obj)
    center, extent = (low + high) / 2, high - low
    radius = max(extent.x, extent.y, extent.z) / 2
    for name, azimuth, elevation, size, power in LIGHTS:
        _add_light(scene, name, center, radius, azimuth, elevation, size, power)
    scene.camera = _add_camera(scene, center, extent)
    _add_world(scene)

    render: Any = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = WIDTH, HEIGHT, 100
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    render.image_settings.color_depth = "8"
    cycles = cycles_of(scene)
    cycles.device = "CPU"
    cycles.samples = samples
    # With albedo and normals the denoiser keeps the wrinkles and removes only the noise.
    denoiser = "OPENIMAGEDENOISE" in _choices(cycles, "denoiser")
    cycles.use_denoising = denoiser
    if denoiser:
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.use_adaptive_sampling = True
    cycles.max_bounces = 4
    # A head's lashes and films before the eye are more layers than the default of 8.
    cycles.transparent_max_bounces = 32
    color_spaces.use_plain_view(scene)


def render(scene: bpy.types.Scene, path: str | os.PathLike[str]) -> None:
    """Render the scene's portrait to a PNG file. Raises RuntimeError when Blender cannot render or write it."""
    scene.render.filepath = str(path)
    try:
        with silence_stdout():
            bpy.ops.render.render(write_still=True, scene=scene.name)
    finally:
        scene.render.filepath = "//"


def _choices(owner: Any, name: str) -> str:
    """The values that an enum property accepts in this build of Blender, as part of a text."""
    try:
        setattr(owner, name, "?")
    except TypeError as error:
        # Only the error names them all: enums made by callbacks list nothing in their definition.
        return str(error)
    return ""


def _bounds(obj: bpy.types.Object) -> tuple[Vector, Vector]:
    """The object's bounding box in world space, (low, high)."""
    points = np.array([obj.matrix_world @ Vector(corner) for corner in obj.bound_box])
    return Vector(points.min(axis=0).tolist()), Vector(points.max(axis=0).tolist())


def _add_light(
    scene: bpy.types.Scene,
    name: str,
    center: Vector,
    radius: float,
    azimuth: float,
    elevation: float,
    size: float,
    power: float,
) -> None:
    light = bpy.data.objects.new(name, lights.area_light(name, size, power, radius / lights.RADIUS))
    toward = lights.direction(azimuth, elevation)
    light.location = center + toward * radius * lights.DISTANCE
    light.rotation_euler = toward.to_track_quat("Z", "Y").to_euler()
    scene.collection.objects.link(light)


def _add_camera(scene: bpy.types.Scene, center: Vector, extent: Vector) -> bpy.types.Object:
    data = bpy.data.cameras.new("Portrait")
    data.lens = LENS
    data.sensor_fit = "VERTICAL"
    data.sensor_height = 24
    # The larger of height and width fills most of the frame.
    needed = max(extent.z, extent.x * HEIGHT / WIDTH) * 1.18
    distance = needed / 2 / math.tan(data.angle_y / 2) + extent.y / 2
    data.clip_start, data.clip_end = 0.01, distance * 10
    camera = bpy.data.objects.new("Portrait", data)
    camera.location = center + Vector((0, -distance, 0))
    camera.rotation_euler = (math.pi / 2, 0, 0)
    scene.collection.objects.link(camera)
    return camera


def _add_world(scene: bpy.types.Scene) -> None:
    world = bpy.data.worlds.new("Studio")
    if world.node_tree is None:
        world.use_nodes = True
    background: Any = next(node for node in required(world.node_tree).nodes if node.type == "BACKGROUND")
    background.inputs["Color"].default_value = BACKGROUND
    scene.world = world
