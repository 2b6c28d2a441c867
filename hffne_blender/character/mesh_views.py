# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a mesh for the engine's face detection, and the positions on the mesh of the landmarks found there.

The mesh is drawn in gray by casting one ray per pixel: no render engine, no GPU, no change
to the scene. The engine finds the face on that picture as on any photo.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..engine.client import Answer
from ..numeric import mouth_line, photo_plane
from ..numeric.resample import bilinear
from ..numeric.vectors import unit
from ..numeric.world_surface import WorldSurface, barycentric, locate_uvs
from ..scene.triangle_tree import TriangleTree
from ..system.required import required

PIXELS = 288
# Light from above, a little from the side (camera space): it shades noses and lips.
LIGHT = np.array([-0.35, 0.55, 0.76])
AMBIENT, SKIN, BACKGROUND = 0.22, 0.80, 0.30


@dataclass(frozen=True)
class OrthographicView:
    """A square window: unit axes `right`, `up` and `back` (toward the viewer), its center, its side in world units."""

    right: np.ndarray
    up: np.ndarray
    back: np.ndarray
    center: np.ndarray
    side: float

    def closer(self, box: Sequence[float], factor: float = 2.0) -> "OrthographicView":
        """The window around a box (x, y, width, height) of this picture's pixels, `factor` times as wide."""
        x, y, width, height = box
        step = self.side / PIXELS
        center = (
            self.center
            + self.right * ((x + width / 2) * step - self.side / 2)
            - self.up * ((y + height / 2) * step - self.side / 2)
        )
        return OrthographicView(self.right, self.up, self.back, center, factor * max(width, height) * step)

    def grid(self) -> np.ndarray:
        """The pixel centers (PIXELS, PIXELS, 3) on the window's plane, row 0 at the top."""
        step = ((np.arange(PIXELS) + 0.5) / PIXELS - 0.5) * self.side
        return self.center + step[None, :, None] * self.right - step[:, None, None] * self.up


@dataclass(frozen=True)
class MeshPicture:
    """A drawn mesh.

    gray    (P, P) uint8, sRGB
    hit     (P, P) bool: the pixels that show the mesh
    points  (P, P, 3) what each of them shows, world space
    view    through which it was drawn
    """

    gray: np.ndarray
    hit: np.ndarray
    points: np.ndarray
    view: OrthographicView

    @property
    def depth(self) -> np.ndarray:
        """(P, P) toward the viewer in world units; far away where there is no mesh."""
        toward = self.points @ self.view.back
        return np.where(self.hit, toward, toward.min() - 100 * self.view.side)

    @property
    def step(self) -> float:
        """World units of a pixel."""
        return self.view.side / PIXELS

    def point_at(self, x: float, y: float) -> np.ndarray:
        """The point of the mesh at pixel (x, y), integers at pixel centers; of the nearest pixel that shows it."""
        rows, cols = np.nonzero(self.hit)
        nearest = np.argmin((rows - y) ** 2 + (cols - x) ** 2)
        return self.points[rows[nearest], cols[nearest]]


def candidate_views(points: np.ndarray, matrix: np.ndarray) -> Iterator[OrthographicView]:
    """Windows in which a head may be found, the most probable first.

    points  (V, 3) world space
    matrix  the object's 4 x 4 world matrix

    A head looks along -Y in Blender by convention, but not always; it is at the top of a figure, or all there is.
    """
    turn = np.array(matrix, float)[:3, :3]
    turn = turn / np.maximum(np.linalg.norm(turn, axis=0), 1e-12)
    frames = [np.eye(3), turn]
    frames += [np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]) for c, s in ((-1, 0), (0, 1), (0, -1))]
    tried: list[np.ndarray] = []
    for frame in frames:
        if any(np.allclose(frame, other, atol=1e-3) for other in tried):
            continue
        tried.append(frame)
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
            yield OrthographicView(right, up, back, x * right + y * up + depth * back, side)


