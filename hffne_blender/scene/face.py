# SPDX-License-Identifier: GPL-3.0-or-later
"""One face object from one asset. Adds to the scene, changes nothing that is there."""

import bpy

from . import camera, images, material, mesh, tangent


def build(asset, collection, use_color=True):
    """Build the face of a `FaceAsset` and link it to `collection`. Returns the object.

    All or nothing: when a step fails, what the earlier ones made is removed.
    """
    made = []
    try:
        return _build(asset, collection, use_color, made)
    except Exception:
        bpy.data.batch_remove(made)
        raise


def _build(asset, collection, use_color, made):
    def keep(block):
        made.append(block)
        return block

    name = asset.name
    base = keep(mesh.build_mesh(name, asset.vertices, asset.quads, asset.uvs))
    normal = tangent.tangent_space(base, mesh.UV_NAME, asset.normal)
    normal_image = keep(images.packed_image(f"{name}_texture_normal", images.encode_normal(normal), "Non-Color"))
    color_image = None
    if use_color and asset.color is not None:
        color_image = keep(images.packed_image(f"{name}_texture_color", asset.color, "sRGB"))
    skin = keep(material.build_material(name, mesh.UV_NAME, normal_image, color_image))
    base.materials.append(skin)

    obj = keep(bpy.data.objects.new(name, base))
    mesh.add_regions(obj, asset.regions, asset.region_weights)
    camera.store(obj, asset.camera)
    collection.objects.link(obj)
    return obj
