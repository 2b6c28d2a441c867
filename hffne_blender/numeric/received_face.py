# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's answer to "generate", checked before anything is built from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np

from .checked_arrays import ReceivedFaceError, checked, optional
from .received_head import ReceivedHead

# The optional arrays of an answer: type, channels (0: no channel axis), and whether they have the textures' size.
MAP_TYPES: dict[str, tuple[type[np.generic], int, bool]] = {
    "albedo": (np.uint8, 3, True),
    "height": (np.float32, 0, True),
    "curvature": (np.float32, 0, True),
    "occlusion": (np.uint16, 0, True),
    "roughness": (np.uint8, 0, True),
    "seen": (np.uint8, 0, True),
    "normal_medium": (np.float32, 3, False),
    "normal_coarse": (np.float32, 3, False),
    "photo_normal": (np.float32, 3, False),
    "photo_mask": (np.uint8, 0, False),
    "photo_color": (np.uint8, 3, False),
    "photo_albedo": (np.uint8, 3, False),
    "normal_pores": (np.uint16, 3, True),
}


class PhotoCrop(TypedDict):
    """The square of the photo that the engine used: center and side in the photo's pixels, size in crop pixels."""

    center_x: float
    center_y: float
    side: float
    size: float


class PhotoCamera(TypedDict):
    """The orthographic camera of the photo; `scene.camera` describes its fields."""

    rotation: list[list[float]]
    scale: float
    center: list[float]
    crop: PhotoCrop
    photo_size: list[int]
    photo: int


