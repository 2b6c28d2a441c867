# SPDX-License-Identifier: GPL-3.0-or-later
"""One face object from one asset. Adds to the scene, changes nothing that is there."""

from functools import partial

import bpy

from ..numeric import tangent
from ..system import jobs
from . import camera, face_attributes, material, mesh, textures


def build(asset, collection, use_color=True):
    """Build the face of a `FaceAsset` and link it to `collection`. Returns the object.

    All or nothing: when a step fails, what the earlier ones made is removed.
    """
    return jobs.run(build_steps(asset, lambda: collection, use_color))


def build_steps(asset, collection, use_color=True):
    """The same in slices, see `system.jobs`: two short ones on the main thread, all that takes long between them.

    collection  a function that says where to link the object, asked at the end

    Between the slices nothing of the face is in the file: it may be saved, changed, undone or closed meanwhile.
    """
    sketch = mesh.build_mesh(asset.name, asset.vertices, asset.quads, asset.uvs)
    try:
        frames = tangent.corner_frames(sketch, mesh.UV_NAME)
    finally:
        bpy.data.meshes.remove(sketch)
    made_textures = yield partial(textures.encode_textures, asset, frames, use_color)
    photo = yield partial(textures.encode_photo, asset)
    made = []
    try:
        return _assemble(asset, collection(), made_textures, photo, made)
    except Exception:
        bpy.data.batch_remove(made)
        raise


def _assemble(asset, collection, made_textures, photo, made):
    def keep(block):
        made.append(block)
        return block

    name = asset.name
    base = keep(mesh.build_mesh(name, asset.vertices, asset.quads, asset.uvs))
    skin_images = {
        texture.kind: keep(textures.add_image(f"{name}_texture_{texture.kind}", texture, texture.kind))
        for texture in made_textures
    }
    skin = keep(material.build_material(name, mesh.UV_NAME, skin_images))
    base.materials.append(skin)

    obj = keep(bpy.data.objects.new(name, base))
    mesh.add_regions(obj, asset.regions, asset.region_weights)
    camera.store(obj, asset.camera)
    for texture in photo:
        # The face holds on to them until they are needed.
        image = keep(textures.add_image(f"{name}_photo_{texture.kind}", texture, f"photo_{texture.kind}"))
        obj[f"hffne_photo_{texture.kind}"] = image
    face_attributes.store(obj, asset, skin_images["normal"])
    collection.objects.link(obj)
    return obj
