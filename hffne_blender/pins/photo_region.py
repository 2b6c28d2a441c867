# SPDX-License-Identifier: GPL-3.0-or-later
"""A 3D viewport that looks through a face's photo camera: between its pixels and those of the photo."""

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from ..numeric import photo_plane
from ..numeric.received_face import PhotoCamera
from ..scene import camera
from ..studio import photo_view
from ..studio.place import of_face
from ..system.required import required

# How much of the viewport's free part the face's square fills.
FILLED = 0.95


class PhotoRegion:
    """The viewport's window, `region` with its `view`, in which the face `obj` is seen as on the photo shown."""

    def __init__(self, obj: bpy.types.Object, region: bpy.types.Region, view: bpy.types.RegionView3D) -> None:
        self.camera: PhotoCamera = camera.shown(obj)
        self._size = np.array([region.width, region.height], float)
        matrix: Any = view.perspective_matrix @ obj.matrix_world
        self._matrix = np.array(matrix, float)
        # The view is orthographic: region pixels are linear in the places on the photo's plane.
        corners = self.of_plane(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
        self._to_plane = np.linalg.inv(np.stack([corners[1] - corners[0], corners[2] - corners[0]], axis=1))
        self._origin = corners[0]

    def of_points(self, points: np.ndarray) -> np.ndarray:
        """The region's pixels (N, 2) of points (N, 3) of object space."""
        clip = points @ self._matrix[:3, :3].T + self._matrix[:3, 3]
        return (clip[:, :2] + 1) / 2 * self._size

    def of_plane(self, places: np.ndarray) -> np.ndarray:
        """The region's pixels (N, 2) of places (N, 2) on the photo's plane."""
        return self.of_points(np.asarray(places) @ photo_plane.axes(self.camera)[:2])

    def of_photo(self, pixels: np.ndarray) -> np.ndarray:
        """The region's pixels (N, 2) of pixels (N, 2) of the photo."""
        return self.of_plane(photo_plane.from_photo(self.camera, pixels))

    def to_photo(self, x: float, y: float) -> np.ndarray:
        """The pixel (2,) of the photo at a pixel of the region."""
        place = self._to_plane @ (np.array([x, y]) - self._origin)
        return np.array(photo_plane.to_photo(self.camera, place)[0])

    @property
    def step(self) -> float:
        """How many pixels of the photo one of the region is."""
        return float(np.linalg.norm(self.to_photo(1, 0) - self.to_photo(0, 0)))


def of_context(context: bpy.types.Context, obj: bpy.types.Object) -> PhotoRegion | None:
    """The viewport of a context where it looks through the photo camera of the face `obj`, else None."""
    view, region = context.region_data, context.region
    if region is None or not isinstance(view, bpy.types.RegionView3D) or is_beside(context, view, obj):
        return None
    return PhotoRegion(obj, region, view)


def is_beside(context: bpy.types.Context, view: bpy.types.RegionView3D, obj: bpy.types.Object) -> bool:
    """Whether a view does not look through the photo camera of the face `obj`."""
    scene = context.scene
    return (
        scene is None or view.view_perspective != "CAMERA" or scene.camera not in of_face(scene, obj, photo_view.KIND)
    )


def frame(area: bpy.types.Area, obj: bpy.types.Object, view: bpy.types.Object, square: Sequence[float]) -> None:
    """Zoom a viewport's camera view so that a square of the photo fills what is not under toolbar and sidebar.

    view    the photo camera of the face `obj`
    square  center x and y and side in pixels of the photo
    """
    space, window = area.spaces.active, next(region for region in area.regions if region.type == "WINDOW")
    data = view.data
    if not isinstance(space, bpy.types.SpaceView3D) or not isinstance(data, bpy.types.Camera):
        return
    through = required(space.region_3d)
    seen, (x, y, side) = camera.shown(obj), square
    width, height = seen["photo_size"]
    points = np.array([[(width - 1) / 2, (height - 1) / 2], [x, y], [x + side, y]])
    middle, center, edge = photo_plane.from_photo(seen, points) * obj.matrix_world.to_scale().x
    left, right = (
        sum(region.width for region in area.regions if region.type == kind and region.width > 1)
        for kind in ("TOOLS", "UI")
    )
    free = max(window.width - left - right, window.width / 3)
    # As Blender computes a camera's view: the frame's longer side has `factor` times the window's longer side.
    wanted = FILLED * min(free, window.height) / (edge[0] - center[0]) * data.ortho_scale
    factor = wanted / max(window.width, window.height)
    through.view_camera_zoom = float(np.clip((2 * np.sqrt(factor) - np.sqrt(2)) * 50, -30, 600))
    aside = (center - middle) * wanted / data.ortho_scale + [(right - left) / 2, 0]
    through.view_camera_offset = (aside / (2 * factor * np.array([window.width, window.height]))).tolist()


def nearest(places: np.ndarray, at: Sequence[float], reach: float) -> int:
    """The number of the place (N, 2) nearest to `at`, -1 where none is within `reach`."""
    if not len(places):
        return -1
    distance = np.linalg.norm(places - np.asarray(at, float), axis=1)
    best = int(np.argmin(distance))
    return best if distance[best] <= reach else -1
