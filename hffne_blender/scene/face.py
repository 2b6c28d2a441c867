# SPDX-License-Identifier: GPL-3.0-or-later
"""One face object from one received face. Adds to the scene and changes nothing that is there."""

from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import bpy
import numpy as np

from ..numeric import face_textures, part_textures, tangent
from ..numeric.face_textures import Texture
from ..numeric.received_face import ReceivedFace
from ..system import jobs
from . import (
    built_shape,
    camera,
    face_attributes,
    head,
    head_materials,
    material,
    mesh,
    mesh_arrays,
    shape_keys,
    textures,
)

BlockT = TypeVar("BlockT", bound=bpy.types.ID)


def build(received: ReceivedFace, collection: bpy.types.Collection, use_color: bool = True) -> bpy.types.Object:
    """Build the object of a face and link it to `collection`. Returns the object.

    All or nothing: when a step fails, what the earlier ones made is removed.
    """
    return jobs.run(build_steps(received, lambda: collection, use_color))


def build_steps(
    received: ReceivedFace, collection: Callable[[], bpy.types.Collection], use_color: bool = True
) -> Generator[Callable[[], Any], Any, bpy.types.Object]:
    """The same in slices, see `system.jobs`: two short ones on the main thread, with the long work between them.

    collection  returns the collection to which the object is linked; called at the end

    Between the slices nothing of the face is in the file: it may be saved, changed, undone or closed meanwhile.
    """
    # The engine's normals are those of the face as on the photo, also where the mesh's basis is the neutral shape.
    sketch = mesh.build_mesh(received.name, received.vertices, received.quads, received.uvs, _slots(received))
    try:
        frames = mesh_arrays.corner_frames(sketch, mesh.UV_NAME, None if received.head is None else head.SKIN)
    finally:
        bpy.data.meshes.remove(sketch)
    skin, photo, pictures = yield partial(_encoded, received, frames, use_color)
    made: list[bpy.types.ID] = []
    try:
        return _assemble(received, collection(), skin, photo, pictures, made)
    except Exception:
        bpy.data.batch_remove(made)
        raise


def _encoded(
    received: ReceivedFace, frames: tangent.CornerFrames, use_color: bool
) -> tuple[list[Texture], list[Texture], dict[str, Texture]]:
    """The textures of the face and of the photo's crop, and the pictures of a head's parts by their names."""
    with ThreadPoolExecutor(1) as beside:
        pictures = beside.submit(part_textures.encode_parts, received)
        skin = face_textures.encode_textures(received, frames, use_color)
        return skin, face_textures.encode_photo(received), pictures.result()


def _assemble(
    received: ReceivedFace,
    collection: bpy.types.Collection,
    skin: Iterable[Texture],
    photo: Iterable[Texture],
    pictures: Mapping[str, Texture],
    made: list[bpy.types.ID],
) -> bpy.types.Object:
    """Build and link the object; every new data-block is added to `made`."""

    def keep(block: BlockT) -> BlockT:
        made.append(block)
        return block

    name, own = received.name, received.head
    points = received.vertices if own is None else own.neutral
    base = keep(mesh.build_mesh(name, points, received.quads, received.uvs, _slots(received)))
    skin_images = {
        texture.kind: keep(textures.add_image(f"{name}_texture_{texture.kind}", texture, texture.kind))
        for texture in skin
    }
    base.materials.append(keep(material.build_material(name, mesh.UV_NAME, skin_images)))
    parts = () if own is None else own.parts
    part_images: dict[int, bpy.types.Image] = {}
    for part in parts[1:]:
        texture = pictures.get(part)
        if texture is not None and id(texture) not in part_images:
            part_images[id(texture)] = keep(
                textures.add_image(f"{name}_part_{texture.kind}", texture, f"part_{texture.kind}")
            )
        image = part_images.get(id(texture))
        base.materials.append(keep(head_materials.build_material(name, part, parts, image)))

    obj = keep(bpy.data.objects.new(name, base))
    mesh.add_regions(obj, received.regions, received.region_weights)
    camera.store(obj, received.camera, received.cameras)
    for texture in photo:
        # Custom properties keep the images in the file until they are needed.
        obj[f"hffne_photo_{texture.kind}"] = keep(
            textures.add_image(f"{name}_photo_{texture.kind}", texture, f"photo_{texture.kind}")
        )
    face_attributes.store(obj, received, skin_images["normal"])
    if own is not None:
        head.store_parts(obj, own.parts)
        head.add_part_groups(obj, received.quads, own)
        shape_keys.add(obj, received.vertices, own)
    built_shape.store(obj)
    collection.objects.link(obj)
    return obj


def _slots(received: ReceivedFace) -> np.ndarray | None:
    """The material slot of each quad: a head's parts, in their order."""
    return None if received.head is None else received.head.quad_parts
