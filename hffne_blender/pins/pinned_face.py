# SPDX-License-Identifier: GPL-3.0-or-later
"""A face that follows its pins: its uncorrected shape, its photos' cameras, and the fit. Nothing here changes the file.

Everything that does not depend on where the pins are is computed once, so that a pin can be dragged.
"""

from collections.abc import Sequence
from functools import cached_property

import bpy
import numpy as np

from ..numeric import photo_plane, pin_fit, surface_pick
from ..numeric.smooth_field import SmoothField, fronts, kernel
from ..numeric.world_surface import locate_uvs
from ..scene import camera, face_attributes, head, mesh, mesh_arrays
from ..scene.access import mesh_of, read_array
from . import stored
from .stored import Pin

# Parts of a head that keep their form, each group as one; as the engine has them (hffne.head.correction).
RIGID = (("Teeth", "Gums and Tongue"), ("Eye Left", "Iris Left"), ("Eye Right", "Iris Right"))


class PinnedFace:
    """A face object with its pins as they are now. Raises ValueError for an object that is not a face.

    camera  of the photo that is shown, of which all methods below speak; cameras: of all its photos, by their numbers
    found   (V, 3) the vertices as on the photo before any correction, meters on the object's axes
    pins    its pins
    """

    def __init__(self, obj: bpy.types.Object) -> None:
        self.camera, self.cameras = camera.shown(obj), camera.by_photo(obj)
        self.found = stored.found_points(obj)
        self.pins = stored.load(obj)
        data = mesh_of(obj)
        slot = head.skin_slot(obj)
        self.triangles = mesh_arrays.triangle_vertices(data, slot)
        self._uvs = mesh_arrays.loop_uvs(data, mesh.UV_NAME)[mesh_arrays.triangle_loops(data, slot)]
        self._landmark_uvs = face_attributes.landmark_uvs(obj)
        self._rigid = _rigid(obj)
        self._axes = photo_plane.axes(self.camera)
        self._points = np.concatenate([self.found, fronts(self.found, self._rigid)])
        self._columns: dict[bytes, np.ndarray] = {}

    def field(self, pins: Sequence[Pin]) -> SmoothField:
        """The correction that some pins ask for."""
        pulls = []
        for pin in pins:
            seen_by = self.cameras[pin.photo]
            target, across = photo_plane.from_photo(seen_by, np.array(pin.at))[0], photo_plane.axes(seen_by)[:2]
            point = pin.point(self.found).astype(float)
            pulls.append(pin_fit.Pull(point, across, target - across @ point, pin.mirrored))
        return pin_fit.solve(pulls)

    def displacement(self, pins: Sequence[Pin]) -> np.ndarray:
        """How far (V, 3) float32 the vertices move from `found` for some pins."""
        field, count = self.field(pins), len(self.found)
        total = np.zeros_like(self._points)
        # A column of the kernel belongs to a pin's point and stays while the pin is dragged.
        for center, weight in zip(field.centers, field.weights, strict=True):
            key = center.tobytes()
            if key not in self._columns:
                self._columns[key] = kernel(self._points, center)
            total += self._columns[key] * weight
        moved = total[:count]
        for index, whole in zip(self._rigid, total[count:], strict=True):
            moved[index] = whole
        return moved

    def seen(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) of object space as the photo's camera sees them: on its plane, and z toward the viewer."""
        return points @ self._axes.T

    def from_plane(self, places: np.ndarray) -> np.ndarray:
        """Points (N, 3) of object space at places (N, 2) of the photo's plane, at the depth of the object's origin."""
        return np.asarray(places) @ self._axes[:2]

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Where on the photo (N, 2), in its pixels, points (N, 3) of object space are."""
        return photo_plane.to_photo(self.camera, self.seen(points)[:, :2])

    def new_pin(self, points: np.ndarray, pixel: np.ndarray, reach: float, mirrored: bool) -> Pin | None:
        """A pin on the face (V, 3) as it is now that holds what is at a pixel of the photo; None beside the face.

        reach  pixels of the photo: a landmark so near is taken, or, beside the face, a point of its outline
        """
        if self._landmarks is not None:
            vertices, weights = self._landmarks
            marks = self.pixels(np.einsum("kc,kcx->kx", weights, points[vertices]))
            distance = np.linalg.norm(marks - pixel, axis=1)
            best = int(np.argmin(distance))
            if distance[best] < reach:
                return self._pin(vertices[best], weights[best], marks[best], mirrored)
        place = photo_plane.from_photo(self.camera, pixel)[0]
        a_pixel = np.linalg.norm(photo_plane.from_photo(self.camera, pixel + [1, 0])[0] - place)
        picked = surface_pick.pick(self.seen(points), self.triangles, place, reach * float(a_pixel))
        if picked is None:
            return None
        vertices_, weights_ = picked
        at = self.pixels((weights_ @ points[vertices_])[None])[0]
        return self._pin(vertices_, weights_, at, mirrored)

    def landmarks(self, points: np.ndarray) -> np.ndarray:
        """The landmarks (68, 3), iBUG order, on the face (V, 3) as it is now; (0, 3) where they are not known."""
        if self._landmarks is None:
            return np.zeros((0, 3))
        vertices, weights = self._landmarks
        return np.einsum("kc,kcx->kx", weights, points[vertices])

    def outline(self, points: np.ndarray) -> np.ndarray:
        """The edges (E, 2) of vertices at which the face (V, 3), as it is now, turns away from the photo's camera."""
        return surface_pick.outline(self.seen(points), self.triangles, self._edges)

    def _pin(self, vertices: np.ndarray, weights: np.ndarray, at: np.ndarray, mirrored: bool) -> Pin:
        a, b, c = (int(value) for value in vertices)
        u, v, w = (round(float(value), 5) for value in weights)
        return Pin((a, b, c), (u, v, w), (0.0, 0.0), mirrored, self.camera["photo"]).moved(at.tolist())

    @cached_property
    def _edges(self) -> surface_pick.Edges:
        return surface_pick.Edges.of(self.triangles)

    @cached_property
    def _landmarks(self) -> tuple[np.ndarray, np.ndarray] | None:
        """(vertices (68, 3), weights (68, 3)) of the landmarks."""
        if self._landmark_uvs is None:
            return None
        owners, weights = locate_uvs(self._uvs.astype(float), self._landmark_uvs)
        return self.triangles[owners], weights


def _rigid(obj: bpy.types.Object) -> list[np.ndarray]:
    """The vertices of each rigid part of a head; [] for a mask."""
    names = head.parts_of(obj)
    data = mesh_of(obj)
    if not names:
        return []
    slots = read_array(data.polygons, "material_index", 1, np.int32)
    totals = read_array(data.polygons, "loop_total", 1, np.int32)
    of_loop, vertices = np.repeat(slots, totals), mesh_arrays.loop_vertices(data)
    parts = []
    for group in RIGID:
        wanted = [number for number, name in enumerate(names) if name in group]
        index = np.unique(vertices[np.isin(of_loop, wanted)])
        if len(index):
            parts.append(index)
    return parts
