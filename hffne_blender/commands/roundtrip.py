# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the normals with which Blender shades a face with those that the engine computed.

Renders the built object's shading normals from the photo's viewpoint with Cycles and
compares them with camera-space normals on the photo's grid. One flipped axis, wrong
tangent, color space or UV anywhere in the chain shows here at once.

    python -m hffne_blender.commands.roundtrip FACE.blend NORMALS.npz

NORMALS.npz is what `hffne normals` writes: `normal` (H, W, 3) and `mask` (H, W); with `parts` (H, W) and `part_names`
what covers the face is left out, for there the textures are completed.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from ..numeric.received_face import PhotoCrop
from ..numeric.vectors import unit
from ..scene import camera, color_spaces, face_attributes, head, images
from ..scene.access import tree_of
from ..scene.nodes import input_of, need_node, new_material, new_node, output_of, set_input
from ..scene.temporary import cycles_of
from ..system.required import required
from ..system.scratch import Scratch
from ..system.silence_stdout import silence_stdout
from .leave import leave

# Confidence of the skin from which its detail is the photo's.
SHOWN = 0.9
# Parts of a photo that cover a face, as the engine names them.
COVERS = ("hair", "glasses", "occluder", "cloth")


def rendered_normals(obj: bpy.types.Object, size: int = 512, samples: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """The normals with which Cycles shades `obj`, seen from its photo's view.

    Returns (normal (S, S, 3) float32 in camera space, mask (S, S) bool), on the
    engine's crop, row 0 at the top. The mask leaves out pixels that the object
    covers only in part, and of a head those where another part than its skin is
    seen, or skin that does not take its detail from the photo (under hair, behind
    the face). Renders in a temporary scene.
    """
    rgba = _rendered(obj, _normal_emitter(required(obj.material_slots[0].material)), size, samples)
    mask = rgba[..., 3] > 0.999
    if head.is_head(obj):
        mask &= _rendered(obj, _confidence_emitter(), size, samples)[..., 0] > SHOWN
    world = rgba[..., :3] * 2 - 1
    to_camera = np.array(camera.of_face(obj)["rotation"])
    to_object = np.array(obj.matrix_world.to_quaternion().to_matrix()).T
    return unit(world @ (to_camera @ to_object).T, 1e-6).astype(np.float32), mask


def _rendered(obj: bpy.types.Object, emitter: bpy.types.Material, size: int, samples: int) -> np.ndarray:
    """The pixels (S, S, 4) of a face with `emitter`, which is removed afterwards, as its skin."""
    scene = bpy.data.scenes.new("HFFNE round trip")
    view = camera.photo_camera(obj, "CROP")
    slots = list(obj.material_slots) if head.is_head(obj) else [obj.material_slots[0]]
    materials = [slot.material for slot in slots]
    hole = _holdout()
    try:
        scene.collection.objects.link(obj)
        scene.collection.objects.link(view)
        for number, slot in enumerate(slots):
            slot.material = emitter if number == head.SKIN else hole
        scene.camera = view
        set_up(scene, size, samples)
        return render_pixels(scene)
    finally:
        for slot, material in zip(slots, materials, strict=True):
            slot.material = material
        bpy.data.batch_remove([emitter, hole])
        assert isinstance(view.data, bpy.types.Camera)
        bpy.data.cameras.remove(view.data)
        bpy.data.scenes.remove(scene)


def on_crop(normal: np.ndarray, mask: np.ndarray, crop: PhotoCrop, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Sample `normal` (H, W, 3) and `mask` (H, W) of the photo's grid onto the crop's, bilinearly.

    Returns (normal (S, S, 3) of unit length, mask (S, S)); outside the photo and where
    a neighbor lies outside the mask the result is masked out.
    """
    step = ((np.arange(size) + 0.5) / size - 0.5) * crop["side"] - 0.5
    x, y = np.meshgrid(crop["center_x"] + step, crop["center_y"] + step)
    height, width = mask.shape
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    inside = (left >= 0) & (top >= 0) & (left < width - 1) & (top < height - 1)
    left, top = np.clip(left, 0, width - 2), np.clip(top, 0, height - 2)
    fx, fy = np.clip(x - left, 0, 1)[..., None], np.clip(y - top, 0, 1)[..., None]
    sampled = (normal[top, left] * (1 - fx) + normal[top, left + 1] * fx) * (1 - fy) + (
        normal[top + 1, left] * (1 - fx) + normal[top + 1, left + 1] * fx
    ) * fy
    whole = inside & mask[top, left] & mask[top, left + 1] & mask[top + 1, left] & mask[top + 1, left + 1]
    return unit(sampled, 1e-6), whole


def angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The angles in degrees between two fields of unit vectors (..., 3)."""
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(first - second, axis=-1) / 2, 0, 1)))


