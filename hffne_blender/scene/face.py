# SPDX-License-Identifier: GPL-3.0-or-later
"""One face object from one asset. Adds to the scene, changes nothing that is there."""

import bpy

from . import camera, material, mesh, textures


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
    made_textures = textures.build_textures(asset, base, mesh.UV_NAME, use_color, keep)
    skin = keep(material.build_material(name, mesh.UV_NAME, made_textures))
    base.materials.append(skin)

    obj = keep(bpy.data.objects.new(name, base))
    mesh.add_regions(obj, asset.regions, asset.region_weights)
    camera.store(obj, asset.camera)
    for kind, image in textures.build_photo(asset, keep).items():
        # The face holds on to them until they are needed.
        obj[f"hffne_photo_{kind}"] = image
    collection.objects.link(obj)
    return obj
