# SPDX-License-Identifier: GPL-3.0-or-later
"""Does Blender shade the face with the normals that the engine saw?

Renders the built object's shading normals from the photo's viewpoint with Cycles and
compares them with camera-space normals on the photo's grid. One flipped axis, wrong
tangent, color space or UV anywhere in the chain shows here at once.

    python -m hffne_blender.commands.roundtrip FACE.blend NORMALS.npz

NORMALS.npz is what `hffne normals` writes: `normal` (H, W, 3) and `mask` (H, W).
"""

import argparse
import json
import os
import sys
import tempfile

import bpy
import numpy as np

from ..scene import camera, images, material
from ..system.scratch import Scratch
from ..system.silence_stdout import quiet


def rendered_normals(obj, size=512, samples=16):
    """The normals with which Cycles shades `obj`, seen from its photo's view.

    Returns (normal (S, S, 3) float32 in camera space, mask (S, S) bool), on the
    engine's crop, row 0 at the top. The mask leaves out pixels that the object
    covers only in part. Renders in a scene of its own, which is removed again.
    """
    scene = bpy.data.scenes.new("HFFNE round trip")
    view = camera.photo_camera(obj, "CROP")
    saved = [slot.material for slot in obj.material_slots]
    emitter = _emit_normals(saved[0])
    try:
        scene.collection.objects.link(obj)
        scene.collection.objects.link(view)
        obj.material_slots[0].material = emitter
        scene.camera = view
        _set_up(scene, size, samples)
        rgba = _render(scene)
    finally:
        obj.material_slots[0].material = saved[0]
        bpy.data.materials.remove(emitter)
        bpy.data.cameras.remove(view.data)
        bpy.data.scenes.remove(scene)
    alpha = rgba[..., 3]
    mask = alpha > 0.999
    world = rgba[..., :3] * 2 - 1
    turn = np.array(camera.load(obj)["rotation"])
    to_object = np.array(obj.matrix_world.to_quaternion().to_matrix()).T
    normal = world @ (turn @ to_object).T
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-6)
    return normal.astype(np.float32), mask


def on_crop(normal, mask, crop, size):
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
    sampled = sampled / np.maximum(np.linalg.norm(sampled, axis=2, keepdims=True), 1e-6)
    return sampled, whole


def angles(first, second):
    """The angles in degrees between two fields of unit vectors (..., 3)."""
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(first - second, axis=-1) / 2, 0, 1)))


def compare(obj, normal, mask, size=512):
    """Compare the object with normals on the photo's grid: a dict of degrees over the seen face."""
    rendered, covered = rendered_normals(obj, size)
    expected, seen = on_crop(normal, mask, camera.load(obj)["crop"], size)
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


def _emit_normals(source):
    """A copy of the face's material that glows with its own shading normal."""
    emitter = source.copy()
    tree = emitter.node_tree
    normal_map = material.find_node(emitter, "NORMAL_MAP")
    # 0.5 + 0.5 n, because light cannot be negative.
    to_color = tree.nodes.new("ShaderNodeVectorMath")
    to_color.operation = "MULTIPLY_ADD"
    to_color.inputs[1].default_value = (0.5, 0.5, 0.5)
    to_color.inputs[2].default_value = (0.5, 0.5, 0.5)
    glow = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(normal_map.outputs["Normal"], to_color.inputs[0])
    tree.links.new(to_color.outputs[0], glow.inputs["Color"])
    tree.links.new(glow.outputs["Emission"], material.find_node(emitter, "OUTPUT_MATERIAL").inputs["Surface"])
    return emitter


def _set_up(scene, size, samples):
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x = render.resolution_y = size
    render.resolution_percentage = 100
    render.film_transparent = True
    render.use_compositing = render.use_sequencer = False
    render.image_settings.file_format = "OPEN_EXR"
    render.image_settings.color_mode = "RGBA"
    render.image_settings.color_depth = "32"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples = samples
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.pixel_filter_type = "BOX"


def _render(scene):
    """Render the scene and return its pixels (S, S, 4) float32, row 0 at the top."""
    with Scratch(tempfile.gettempdir(), folder=True) as folder:
        path = str(folder / "normal.exr")
        scene.render.filepath = path
        with quiet():
            bpy.ops.render.render(write_still=True, scene=scene.name)
        image = bpy.data.images.load(path)
        try:
            image.colorspace_settings.name = "Non-Color"
            return images.values(image)
        finally:
            bpy.data.images.remove(image)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="hffne_blender.commands.roundtrip", description=__doc__.split("\n")[0])
    parser.add_argument("blend", help="the .blend with one face object")
    parser.add_argument("normals", help="the .npz of `hffne normals` for the same photo")
    parser.add_argument("--size", type=int, default=512, help="pixels of the render (default 512)")
    options = parser.parse_args(arguments)
    bpy.ops.wm.open_mainfile(filepath=os.path.abspath(options.blend))
    faces = [obj for obj in bpy.data.objects if camera.load(obj) is not None]
    if len(faces) != 1:
        print(f"{options.blend}: {len(faces)} face objects, one is needed.", file=sys.stderr)
        return 2
    with np.load(options.normals) as stored:
        result = compare(faces[0], stored["normal"], stored["mask"], options.size)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
