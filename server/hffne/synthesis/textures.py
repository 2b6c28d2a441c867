# SPDX-License-Identifier: GPL-3.0-or-later
"""Gray skin textures from photos and their fits, with the photo's light divided out.

The textures must not contain shading of relief: fine shading is smoothed away and edges such as brows and lips stay,
so that all relief in a rendered picture is also in its normals.
"""

from functools import cache

import cv2
import numpy as np

from hffne.geometry.grids import blur
from hffne.geometry.uv import clear_facial_features, landmark_uvs, pixels
from hffne.synthesis.face_model import FACE, FaceModel
from hffne.synthesis.rays import RayScene
from hffne.synthesis.render import vertex_normals
from hffne.synthesis.uv_layout import CENTER, directions

SIZE = 384
EXTENT = 1.5  # textures reach this far beyond the position map's -1..1, over most of the head


def flatten_shading(texture: np.ndarray, share: float, reach: float) -> np.ndarray:
    """A texture (S, S) uint8 with less shading: without `share` of the skin's shades that are finer than `reach`.

    reach: a sigma in texels (about 1.6 mm each). Brows, eyes, nostrils and lips stay as they are. Parts of a face that
    its fit does not contain, folds and half of the nose, remain in the texture as painted shading. A network trained on
    such textures learns to ignore shading.
    """
    lights, bare = np.log(np.maximum(texture, 3).astype(np.float32)), _bare()
    quarter = (SIZE // 4, SIZE // 4)  # enough texels for the broad shades
    small, shown = (cv2.resize(layer, quarter, interpolation=cv2.INTER_AREA) for layer in (lights, bare))
    broad = blur(small, reach / 4, shown)
    shades = lights - cv2.resize(broad, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    return np.clip(np.exp(lights - shades * (bare * np.float32(share))), 0, 255).astype(np.uint8)


@cache
def _bare() -> np.ndarray:
    """Where a texture shows bare skin: (S, S), 0..1."""
    mask = np.zeros((SIZE, SIZE), np.float32)
    middle = ((np.arange(SIZE) + 0.5) / SIZE * 2 - 1) * EXTENT
    mask[np.hypot(middle[:, None] + 0.05, middle[None]) < 0.72] = 1
    clear_facial_features(mask, pixels((landmark_uvs() * 2 - 1) / EXTENT, SIZE), 7)
    return cv2.GaussianBlur(mask, (0, 0), 3)


class TextureLifter:
    """Makes textures of photos and their fits to one model."""

    def __init__(self, model: FaceModel) -> None:
        self.model = model
        grid = ((np.arange(SIZE) + 0.5) / SIZE * 2 - 1) * EXTENT
        u, v = np.meshgrid(grid, -grid)
        d = directions(np.stack([u.ravel(), v.ravel()], 1)).astype(np.float32)
        index, weights, _ = RayScene(model.neutral - CENTER, model.triangles).first_hit(d * 60, -d)
        self.hit = (index >= 0).reshape(SIZE, SIZE)
        self.corners = model.triangles[np.maximum(index, 0)]
        self.weights = weights.astype(np.float32)[..., None]
        self.skin = self.hit & (self.corners < FACE.stop).all(1).reshape(SIZE, SIZE)

    def lift(
        self,
        gray: np.ndarray,
        identity: np.ndarray,
        expression: np.ndarray,
        rotation: np.ndarray,
        scale: float,
        translation: np.ndarray,
    ) -> np.ndarray:
        """Albedo-like texture (S, S) uint8 of a gray photo (H, W) uint8 and its fit, see `fit.Fits`."""
        vertices = self.model.vertices(identity, expression) @ rotation.T
        normals = vertex_normals(vertices, self.model.triangles)
        point = (vertices[self.corners] * self.weights).sum(1)
        normal = (normals[self.corners] * self.weights).sum(1).reshape(SIZE, SIZE, 3)
        xy = (point[:, :2] * [1, -1] * scale + translation).astype(np.float32).reshape(SIZE, SIZE, 2)
        light = cv2.remap(gray, xy[..., 0], xy[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        light = (light / 255.0) ** 2.2
        seen = self.hit & (normal[..., 2] > 0.25)
        # The light as one ambient and one directed term, fitted to the skin without its darkest and brightest.
        skin = seen & self.skin
        low, high = np.percentile(light[skin], [15, 95])
        use = skin & (light > low) & (light < high)
        terms = np.concatenate([np.ones((SIZE, SIZE, 1)), normal], 2)
        coefficients = np.linalg.lstsq(terms[use], light[use], rcond=None)[0]
        shading = terms @ coefficients
        typical = max(float(np.median(shading[skin])), 1e-4)  # photos that are black there
        albedo = light / np.clip(shading / typical, 0.45, 2.2)
        weight = np.where(seen, np.clip((normal[..., 2] - 0.25) * 3, 0, 1), 0).astype(np.float32)
        texture = _complete(albedo.astype(np.float32), weight)
        texture = np.clip(texture, 0, 1) ** (1 / 2.2)
        texture8 = (texture * 255).astype(np.uint8)
        return cv2.bilateralFilter(texture8, 9, 26, 4)


def _complete(texture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fill what the photo does not show: from the mirrored side first, then from ever coarser neighbors."""
    mirrored = weight[:, ::-1] * 0.5 * (1 - weight)
    total = (weight + mirrored).astype(np.float32)
    base = (texture * weight + texture[:, ::-1] * mirrored).astype(np.float32)
    value, mass = base.copy(), total.copy()
    for sigma in (2, 6, 18, 50):
        blurred, density = cv2.GaussianBlur(base, (0, 0), sigma), cv2.GaussianBlur(total, (0, 0), sigma)
        filled = blurred / np.maximum(density, 1e-6)
        gain = np.clip(1 - mass, 0, 1) * np.clip(density * 8, 0, 1)
        value, mass = value + filled * gain, mass + gain
    return value / np.maximum(mass, 1e-6)