@dataclass(frozen=True)
class ReceivedFace:
    """One face, in meters on Blender's object axes (X to the viewer's right, -Y forward, Z up).

    name            the photo's stem
    vertices        (V, 3) float32, the face as on the photo
    uvs             (Q, 4, 2) float32 of the quads' corners, 0..1
    quads           (Q, 4) int32, counter-clockwise seen from outside; the last is -1 for a triangle
    regions         names of the R regions
    region_weights  (R, V) float32, 0..1
    normal          (T, T, 3) uint16, object-space unit normals as `png.encode_normal` codes them, row 0 at v = 1
    color           (T, T, 3) uint8 sRGB, or None
    confidence      (T, T) uint16, how well the photo shows a texel, 65535 is fully, or None
    landmarks       (68, 2) float32, the UVs of the landmarks in iBUG order, or None
    camera          from object space to the photo, see `scene.camera`
    cameras         of a face of several photos: that of each photo, in their order; else empty
    notices         sentences for the user
    maps            the optional arrays by name, those of MAP_TYPES that were requested: albedo (sRGB), height (meters),
                    curvature (1/m), occlusion, roughness and seen (the type's largest value is 1), normal_medium and
                    normal_coarse (the normal without its fine, and without its fine and medium detail), normal_pores
                    (the normal with synthetic pores, coded as it is), and the photo's crop: photo_normal (camera
                    space), photo_mask, photo_color, photo_albedo
    head            what a head has besides, or None for a mask
    """

    name: str
    vertices: np.ndarray
    uvs: np.ndarray
    quads: np.ndarray
    regions: tuple[str, ...]
    region_weights: np.ndarray
    normal: np.ndarray
    color: np.ndarray | None
    confidence: np.ndarray | None
    landmarks: np.ndarray | None
    camera: PhotoCamera
    notices: tuple[str, ...]
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    head: ReceivedHead | None = None
    cameras: tuple[PhotoCamera, ...] = ()

    @property
    def skin(self) -> np.ndarray:
        """(Q,) bool: the quads that the textures belong to."""
        return np.ones(len(self.quads), bool) if self.head is None else self.head.quad_parts == 0

    def texture_corners(self) -> tuple[np.ndarray, np.ndarray]:
        """(vertices (C,), UVs (C, 2)) of the corners of the skin's quads."""
        used = (self.quads >= 0) & self.skin[:, None]
        return self.quads[used], self.uvs[used]

    @classmethod
    def from_answer(cls, message: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> "ReceivedFace":
        """Check the shapes and ranges of an answer (message, arrays). Raises ReceivedFaceError."""
        vertices = checked(arrays, "vertices", np.float32, (None, 3))
        count = len(vertices)
        quads = checked(arrays, "quads", np.int32, (None, 4))
        if not len(quads) or quads[:, :3].min() < 0 or quads.min() < -1 or quads.max() >= count:
            raise ReceivedFaceError("The engine's quads do not fit its vertices.")
        uvs = checked(arrays, "uvs", np.float32, (len(quads), 4, 2))
        corners = uvs[quads >= 0]
        if corners.min() < 0 or corners.max() > 1:
            raise ReceivedFaceError("The engine's UVs are not within 0 and 1.")
        normal = checked(arrays, "normal", np.uint16, (None, None, 3))
        size = normal.shape[0]
        if normal.shape[1] != size or size < 2:
            raise ReceivedFaceError("The engine's normal texture is not square.")
        regions = tuple(str(name) for name in message.get("regions", ()))
        weights = np.zeros((0, count), np.float32)
        if regions:
            weights = checked(arrays, "region_weights", np.float32, (len(regions), count))
        return cls(
            name=str(message.get("name") or "Face"),
            vertices=vertices,
            uvs=uvs,
            quads=quads,
            regions=regions,
            region_weights=weights,
            normal=normal,
            color=optional(arrays, "color", np.uint8, (size, size, 3)),
            confidence=optional(arrays, "confidence", np.uint16, (size, size)),
            landmarks=optional(arrays, "landmarks", np.float32, (68, 2)),
            camera=checked_camera(message.get("camera")),
            notices=tuple(str(text) for text in message.get("notices", ())),
            maps=_maps(arrays, size),
            head=ReceivedHead.from_answer(message, arrays, count, len(quads)),
            cameras=tuple(checked_camera(each) for each in message.get("cameras", ())),
        )


def _maps(arrays: Mapping[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    maps = {}
    for name, (dtype, channels, same_size) in MAP_TYPES.items():
        if name in arrays:
            side: tuple[int | None, ...] = (size, size) if same_size else (None, None)
            maps[name] = checked(arrays, name, dtype, side + ((channels,) if channels else ()))
    return maps


def checked_camera(camera: Any) -> PhotoCamera:
    """The camera that plain data describes. Raises ReceivedFaceError where it is not one."""
    try:
        crop = camera["crop"]
        checked = PhotoCamera(
            rotation=np.asarray(camera["rotation"], float).reshape(3, 3).tolist(),
            scale=float(camera["scale"]),
            center=[float(value) for value in camera["center"]],
            crop=PhotoCrop(
                center_x=float(crop["center_x"]),
                center_y=float(crop["center_y"]),
                side=float(crop["side"]),
                size=float(crop["size"]),
            ),
            photo_size=[int(value) for value in camera["photo_size"]],
            # Engines and files of earlier versions do not say it.
            photo=max(0, int(camera.get("photo", 0))),
        )
    except (LookupError, TypeError, ValueError, ArithmeticError):
        raise ReceivedFaceError("The engine's answer has no usable camera.") from None
    numbers = [*checked["rotation"][0], *checked["rotation"][1], *checked["rotation"][2], checked["scale"]]
    numbers += [
        *checked["center"],
        checked["crop"]["size"],
        checked["crop"]["center_x"],
        checked["crop"]["center_y"],
        checked["crop"]["side"],
    ]
    if not np.isfinite(numbers).all():
        raise ReceivedFaceError("The engine's camera holds values that are not finite.")
    if checked["scale"] <= 0 or len(checked["center"]) != 2 or len(checked["photo_size"]) != 2:
        raise ReceivedFaceError("The engine's answer has no usable camera.")
    return checked
