# SPDX-License-Identifier: GPL-3.0-or-later
"""The result that Blender builds an object from: mesh, textures and camera of one face."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from hffne.geometry.mesh import FaceMesh
from hffne.geometry.textures import Textures
from hffne.geometry.uv import landmark_uvs


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
              crop pixel of the object's origin, "crop" {center_x, center_y, side, size}, "photo_size" [width, height]
    notices   sentences for the user
    maps      the further maps that were requested, arrays by name, see maps.registry
    landmarks (68, 2) float32: their UVs, iBUG order
    rig       of a head (head.rig.Rig): neutral shape, parts, shape keys; None for a mask
    """

    mesh: FaceMesh
    textures: Textures
    camera: dict[str, Any]
    notices: list[str] = field(default_factory=list)
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    landmarks: np.ndarray = field(default_factory=landmark_uvs)
    rig: "Sendable | None" = None

    def as_message(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """(body, arrays) for the wire protocol: plain types, and the arrays by name."""
        body = {"units": "m", "camera": self.camera, "regions": list(self.mesh.regions), "notices": list(self.notices)}
        arrays = {
            "vertices": self.mesh.vertices,
            "uvs": self.mesh.corner_uvs,
            "quads": self.mesh.quads,
            "region_weights": self.mesh.region_weights,
            "normal": self.textures.normal,
            "color": self.textures.color,
            "confidence": self.textures.confidence,
            **self.maps,
            "landmarks": self.landmarks,
        }
        if self.rig is not None:
            more, more_arrays = self.rig.as_message()
            body, arrays = {**body, **more}, {**arrays, **more_arrays}
        return body, arrays
