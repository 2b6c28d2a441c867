# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about heights: sculpted into a mesh, and integrated from slopes."""

import bpy
import case_process
import numpy as np
from case_process import start
from mathutils import Matrix
from target_mesh import bumpy, counts, evaluated, fake, put_landmarks, remeshed, state

from hffne_blender.character.read_face import read_face
from hffne_blender.numeric import height_field, raster
from hffne_blender.numeric.resample import cubic
from hffne_blender.scene import images


def case_relief():
    """The sculpted relief has the height of the map, in the object's own units, and can be taken off again."""
    start()
    obj = fake(grid=16, texture_size=128)
    matrix = Matrix.Scale(5, 4)
    copy = remeshed(obj, matrix)
    bumpy(copy)
    put_landmarks(obj, copy, 0)
    before, mesh = state(copy), copy.data.copy()
    arguments = {
        "face": obj.name,
        "target": copy.name,
        "normal": False,
        "displacement": True,
        "relief": True,
        "levels": 2,
    }
    arguments |= {"texture_size": "512", "largest": 0.0, "border": 0.01}
    had = counts()
    bpy.ops.hffne.apply_to_mesh(**arguments)
    made = {kind: counts()[kind] - had[kind] for kind in had}
    image = bpy.data.images["Hero_fake_displacement"]
    wanted = (images.values(image)[..., :1] - 0.5) * image["hffne_scale"]
    modifier = copy.modifiers["HFFNE Relief"]
    dense = evaluated(copy)
    modifier.show_viewport = False
    low = len(evaluated(copy)[0])
    modifier.show_viewport = True
    # The same levels without relief, to measure against.
    smooth = bpy.data.objects.new("Smooth", mesh)
    bpy.context.scene.collection.objects.link(smooth)
    smooth.modifiers.new("Plain", "MULTIRES")
    with bpy.context.temp_override(object=smooth, active_object=smooth):
        for _ in range(2):
            bpy.ops.object.multires_subdivide(modifier="Plain", mode="CATMULL_CLARK")
    flat = evaluated(smooth)
    there = ((dense[0] - flat[0]) * flat[1]).sum(1)
    expected = cubic(wanted, flat[2])[:, 0]
    bpy.data.meshes.remove(mesh)
    bpy.ops.hffne.apply_to_mesh(**arguments)
    again = evaluated(copy)
    return {
        "untouched": state(copy) == before,
        "made": made,
        "levels": copy.modifiers[0].total_levels,
        "dense": [low, len(dense[0])],
        "range": [float(there.min()), float(there.max())],
        "off": float(np.abs(there - expected).mean() / np.abs(expected).mean()),
        "again": float(np.abs(again[0] - dense[0]).max()),
        "modifiers": [other.name for other in copy.modifiers],
    }


def case_heights():
    """Slopes made from a known height field come back as that field."""
    start()
    obj = fake(grid=64, texture_size=256)
    read = read_face(obj)
    shape = read.surface
    index, owner, share = raster.cover(read.uv[shape.triangles], 256)
    place = shape.at(owner, share)
    # 0.4 mm high waves, 12 mm long, fading with the slopes near the border.
    wave = np.array([330.0, 150.0, 410.0])
    true = 0.0004 * np.sin(place @ wave)
    gradient = 0.0004 * np.cos(place @ wave)[:, None] * wave
    corners = shape.triangles[owner]
    tangent = np.einsum("kc,kcx->kx", share, read.tangent[corners])
    normal = np.einsum("kc,kcx->kx", share, shape.normals[owner])
    bitangent = np.cross(normal, tangent) * read.sign[corners[:, 0], None]

    class Known:
        def slopes_at(self, uv, step):
            return -np.stack([(gradient * tangent).sum(1), (gradient * bitangent).sum(1)], 1)

    plane = height_field.heights(read, Known(), 256).reshape(-1)[index]
    inner = np.einsum("kc,kc->k", share, read.border_distance[corners]) > 0.015
    found, wanted = plane[inner] - plane[inner].mean(), true[inner] - true[inner].mean()
    return {
        "correlation": float(np.corrcoef(found, wanted)[0, 1]),
        "gain": float((found * wanted).sum() / (wanted * wanted).sum()),
    }


if __name__ == "__main__":
    case_process.main(globals())
