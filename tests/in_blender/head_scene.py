# SPDX-License-Identifier: GPL-3.0-or-later
"""A head that is known by formula, for the cases about heads."""

import bpy
import numpy as np
from case_process import choose

import fake_face
import fake_head
from hffne_blender.commands import roundtrip
from hffne_blender.numeric.received_face import ReceivedFace
from hffne_blender.scene import face
from hffne_blender.scene.access import read_array


def received(texture_size=64, grid=24, names=(), parts=fake_head.PARTS):
    return ReceivedFace.from_answer(*fake_head.answer("fake", texture_size, grid, True, names, parts))


def build(**more):
    obj = face.build(received(**more), bpy.context.scene.collection)
    choose(obj)
    bpy.context.view_layer.update()
    return obj


def evaluated(obj):
    """The points (V, 3) of an object as Blender shows it."""
    bpy.context.view_layer.update()
    mesh = obj.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    return read_array(mesh.vertices, "co", 3)


def angle(obj, size=256):
    """Degrees between how Cycles shades the skin and the formula: mean, 95th percentile; and the share compared."""
    normal, covered = roundtrip.rendered_normals(obj, size, samples=8)
    expected, seen = fake_face.predicted(size)
    both = covered & seen
    error = roundtrip.angles(normal[both], expected[both])
    return [float(error.mean()), float(np.percentile(error, 95)), float(both.sum() / seen.sum())]