def draw(surface: WorldSurface, tree: TriangleTree, view: OrthographicView) -> MeshPicture:
    """Draw a surface (with its search tree) as seen through a view."""
    heights = surface.points @ view.back
    start = view.grid().reshape(-1, 3)
    start = start + view.back * (0.01 * view.side + max(0.0, heights.max() - view.center @ view.back))
    reach = float(start[0] @ view.back - heights.min()) + view.side
    hits = tree.cast(start, np.broadcast_to(-view.back, start.shape), reach)
    hit = hits.found
    shade = np.full(len(start), BACKGROUND)
    if hit.any():
        owner = hits.owner[hit]
        share = barycentric(surface.points[surface.triangles[owner]], hits.point[hit])
        normal = unit(np.einsum("kc,kcx->kx", share, surface.normals[owner]))
        # A mesh may be inside out: what is seen is lit from its visible side.
        normal = np.where((normal @ view.back < 0)[:, None], -normal, normal)
        in_camera = normal @ np.stack([view.right, view.up, view.back], axis=1)
        light = np.clip(in_camera @ (LIGHT / np.linalg.norm(LIGHT)), 0, 1)
        shade[hit] = SKIN * (AMBIENT + (1 - AMBIENT) * light)
    # Linear light to sRGB, by a gamma of 2.2.
    gray = np.rint(255 * np.clip(shade, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    square = (PIXELS, PIXELS)
    return MeshPicture(gray.reshape(square), hit.reshape(square), hits.point.reshape(*square, 3), view)


def draw_texture(surface: WorldSurface, tree: TriangleTree, view: OrthographicView, values: np.ndarray) -> np.ndarray:
    """The values (P, P) of a texture (T, T, 1) on a surface with UVs, with its search tree; NaN beside it."""
    start = view.grid().reshape(-1, 3)
    reach = float(np.ptp(surface.points @ view.back)) + 2 * view.side
    start = start + view.back * max(0.0, float((surface.points @ view.back).max() - view.center @ view.back))
    hits = tree.cast(start + 0.01 * view.side * view.back, np.broadcast_to(-view.back, start.shape), reach)
    result, hit = np.full(len(start), np.nan), hits.found
    if hit.any():
        owner = hits.owner[hit]
        share = barycentric(surface.points[surface.triangles[owner]], hits.point[hit])
        result[hit] = bilinear(values, np.einsum("kc,kcx->kx", share, required(surface.uvs)[owner]))[:, 0]
    return result.reshape(PIXELS, PIXELS)


def landmarks_on(
    answer: Answer, picture: MeshPicture, wanted: Sequence[int], dark: np.ndarray | None = None
) -> np.ndarray:
    """The positions (K, 3) in world space of the landmarks that the engine found on a picture.

    answer  of the engine's "generate" for the picture, of a mask
    wanted  K indices of its landmarks
    dark    (P, P): the logarithm of the brightness of a face's texture on the same pixels, which says where its lips
            meet; without it the mesh's crease does
    """
    message, arrays = answer
    camera, quads = message["camera"], arrays["quads"]
    halves = ([0, 1, 2], [0, 2, 3])
    triangles = np.concatenate([quads[:, half] for half in halves])
    uvs = np.concatenate([arrays["uvs"][:, half] for half in halves]).astype(float)
    owners, weights = locate_uvs(uvs, arrays["landmarks"])
    points = np.einsum("kc,kcx->kx", weights, arrays["vertices"][triangles[owners]].astype(float))
    pixels = photo_plane.to_photo(camera, (points @ photo_plane.axes(camera).T)[:, :2])
    settled = None if dark is None else mouth_line.settled(pixels, dark, mouth_line.DARK)
    if settled is None:
        width = float(np.abs(pixels[64, 0] - pixels[60, 0]))
        settled = mouth_line.settled(pixels, picture.depth, mouth_line.CREASE * width * picture.step)
    pixels = pixels if settled is None else settled
    return np.array([picture.point_at(*pixel) for pixel in pixels[list(wanted)]])
