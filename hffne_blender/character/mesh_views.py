# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a mesh for the engine's eyes, and where on the mesh its landmarks are.

The mesh is drawn in gray by casting a ray a pixel: no render engine, no GPU, no change
to the scene. The engine finds the face on that picture as on any photo.
"""

from dataclasses import dataclass

import numpy as np
from mathutils import Vector

from .source import on_surface
from .surface import barycentric

PIXELS = 288
# Light from above, a little from the side: noses and lips throw their shading.
LIGHT = np.array([-0.35, 0.55, 0.76])
AMBIENT, SKIN, BACKGROUND = 0.22, 0.80, 0.30


@dataclass(frozen=True)
class View:
    """An orthographic square window: `right`, `up`, `back` (to the viewer) unit axes, center, side in world units."""

    right: np.ndarray
    up: np.ndarray
    back: np.ndarray
    center: np.ndarray
    side: float

    def closer(self, box, factor=2.0):
        """The window around a box (x, y, width, height) of this picture's pixels."""
        x, y, width, height = box
        step = self.side / PIXELS
        center = (
            self.center
            + self.right * ((x + width / 2) * step - self.side / 2)
            - self.up * ((y + height / 2) * step - self.side / 2)
        )
        return View(self.right, self.up, self.back, center, factor * max(width, height) * step)

    def grid(self):
        """The pixel centers (PIXELS, PIXELS, 3) on the window's plane, row 0 at the top."""
        step = ((np.arange(PIXELS) + 0.5) / PIXELS - 0.5) * self.side
        return self.center + step[None, :, None] * self.right - step[:, None, None] * self.up


@dataclass(frozen=True)
class Picture:
    """gray (P, P) uint8; hit (P, P) bool; points (P, P, 3) what each pixel shows, world space."""

    view: View
    gray: np.ndarray
    hit: np.ndarray
    points: np.ndarray

    def point_at(self, x, y):
        """The place of the mesh under (x, y) pixels (whole numbers are centers); of the nearest pixel that shows it."""
        rows, cols = np.nonzero(self.hit)
        nearest = np.argmin((rows - y) ** 2 + (cols - x) ** 2)
        return self.points[rows[nearest], cols[nearest]]


def views(points, matrix):
    """Windows in which a head may be found, the likeliest first: a generator of View.

    points (V, 3) world space; matrix: the object's. A head looks along -Y in Blender, but
    not everybody keeps to it; it is at the top of a figure, or all there is.
    """
    turn = np.array(matrix, float)[:3, :3]
    turn = turn / np.maximum(np.linalg.norm(turn, axis=0), 1e-12)
    frames = [np.eye(3), turn]
    frames += [np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]) for c, s in ((-1, 0), (0, 1), (0, -1))]
    seen = []
    for frame in frames:
        if any(np.allclose(frame, other, atol=1e-3) for other in seen):
            continue
        seen.append(frame)
        right, up, back = frame[:, 0], frame[:, 2], -frame[:, 1]
        across, along = points @ right, points @ up
        height, top = np.ptp(along), along.max()
        width = np.ptp(across)
        depth = (points @ back).max()
        middle = (across.max() + across.min()) / 2
        sides = [1.08 * max(height, width)]
        if height > 2.0 * np.ptp(across[along > top - height / 8]):
            # A figure: its head is an eighth to a sixth of it.
            sides = [height / 5.5, height / 3.5, *sides]
        for side in sides:
            crown = across[along > top - min(height, side) * 0.4]
            x = (crown.max() + crown.min()) / 2 if side < height else middle
            y = top - side * 0.46 if side < height else top - height / 2
            yield View(right, up, back, x * right + y * up + depth * back, side)


def picture(surface, tree, view):
    """Draw a Surface (with its BVHTree) as seen through a View."""
    low = (surface.points @ view.back).min()
    start = view.grid().reshape(-1, 3)
    start = start + view.back * (
        0.01 * view.side + max(0.0, (surface.points @ view.back).max() - view.center @ view.back)
    )
    reach = float(start[0] @ view.back - low) + view.side
    direction = Vector(-view.back)
    owners, places = np.full(len(start), -1), np.zeros((len(start), 3))
    for index, origin in enumerate(start.tolist()):
        place, _, owner, _ = tree.ray_cast(origin, direction, reach)
        if place is not None:
            owners[index], places[index] = owner, place
    hit = owners >= 0
    shade = np.full(len(start), BACKGROUND)
    if hit.any():
        owner = owners[hit]
        share = barycentric(surface.points[surface.triangles[owner]], places[hit])
        normal = np.einsum("kc,kcx->kx", share, surface.normals[owner])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        seen = normal @ np.stack([view.right, view.up, view.back], axis=1)
        light = np.clip(seen @ (LIGHT / np.linalg.norm(LIGHT)), 0, 1)
        shade[hit] = SKIN * (AMBIENT + (1 - AMBIENT) * light)
    # What is twice as bright is not twice as large a number: sRGB, nearly.
    gray = np.rint(255 * np.clip(shade, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    square = (PIXELS, PIXELS)
    return Picture(view, gray.reshape(square), hit.reshape(square), places.reshape(*square, 3))


def landmarks_on(answer, drawn, wanted):
    """Where the engine sees landmarks on a Picture: (K, 3) world space.

    answer  (message, arrays) of its "generate" for the picture; wanted: indices into its landmarks
    """
    message, arrays = answer
    camera, quads = message["camera"], arrays["quads"]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    owners, weights = on_surface(triangles, arrays["uvs"][triangles].astype(float), arrays["landmarks"][wanted])
    points = np.einsum("kc,kcx->kx", weights, arrays["vertices"][triangles[owners]].astype(float))
    seen = points @ np.array(camera["rotation"]).T * camera["scale"]
    crop = camera["crop"]
    x = ((camera["center"][0] + seen[:, 0] + 0.5) / crop["size"] - 0.5) * crop["side"] + crop["center_x"] - 0.5
    y = ((camera["center"][1] - seen[:, 1] + 0.5) / crop["size"] - 0.5) * crop["side"] + crop["center_y"] - 0.5
    return np.array([drawn.point_at(*place) for place in zip(x, y)])
