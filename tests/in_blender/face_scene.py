# SPDX-License-Identifier: GPL-3.0-or-later
"""A face that is known by formula, in a scene of its own, for the cases about maps, shading, bakes and lights."""

import bpy
import numpy as np

import fake_face
from hffne_blender.commands import roundtrip
from hffne_blender.numeric.received_face import ReceivedFace
from hffne_blender.scene import face

ALL = ("albedo", "bands", "height", "curvature", "occlusion", "roughness", "seen", "relight", "pores")


def build(names=ALL, texture_size=256, grid=48):
    made = ReceivedFace.from_answer(*fake_face.answer(texture_size=texture_size, grid=grid, names=names))
    obj = face.build(made, bpy.context.scene.collection)
    bpy.context.view_layer.objects.active = obj
    obj.select_set(True)
    return obj


def angle_to(obj, ripple, size=160, columns=slice(None)):
    normal, covered = roundtrip.rendered_normals(obj, size, samples=4)
    expected, seen = fake_face.predicted(size, ripple)
    both = np.zeros_like(seen)
    both[:, columns] = (covered & seen)[:, columns]
    return float(roundtrip.angles(normal[both], expected[both]).mean())


def studio(kind):
    """The collections with something of a kind."""
    made = [other for other in bpy.context.scene.collection.children if other.get("hffne_studio") == "collection"]
    return [other for other in made if any(obj.get("hffne_studio") == kind for obj in other.objects)]