def compare(obj: bpy.types.Object, normal: np.ndarray, mask: np.ndarray, size: int = 512) -> dict[str, float]:
    """Compare the object with normals (H, W, 3) and their mask (H, W) on the photo's grid.

    Returns the mean, median and 95th percentile of the error in degrees, the number of pixels compared, and their
    share of those in the mask ("seen"). Raises ValueError where the two have no pixel in common.
    """
    rendered, covered = rendered_normals(obj, size)
    expected, seen = on_crop(normal, mask, camera.of_face(obj)["crop"], size)
    both = covered & seen
    if not both.any():
        raise ValueError("The object and the normals have no pixel in common.")
    error = angles(rendered[both], expected[both])
    return {
        "mean": float(error.mean()),
        "median": float(np.median(error)),
        "p95": float(np.percentile(error, 95)),
        "pixels": int(both.sum()),
        "seen": float(both.sum() / max(seen.sum(), 1)),
    }


def stored_normals(path: str) -> tuple[np.ndarray, np.ndarray]:
    """The normals (H, W, 3) of a file of `hffne normals`, and where (H, W) they are those of the face."""
    with np.load(path) as stored:
        mask = stored["mask"]
        if "parts" in stored:
            mask = mask & ~np.isin(stored["part_names"][stored["parts"]], COVERS)
        return stored["normal"], mask


def _confidence_emitter() -> bpy.types.Material:
    """A new material that emits how well the photo shows each place."""
    emitter = new_material("HFFNE confidence")
    tree = tree_of(emitter)
    attribute = new_node(tree, bpy.types.ShaderNodeAttribute)
    attribute.attribute_name = face_attributes.CONFIDENCE
    emission = new_node(tree, bpy.types.ShaderNodeEmission)
    output = need_node(emitter, bpy.types.ShaderNodeOutputMaterial)
    tree.links.new(output_of(attribute, "Fac"), input_of(emission, "Color"))
    tree.links.new(output_of(emission, "Emission"), input_of(output, "Surface"))
    return emitter


def _holdout() -> bpy.types.Material:
    """A new material that leaves a hole in the picture."""
    hole = new_material("HFFNE hole")
    tree = tree_of(hole)
    output = need_node(hole, bpy.types.ShaderNodeOutputMaterial)
    tree.links.new(output_of(new_node(tree, bpy.types.ShaderNodeHoldout), "Holdout"), input_of(output, "Surface"))
    return hole


def _normal_emitter(source: bpy.types.Material) -> bpy.types.Material:
    """A copy of the face's material that emits its own shading normal as a color."""
    emitter = source.copy()
    tree = tree_of(emitter)
    normal_map = need_node(emitter, bpy.types.ShaderNodeNormalMap)
    # 0.5 + 0.5 n, because light cannot be negative.
    to_color = new_node(tree, bpy.types.ShaderNodeVectorMath)
    to_color.operation = "MULTIPLY_ADD"
    set_input(to_color, 1, (0.5, 0.5, 0.5))
    set_input(to_color, 2, (0.5, 0.5, 0.5))
    emission = new_node(tree, bpy.types.ShaderNodeEmission)
    output = need_node(emitter, bpy.types.ShaderNodeOutputMaterial)
    tree.links.new(output_of(normal_map, "Normal"), input_of(to_color, 0))
    tree.links.new(output_of(to_color, 0), input_of(emission, "Color"))
    tree.links.new(output_of(emission, "Emission"), input_of(output, "Surface"))
    return emitter


def set_up(scene: bpy.types.Scene, size: int, samples: int) -> None:
    """Set a scene up to render square pictures of floats with Cycles, without any filter over the pixels."""
    render: Any = scene.render
    render.engine = "CYCLES"
    render.resolution_x = render.resolution_y = size
    render.resolution_percentage = 100
    render.film_transparent = True
    render.use_compositing = render.use_sequencer = False
    render.image_settings.file_format = "OPEN_EXR"
    render.image_settings.color_mode = "RGBA"
    render.image_settings.color_depth = "32"
    cycles = cycles_of(scene)
    cycles.device = "CPU"
    cycles.samples = samples
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.pixel_filter_type = "BOX"


def render_pixels(scene: bpy.types.Scene) -> np.ndarray:
    """Render the scene and return its pixels (S, S, 4) float32, row 0 at the top."""
    with Scratch(tempfile.gettempdir(), folder=True) as folder:
        path = str(folder / "normal.exr")
        scene.render.filepath = path
        with silence_stdout():
            bpy.ops.render.render(write_still=True, scene=scene.name)
        image = bpy.data.images.load(path)
        try:
            color_spaces.set_space(image, is_data=True)
            return images.values(image)
        finally:
            bpy.data.images.remove(image)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="hffne_blender.commands.roundtrip", description=__doc__.split("\n")[0])
    parser.add_argument("blend", help="the .blend with one face object")
    parser.add_argument("normals", help="the .npz of `hffne normals` for the same photo")
    parser.add_argument("--size", type=int, default=512, help="pixels of the render (default: %(default)s)")
    options = parser.parse_args(arguments)
    bpy.ops.wm.open_mainfile(filepath=os.path.abspath(options.blend))
    faces = [obj for obj in bpy.data.objects if camera.load(obj) is not None]
    if len(faces) != 1:
        print(f"{options.blend} has {len(faces)} face objects; it needs exactly one.", file=sys.stderr)
        return 2
    result = compare(faces[0], *stored_normals(options.normals), options.size)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    leave(main())
