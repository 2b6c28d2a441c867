# SPDX-License-Identifier: GPL-3.0-or-later
"""A head scan as a photo and its normals: Wavefront OBJ with a texture, rendered from the front without perspective."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from hffne.datasets.source import DatasetSource
from hffne.errors import TrimeshMissingError

_MARGIN = 1.1  # the picture's side over the scan's larger side
_LIGHT = np.array([0.3, 0.4, 0.87])  # for a scan without a texture
_BACKGROUND = 96


@dataclass(frozen=True)
class ScanMesh:
    """A scan's surface and texture.

    vertices   (V, 3) in the file's unit, x right, y up, z to the viewer
    triangles  (T, 3)
    normals    (V, 3) unit, smooth over texture seams
    uvs        (V, 2) or None
    texture    (H, W, 3) uint8 or None
    """

    vertices: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray
    uvs: np.ndarray | None
    texture: np.ndarray | None


def load_scan(path: Path, source: DatasetSource) -> ScanMesh:
    """Read an OBJ file. source: the data set, for error messages. Needs the extra 'evaluate'. Raises HffneError."""
    trimesh, vertex_normals = _libraries()
    if not path.is_file():
        raise source.incomplete(f"'{path}' is missing.")
    texture = _texture(path, source)
    try:
        mesh = trimesh.load(path, force="mesh", process=False)
        vertices, triangles = np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces)
    except Exception as error:
        # The reader raises many kinds of errors on damaged files.
        raise source.broken(path, f"it is damaged: {' '.join(str(error).split()) or type(error).__name__}.") from None
    if len(triangles) < 100 or not np.isfinite(vertices).all():
        raise source.broken(path, f"it is damaged or cut off: {len(triangles)} faces.")
    # The reader splits vertices along the seams of the texture; the surface has no edge there.
    _, same = np.unique(vertices, axis=0, return_inverse=True)
    same = same.reshape(-1)
    joined = np.zeros((same.max() + 1, 3))
    joined[same] = vertices
    normals = vertex_normals(joined, same[triangles])[same]
    uvs = getattr(mesh.visual, "uv", None)
    if texture is None or uvs is None or len(uvs) != len(vertices):
        return ScanMesh(vertices, triangles, normals, None, None)
    return ScanMesh(vertices, triangles, normals, np.asarray(uvs, np.float32), texture)


def render_scan(mesh: ScanMesh, size: int = 512) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photo (S, S, 3) uint8, normal (S, S, 3) float32 in camera space and mask (S, S) bool of a scan.

    Orthographic. The texture already contains the light of the scanner, so it is not shaded.
    """
    from hffne.synthesis.rays import RayScene

    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    middle, side = (low + high) / 2, (high - low)[:2].max() * _MARGIN
    seen = ((mesh.vertices - middle) / side).astype(np.float32)
    axis = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    x, y = np.meshgrid(axis, -axis)
    index, weights = RayScene(seen, mesh.triangles).seen_from_front(x, y, seen[:, 2].max() + 1)
    hit = np.flatnonzero(index >= 0)
    corners, weights = mesh.triangles[index[hit]], weights[hit][..., None].astype(np.float32)
    hit_normals = (mesh.normals[corners] * weights).sum(1)
    hit_normals /= np.maximum(np.linalg.norm(hit_normals, axis=1, keepdims=True), 1e-9)
    outer = hit_normals[:, 2] > 0
    normal = np.zeros((size * size, 3), np.float32)
    normal[hit[outer]] = hit_normals[outer]
    color = np.full((size * size, 3), _BACKGROUND, np.uint8)
    if mesh.texture is None or mesh.uvs is None:
        shade = np.clip(0.15 + 0.85 * hit_normals @ (_LIGHT / np.linalg.norm(_LIGHT)), 0, 1) ** (1 / 2.2)
        color[hit] = (shade * 200)[:, None].astype(np.uint8)
    else:
        color[hit] = _colors(mesh.texture, (mesh.uvs[corners] * weights).sum(1))
    normal = normal.reshape(size, size, 3)
    return color.reshape(size, size, 3), normal, normal.any(2)


def _libraries() -> tuple[ModuleType, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    try:
        import embreex  # noqa: F401
        import trimesh
    except ImportError:
        raise TrimeshMissingError(
            "Scans need trimesh and Embree.", hint='Run: python -m pip install ".[evaluate]"'
        ) from None
    from hffne.synthesis.render import vertex_normals

    return trimesh, vertex_normals


def _texture(path: Path, source: DatasetSource) -> np.ndarray | None:
    """The texture (H, W, 3) uint8, or None without one. Raises HffneError for one that is missing or damaged."""
    material = path.with_suffix(".mtl")
    if not material.is_file():
        return None
    lines = [line.split(None, 1) for line in material.read_text(encoding="latin-1").splitlines()]
    named = [line[1].strip() for line in lines if len(line) == 2 and line[0] == "map_Kd"]
    if not named:
        return None
    picture = material.parent / named[0].replace("\\", "/").split("/")[-1]
    if not picture.is_file():
        raise source.incomplete(f"'{material}' names the texture '{picture.name}', which is missing.")
    return source.read(picture)


def _colors(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Colors (N, 3) uint8 of a texture at coordinates (N, 2), repeated beyond 0..1."""
    height, width = texture.shape[:2]
    at = np.stack([uv[:, 0] % 1 * width - 0.5, (1 - uv[:, 1] % 1) * height - 0.5], 1).astype(np.float32)
    # OpenCV's remap takes at most 32767 in one direction.
    rows = [
        cv2.remap(texture, part[None, :, 0], part[None, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
        for part in np.array_split(at, max(1, len(at) // 30000 + 1))
    ]
    return np.concatenate(rows)
