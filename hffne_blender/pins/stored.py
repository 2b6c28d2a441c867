# SPDX-License-Identifier: GPL-3.0-or-later
"""The pins of a face, in the file.

"hffne_pins"            on the object, a JSON list: of each pin "vertices" (3) and "weights" (3), the point of the
                        surface, "at" (x, y), where it is on a photo in its pixels, "mirrored", and "photo", the number
                        of that photo among several, from 0
"hffne_pins_projected"  on the object: "hffne_pins" as it was when the maps were projected
"hffne_found"           on the mesh, a vector per vertex: the face as on the photo before any correction
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import bpy
import numpy as np

from ..scene import built_shape, camera
from ..scene.access import mesh_of, read_array, write_array
from ..scene.stored import json_of

PROPERTY, PROJECTED, FOUND = "hffne_pins", "hffne_pins_projected", "hffne_found"
# The most pins of a face; each may have a mirror image.
MOST = 128


@dataclass(frozen=True)
class Pin:
    """A point of the surface, given by three vertices and their weights, and where it is on a photo (pixels).

    photo: which one of several, from 0
    """

    vertices: tuple[int, int, int]
    weights: tuple[float, float, float]
    at: tuple[float, float]
    mirrored: bool = False
    photo: int = 0

    def moved(self, at: Sequence[float]) -> "Pin":
        """The pin at another place of the photo."""
        return replace(self, at=(round(float(at[0]), 3), round(float(at[1]), 3)))

    def point(self, points: np.ndarray) -> np.ndarray:
        """Its point (C,) of the vertices' points (V, C)."""
        return np.array(self.weights) @ points[list(self.vertices)]


def load(obj: bpy.types.Object) -> list[Pin]:
    """The pins of a face; those that do not fit its mesh are left out."""
    found, count, photos = json_of(obj, PROPERTY), len(mesh_of(obj).vertices), set(camera.by_photo(obj))
    if not isinstance(found, list) or (found and FOUND not in mesh_of(obj).attributes):
        return []
    # Before there was one photo only for pins: the one whose camera the face has.
    only = camera.of_face(obj)["photo"]
    pins = [_pin(entry, count, only) for entry in found[:MOST]]
    return [pin for pin in pins if pin is not None and pin.photo in photos]


def counted(obj: bpy.types.Object) -> str:
    """How many pins a face has, in words."""
    count = len(load(obj))
    return f"{count} pins" if count != 1 else "1 pin"


def places(pins: Sequence[Pin], photo: int) -> np.ndarray:
    """Where pins are on the photo of a number: (N, 2) pixels, infinitely far away for those of other photos."""
    return np.array([pin.at if pin.photo == photo else (np.inf, np.inf) for pin in pins]).reshape(-1, 2)


def store(obj: bpy.types.Object, pins: Sequence[Pin]) -> None:
    """Store the pins of a face. With the first one the uncorrected shape is kept."""
    if pins and not load(obj):
        _keep_found(obj)
    obj[PROPERTY] = json.dumps([asdict(pin) for pin in pins])


def is_projected(obj: bpy.types.Object) -> bool:
    """Whether the maps of a face fit its pins."""
    return bool(obj.get(PROPERTY, "[]") == obj.get(PROJECTED, "[]"))


def set_projected(obj: bpy.types.Object, pins: str) -> None:
    """Note for which pins (the property's text) the maps of a face were projected."""
    obj[PROJECTED] = pins


def found_points(obj: bpy.types.Object) -> np.ndarray:
    """The vertices (V, 3) float32 of a face as on the photo before any correction."""
    layer = mesh_of(obj).attributes.get(FOUND)
    if load(obj) and isinstance(layer, bpy.types.FloatVectorAttribute):
        return read_array(layer.data, "vector", 3)
    return built_shape.points(obj)


def _keep_found(obj: bpy.types.Object) -> None:
    mesh = mesh_of(obj)
    layer = mesh.attributes.get(FOUND)
    if layer is None:
        layer = mesh.attributes.new(FOUND, "FLOAT_VECTOR", "POINT")
    assert isinstance(layer, bpy.types.FloatVectorAttribute)
    write_array(layer.data, "vector", built_shape.points(obj))


def _pin(entry: Any, count: int, photo: int) -> Pin | None:
    """One pin of a file, which may be damaged, on a mesh with so many vertices; None where it is not one.

    photo: the number of its photo where the pin does not say it
    """
    try:
        a, b, c = (int(value) for value in entry["vertices"])
        weights, at = (np.array(entry[name], float) for name in ("weights", "at"))
        mirrored, photo = bool(entry["mirrored"]), int(entry.get("photo", photo))
    except (KeyError, AttributeError, TypeError, ValueError, OverflowError):
        return None
    sound = min(a, b, c) >= 0 and max(a, b, c) < count and weights.shape == (3,) and at.shape == (2,)
    if not sound or not np.isfinite([*weights, *at]).all() or np.abs(weights).max() > 2 or np.abs(at).max() > 1e6:
        return None
    u, v, w = weights.tolist()
    return Pin((a, b, c), (u, v, w), (float(at[0]), float(at[1])), mirrored, photo)
