# SPDX-License-Identifier: GPL-3.0-or-later
"""Lights around a face, as children of it: they move with it and are scaled to its size."""

import math

import bpy
from mathutils import Vector

from .place import bounding_sphere, collection_for, drive, empty, mark, name_for, of_face, remove

KIND = "lights"
# Distance of the lights, in radii of the face.
DISTANCE = 3.5
# The radius (meters) of a face for which the presets' sizes and powers are given; light falls off with the square of
# the distance. White clay facing the key light stays a little below white.
RADIUS = 0.1
# name -> lights: name, degrees to the viewer's right, degrees up, size in meters, watts
PRESETS: dict[str, tuple[tuple[str, float, float, float, float], ...]] = {
    "SOFT": (("Key", -35, 30, 0.6, 1.4), ("Fill", 45, 5, 0.8, 0.55), ("Rim", 150, 35, 0.25, 0.9)),
    "REMBRANDT": (("Key", -48, 42, 0.15, 1.5), ("Fill", 55, 0, 0.6, 0.12)),
    "BUTTERFLY": (("Key", 0, 48, 0.25, 1.3), ("Fill", 0, -35, 0.5, 0.25), ("Rim", 180, 50, 0.3, 0.6)),
    "SPLIT": (("Key", -90, 5, 0.12, 1.6),),
    "RIM": (("Rim Left", -135, 15, 0.2, 2.0), ("Rim Right", 135, 15, 0.2, 2.0), ("Fill", 0, 10, 0.8, 0.12)),
}
RAKING_SIZE, RAKING_POWER = 0.05, 1.6


def add(
    scene: bpy.types.Scene, obj: bpy.types.Object, preset: str, grazing: float = 75.0, frames: int = 96
) -> bpy.types.Collection:
    """Light the face `obj` by a preset; replaces the lights of an earlier call. Returns the collection.

    preset   a key of PRESETS, or "RAKING": one hard light that circles around the face's axis
    grazing  degrees between that light and the direction in which the face looks; at 90 it only grazes the face
    frames   frames of a circle; with 0 the light does not move
    """
    remove(of_face(scene, obj, KIND), KIND)
    collection = collection_for(scene, obj)
    center, radius = bounding_sphere(obj)
    pivot = empty(collection, KIND, name_for(obj, "Lights"), obj, center, radius * 0.3, "CIRCLE")
    if preset == "RAKING":
        pivot.name = name_for(obj, "Raking Light")
        angle = math.radians(grazing)
        toward = Vector((math.sin(angle), -math.cos(angle), 0))
        _light(collection, pivot, "Raking", toward, radius, RAKING_SIZE, RAKING_POWER, obj)
        if frames:
            drive(pivot, "rotation_euler", 1, f"frame * {math.tau / frames:.9f}")
        return collection
    for name, azimuth, elevation, size, power in PRESETS[preset]:
        _light(collection, pivot, name, direction(azimuth, elevation), radius, size, power, obj)
    return collection


def direction(azimuth: float, elevation: float) -> Vector:
    """The unit vector toward a light: degrees to the viewer's right and degrees up from the face's axis."""
    turn, lift = math.radians(azimuth), math.radians(elevation)
    return Vector((math.sin(turn) * math.cos(lift), -math.cos(turn) * math.cos(lift), math.sin(lift)))


def area_light(name: str, size: float, power: float, scale: float) -> bpy.types.AreaLight:
    """A new square area light of `size` meters and `power` watts, both given for a face of the radius RADIUS.

    scale  the face's radius in units of RADIUS: light falls off with the square of the distance
    """
    data = bpy.data.lights.new(name, "AREA")
    assert isinstance(data, bpy.types.AreaLight)
    data.size, data.energy = size * scale, power * scale**2
    return data


def _light(
    collection: bpy.types.Collection,
    pivot: bpy.types.Object,
    name: str,
    toward: Vector,
    radius: float,
    size: float,
    power: float,
    obj: bpy.types.Object,
) -> None:
    # The scale of a parent moves a light but changes neither its size nor its power.
    scale = radius * obj.matrix_world.to_scale().x / RADIUS
    data = mark(area_light(name_for(obj, name), size, power, scale), KIND)
    light = mark(bpy.data.objects.new(name_for(obj, name), data), KIND)
    light.parent = pivot
    light.location = toward * radius * DISTANCE
    light.rotation_euler = toward.to_track_quat("Z", "Y").to_euler()
    collection.objects.link(light)
