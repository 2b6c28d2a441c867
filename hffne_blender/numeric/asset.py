# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine answers to "generate", checked before anything is built from it. No bpy here."""

from dataclasses import dataclass, field

import numpy as np

# The further arrays that an answer may hold: type, channels, and whether they are of the textures' size.
MAPS = {
    "albedo": (np.uint8, 3, True),
    "height": (np.float32, 0, True),
    "curvature": (np.float32, 0, True),
    "occlusion": (np.uint16, 0, True),
    "roughness": (np.uint8, 0, True),
    "normal_medium": (np.float32, 3, False),
    "normal_coarse": (np.float32, 3, False),
    "photo_normal": (np.float32, 3, False),
    "photo_mask": (np.uint8, 0, False),
    "photo_color": (np.uint8, 3, False),
    "photo_albedo": (np.uint8, 3, False),
}


class AssetError(ValueError):
    """The engine's answer is not a face asset; says which part is wrong."""


@dataclass(frozen=True)
class FaceAsset:
    """One face, in meters on Blender's object axes (X to the viewer's right, -Y forward, Z up).

    name            the photo's stem
    vertices        (V, 3) float32
    uvs             (V, 2) float32, one a vertex, 0..1
    quads           (Q, 4) int32, counter-clockwise seen from outside
    regions         names of the R regions
    region_weights  (R, V) float32, 0..1
    normal          (T, T, 3) float32, object-space unit normals, row 0 at v = 1
    color           (T, T, 3) uint8 sRGB, or None
    confidence      (T, T) float32, how well the photo saw a texel, or None
    landmarks       (68, 2) float32, the UVs of the landmarks in iBUG order, or None
    camera          plain dict from object to photo, see `scene.camera`
    notices         sentences for the user
    maps            the further arrays by name, those of MAPS that were asked for: albedo (sRGB), height (meters),
                    curvature (1/m), occlusion and roughness (the type's largest value is 1), normal_medium and
                    normal_coarse (the normal without its fine, and without its fine and medium relief), and
                    the photo's crop: photo_normal (camera space), photo_mask, photo_color, photo_albedo
    """

    name: str
    vertices: np.ndarray
    uvs: np.ndarray
    quads: np.ndarray
    regions: tuple
    region_weights: np.ndarray
    normal: np.ndarray
    color: np.ndarray
    confidence: np.ndarray
    landmarks: np.ndarray
    camera: dict
    notices: tuple
    maps: dict = field(default_factory=dict)

    @classmethod
    def from_answer(cls, message, arrays):
        """Check the answer's shapes and ranges. Raises AssetError."""
        vertices = _array(arrays, "vertices", np.float32, (None, 3))
        count = len(vertices)
        uvs = _array(arrays, "uvs", np.float32, (count, 2))
        quads = _array(arrays, "quads", np.int32, (None, 4))
        if not len(quads) or quads.min() < 0 or quads.max() >= count:
            raise AssetError("The engine's quads do not fit its vertices.")
        normal = _array(arrays, "normal", np.float32, (None, None, 3))
        size = normal.shape[0]
        if normal.shape[1] != size or size < 2:
            raise AssetError("The engine's normal texture is not square.")
        regions = tuple(str(name) for name in message.get("regions", ()))
        weights = np.zeros((0, count), np.float32)
        if regions:
            weights = _array(arrays, "region_weights", np.float32, (len(regions), count))
        color = _array(arrays, "color", np.uint8, (size, size, 3)) if "color" in arrays else None
        confidence = _array(arrays, "confidence", np.float32, (size, size)) if "confidence" in arrays else None
        landmarks = _array(arrays, "landmarks", np.float32, (68, 2)) if "landmarks" in arrays else None
        return cls(
            name=str(message.get("name") or "Face"),
            vertices=vertices,
            uvs=uvs,
            quads=quads,
            regions=regions,
            region_weights=weights,
            normal=normal,
            color=color,
            confidence=confidence,
            landmarks=landmarks,
            camera=_camera(message.get("camera")),
            notices=tuple(str(text) for text in message.get("notices", ())),
            maps=_maps(arrays, size),
        )


def _array(arrays, name, dtype, shape):
    array = arrays.get(name)
    if array is None:
        raise AssetError(f"The engine's answer has no '{name}'.")
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape))
    if array.dtype != dtype or not fits:
        raise AssetError(f"The engine's '{name}' is {array.dtype} {array.shape}: not what was expected.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise AssetError(f"The engine's '{name}' holds numbers that are not finite.")
    return array


def _maps(arrays, size):
    found = {}
    for name, (dtype, channels, same_size) in MAPS.items():
        if name in arrays:
            side = (size, size) if same_size else (None, None)
            found[name] = _array(arrays, name, dtype, side + ((channels,) if channels else ()))
    return found


def _camera(camera):
    try:
        crop = {key: float(camera["crop"][key]) for key in ("center_x", "center_y", "side", "size")}
        checked = {
            "rotation": np.asarray(camera["rotation"], float).reshape(3, 3).tolist(),
            "scale": float(camera["scale"]),
            "center": [float(value) for value in camera["center"]],
            "crop": crop,
            "photo_size": [int(value) for value in camera["photo_size"]],
        }
    except (KeyError, TypeError, ValueError):
        raise AssetError("The engine's answer has no usable camera.") from None
    if checked["scale"] <= 0 or len(checked["center"]) != 2 or len(checked["photo_size"]) != 2:
        raise AssetError("The engine's answer has no usable camera.")
    return checked
