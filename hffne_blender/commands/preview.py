# SPDX-License-Identifier: GPL-3.0-or-later
"""A portrait of the face: camera, lights and render settings, by size of the face itself.

The key light rakes over the face from the side, so that wrinkles throw their shading;
a weak fill keeps the dark side readable, a rim parts the head from the background.
"""

import math

import bpy
import numpy as np
from mathutils import Vector

from ..system.silence_stdout import quiet

WIDTH, HEIGHT = 640, 800
LENS = 85.0
# Turns of the key (degrees around the head, degrees up) and its strength beside the others.
LIGHTS = (
    # name, azimuth, elevation, size and power for a face of 0.2 m at its distance
    ("Key", -62, 28, 0.15, 1.7),
    ("Fill", 50, 5, 0.60, 0.45),
    ("Rim", 150, 35, 0.25, 1.5),
)
LIGHT_DISTANCE = 3.5
BACKGROUND = (0.035, 0.037, 0.042, 1.0)


def set_up(scene, obj, samples=32):
    """Add camera, lights and a background for `obj` to `scene`, and set it up to render a portrait."""
    low, high = _bounds(obj)
    center, extent = (low + high) / 2, high - low
    radius = max(extent) / 2
    for name, azimuth, elevation, size, power in LIGHTS:
        _light(scene, name, center, radius, azimuth, elevation, size, power)
    scene.camera = _camera(scene, center, extent)
    _world(scene)

    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = WIDTH, HEIGHT, 100
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    render.image_settings.color_depth = "8"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    # Led by albedo and normals the denoiser keeps the wrinkles and takes only the grain.
    denoiser = "OPENIMAGEDENOISE" in _choices(scene.cycles, "denoiser")
    scene.cycles.use_denoising = denoiser
    if denoiser:
        scene.cycles.denoiser = "OPENIMAGEDENOISE"
        scene.cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    scene.cycles.use_adaptive_sampling = True
    scene.cycles.max_bounces = 4
    scene.view_settings.view_transform = "Standard"


def render(scene, path):
    """Render the scene's portrait to a PNG file."""
    scene.render.filepath = str(path)
    try:
        with quiet():
            bpy.ops.render.render(write_still=True, scene=scene.name)
    finally:
        scene.render.filepath = "//"


def _choices(owner, name):
    """The values that an enum property takes in this build of Blender."""
    try:
        setattr(owner, name, "?")
    except TypeError as error:
        # The only complete answer: enums made by callbacks list nothing in their definition.
        return str(error)
    return ""


def _bounds(obj):
    """The object's bounding box in world space, (low, high)."""
    points = np.array([obj.matrix_world @ Vector(corner) for corner in obj.bound_box])
    return Vector(points.min(axis=0)), Vector(points.max(axis=0))


def _light(scene, name, center, radius, azimuth, elevation, size, power):
    data = bpy.data.lights.new(name, "AREA")
    # Sizes and powers are for a radius of 0.1 m: light falls off with the square of the distance.
    scale = radius / 0.1
    data.size = size * scale
    data.energy = power * scale**2
    light = bpy.data.objects.new(name, data)
    turn, lift = math.radians(azimuth), math.radians(elevation)
    toward = Vector((math.sin(turn) * math.cos(lift), -math.cos(turn) * math.cos(lift), math.sin(lift)))
    light.location = center + toward * radius * LIGHT_DISTANCE
    light.rotation_euler = toward.to_track_quat("Z", "Y").to_euler()
    scene.collection.objects.link(light)


def _camera(scene, center, extent):
    data = bpy.data.cameras.new("Portrait")
    data.lens = LENS
    data.sensor_fit = "VERTICAL"
    data.sensor_height = 24
    # The taller of height and width fills most of the frame.
    needed = max(extent.z, extent.x * HEIGHT / WIDTH) * 1.18
    distance = needed / 2 / math.tan(data.angle_y / 2) + extent.y / 2
    data.clip_start, data.clip_end = 0.01, distance * 10
    camera = bpy.data.objects.new("Portrait", data)
    camera.location = center + Vector((0, -distance, 0))
    camera.rotation_euler = (math.pi / 2, 0, 0)
    scene.collection.objects.link(camera)
    return camera


def _world(scene):
    world = bpy.data.worlds.new("Studio")
    if world.node_tree is None:
        world.use_nodes = True
    background = next(node for node in world.node_tree.nodes if node.type == "BACKGROUND")
    background.inputs["Color"].default_value = BACKGROUND
    scene.world = world
