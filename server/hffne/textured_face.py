# SPDX-License-Identifier: GPL-3.0-or-later
"""The result that Blender builds an object from: mesh, textures and camera of one face."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.mesh import FaceMesh
from hffne.geometry.textures import Textures
from hffne.geometry.uv import landmark_uvs
from hffne.photo.crop import Crop

# Rows that are encoded at once, which bounds the memory for a large texture.
_BAND = 128


class Sendable(Protocol):
    """Has a part of the message."""

    def as_message(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """(body, arrays) for the wire protocol."""


@dataclass
class TexturedFace:
    """Mesh, textures and camera of one face.

    mesh      vertices, UVs and quads (geometry.mesh.FaceMesh)
    textures  normal, color and confidence on the UV layout (geometry.textures.Textures)
    camera    "rotation" 3x3 object axes -> camera axes, "scale" pixels of the crop at 256 per meter, "center" the
              crop pixel of the object's origin, "crop" {center_x, center_y, side, size}, "photo_size" [width, height],
              "photo" the number of the photo, from 0
    notices   sentences for the user
    maps      the further maps that were requested, arrays by name, see maps.registry
    landmarks (68, 2) float32: their UVs, iBUG order
    rig       of a head (head.rig.Rig): neutral shape, parts, shape keys; None for a mask
    cameras   the camera of each photo, in the photos' order
    """

    mesh: FaceMesh
    textures: Textures
    camera: dict[str, Any]
    notices: list[str] = field(default_factory=list)
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    landmarks: np.ndarray = field(default_factory=landmark_uvs)
    rig: "Sendable | None" = None
    cameras: list[dict[str, Any]] = field(default_factory=list)

    def as_message(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """(body, arrays) for the wire protocol: plain types, and the arrays by name."""
        body: dict[str, Any] = {
            "units": "m",
            "camera": self.camera,
            "regions": list(self.mesh.regions),
            "notices": list(self.notices),
        }
        if len(self.cameras) > 1:
            body["cameras"] = self.cameras
        arrays: dict[str, np.ndarray] = {
            "vertices": self.mesh.vertices,
            "uvs": self.mesh.corner_uvs,
            "quads": self.mesh.quads,
            "region_weights": self.mesh.region_weights,
            "normal": _as_uint16(self.textures.normal, -1, 1),
            "color": self.textures.color,
            "confidence": _as_uint16(self.textures.confidence, 0, 1),
            **self.maps,
            "landmarks": self.landmarks,
        }
        if self.rig is not None:
            more, more_arrays = self.rig.as_message()
            body, arrays = {**body, **more}, {**arrays, **more_arrays}
        return body, arrays


def photo_camera(crop: Crop, shape: BaseShape, photo_size: tuple[int, int], number: int = 0) -> dict[str, Any]:
    """`TexturedFace.camera` of a shape on a photo's crop at 256; photo_size (width, height); number: of the photo."""
    return {
        "rotation": [[float(v) for v in row] for row in crop.unturning @ shape.rotation],
        "scale": float(shape.scale),
        "center": [float(v) for v in crop.unturned_points(np.array([*shape.center, 0], np.float32))[:2]],
        "crop": {"center_x": crop.center_x, "center_y": crop.center_y, "side": crop.side, "size": crop.size},
        "photo_size": [int(v) for v in photo_size],
        "photo": number,
    }


def _as_uint16(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values from low to high as 0 to 65535: of a normal as fine as the image that it becomes, in half the bytes."""
    codes = np.empty(values.shape, np.uint16)
    scale = np.float32(65535 / (high - low))
    for top in range(0, len(values), _BAND):
        band = slice(top, top + _BAND)
        codes[band] = np.clip((values[band] - np.float32(low)) * scale + np.float32(0.5), 0, 65535)
    return codes
