# SPDX-License-Identifier: GPL-3.0-or-later
"""The head model that ships with the engine: topology, parts, UVs, identities and expressions of ICT-FaceKit (MIT).

Li et al. 2020, "Learning Formation of Physically-Based Face Attributes". ``hffne head-model`` makes the file from the
published model; its license is beside it (LICENSE-ICT-FaceKit.txt).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from hffne.geometry.uv import coordinates, template
from hffne.output import write_files

ASSET = Path(__file__).with_name("head_model.npz")
# The first part: what the photo's textures are for.
SKIN = "Skin"
PARTS = (
    SKIN,
    "Mouth",
    "Gums and Tongue",
    "Teeth",
    "Eye Left",
    "Eye Right",
    "Iris Left",
    "Iris Right",
    "Tear Line",
    "Eye Blend",
    "Eye Occlusion",
    "Lashes",
)
# The vertices before this one are the face's; eye sockets, the back of the head and the neck come after them.
FACE_END = 9409
LODS = ("full", "half", "game")


@dataclass(frozen=True)
class HeadMesh:
    """The topology of one level of detail.

    vertices   (v,) int32 indices of the full model's vertices
    quads      (q, 4) int32 of these vertices' positions in `vertices`, counter-clockwise from outside; the last is -1
               in a triangle
    uvs        (q, 4, 2) float32, one per corner, 0..1; charts of different parts overlap
    quad_parts (q,) uint8 index in PARTS
    """

    vertices: np.ndarray
    quads: np.ndarray
    uvs: np.ndarray
    quad_parts: np.ndarray

    @cached_property
    def triangles(self) -> np.ndarray:
        """(t, 3) int32: each quad as two triangles, split from its first to its third corner."""
        return self.quads.reshape(-1)[self.triangle_corners]

    @cached_property
    def triangle_corners(self) -> np.ndarray:
        """(t, 3) int32: the corners of `triangles` as indices of ``quads.reshape(-1)``."""
        corner = np.arange(self.quads.size, dtype=np.int32).reshape(-1, 4)
        second = corner[self.quads[:, 3] >= 0][:, [0, 2, 3]]
        return np.concatenate([corner[:, :3], second])

    @cached_property
    def triangle_parts(self) -> np.ndarray:
        """(t,) uint8 index in PARTS of each of `triangles`."""
        return self.quad_parts[self.triangle_corners[:, 0] // 4]


@dataclass(frozen=True)
class SparseKeys:
    """Shape keys that move a few vertices each, in the order of `names`.

    starts (K + 1,) int32: key k has the entries starts[k] to starts[k + 1]; vertices (N,) int32; deltas (N, 3) float32
    meters.
    """

    names: tuple[str, ...]
    starts: np.ndarray
    vertices: np.ndarray
    deltas: np.ndarray

    def entries(self, key: int | str) -> tuple[np.ndarray, np.ndarray]:
        """(vertices, deltas) of a key, given by number or name."""
        number = self.names.index(key) if isinstance(key, str) else key
        part = slice(int(self.starts[number]), int(self.starts[number + 1]))
        return self.vertices[part], self.deltas[part]

    def dense(self, key: int | str, count: int) -> np.ndarray:
        """Deltas (count, 3) float32 of a key for all vertices."""
        moved = np.zeros((count, 3), np.float32)
        vertices, deltas = self.entries(key)
        moved[vertices] = deltas
        return moved

    def add(self, points: np.ndarray, weights: Mapping[str, float]) -> np.ndarray:
        """Points (V, 3) moved by keys at the given weights; a new array."""
        moved = np.array(points, np.float32)
        for name, weight in weights.items():
            vertices, deltas = self.entries(name)
            moved[vertices] += np.float32(weight) * deltas
        return moved

    @classmethod
    def from_dense(cls, names: tuple[str, ...], deltas: "list[np.ndarray]", least: float = 2e-6) -> "SparseKeys":
        """From deltas (V, 3) of each key; movements below `least` meters are dropped."""
        moved = [np.flatnonzero(np.abs(one).max(1) > least) for one in deltas]
        return cls(
            names,
            np.concatenate([[0], np.cumsum([len(one) for one in moved])]).astype(np.int32),
            np.concatenate(moved).astype(np.int32),
            np.concatenate([one[index] for one, index in zip(deltas, moved, strict=True)]).astype(np.float32),
        )


@dataclass(frozen=True)
class HeadModel:
    """The model in meters, x right, y up, z out of the face, at the position map's scale and origin.

    neutral        (V, 3) float32
    identity       (K, V, 3) float32, coefficients are standard normal
    expressions    ARKit's keys by their names, coefficients 0..1
    mirror         (V,) int32, the vertex of the mirror image
    lods           HeadMesh by name of LODS; "full" has all vertices
    texel_corners, texel_weights  (U, U, 3): the vertices, and their weights, of the point at each texel of the position
                   map's layout (geometry.uv); texel_mask (U, U) bool: where that is a point of the skin or an eye
    """

    neutral: np.ndarray
    identity: np.ndarray
    expressions: SparseKeys
    mirror: np.ndarray
    lods: Mapping[str, HeadMesh]
    texel_corners: np.ndarray
    texel_weights: np.ndarray
    texel_mask: np.ndarray

    @property
    def mesh(self) -> HeadMesh:
        """The full topology."""
        return self.lods["full"]

    @cached_property
    def part_vertices(self) -> dict[str, np.ndarray]:
        """The vertices (n,) of each part, by its name. Parts of one surface share the vertices of their border."""
        mesh = self.mesh
        return {
            name: np.setdiff1d(np.unique(mesh.quads[mesh.quad_parts == number]), [-1])
            for number, name in enumerate(PARTS)
        }

    def at_texels(self, vertices: np.ndarray) -> np.ndarray:
        """The position map (U, U, 3) of vertices (V, 3)."""
        return np.einsum("rckx,rck->rcx", vertices[self.texel_corners], self.texel_weights)

    def at_landmarks(self, vertices: np.ndarray) -> np.ndarray:
        """The iBUG landmarks (68, 3) of vertices (V, 3), where the position map's layout has them."""
        corners, weights = self.landmark_points
        return np.einsum("nkx,nk->nx", vertices[corners], weights)

    @cached_property
    def landmark_points(self) -> tuple[np.ndarray, np.ndarray]:
        """The skin's points at the layout's landmarks: vertices (68, 3) int32 and their weights (68, 3) float32."""
        side = len(template().mask)
        row, column = template().landmarks.astype(np.float64).T
        at = np.stack([(column + 0.5) / side * 2 - 1, 1 - (row + 0.5) / side * 2], 1)
        mesh = self.mesh
        skin = mesh.triangles[(mesh.triangle_parts == PARTS.index(SKIN)) & (mesh.triangles < FACE_END).all(1)]
        return outermost_points(self.neutral, skin, at)


def outermost_points(points: np.ndarray, triangles: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The outermost points of a surface in given directions: vertices (n, 3) int32 and their weights (n, 3) float32.

    points (V, 3) meters around the head's center; triangles (t, 3); at (n, 2): layout coordinates. Where a direction
    misses the surface, between lips or lids, the nearest vertex.
    """
    flat, radius = coordinates(points), np.linalg.norm(points, axis=1)
    a, b, c = np.moveaxis(flat[triangles], 1, 0)
    area = _cross(b - a, c - a)
    corners, weights = np.empty((len(at), 3), np.int32), np.empty((len(at), 3), np.float32)
    used = np.unique(triangles)
    for number, place in enumerate(at):
        share = np.stack([_cross(b - place, c - place), _cross(c - place, a - place), _cross(a - place, b - place)], 1)
        share /= np.where(np.abs(area) < 1e-12, np.inf, area)[:, None]
        inside = np.flatnonzero((share >= -1e-9).all(1) & (share.sum(1) > 0.5))
        if len(inside):
            best = inside[np.argmax((radius[triangles[inside]] * share[inside]).sum(1))]
            corners[number], weights[number] = triangles[best], share[best]
        else:
            corners[number] = used[np.argmin(np.square(flat[used] - place).sum(1))]
            weights[number] = 1, 0, 0
    return corners, weights


def _cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0])


@cache
def head_model() -> HeadModel:
    """The shipped model, read once."""
    return read_head_model(ASSET)


def read_head_model(path: str | Path) -> HeadModel:
    """Read a model from a file of `write_head_model`."""
    with np.load(path, allow_pickle=False) as data:
        lods = {
            name: HeadMesh(
                data[f"{name}_vertices"],
                data[f"{name}_quads"],
                data[f"{name}_uvs"].astype(np.float32) / 65535,
                data[f"{name}_parts"],
            )
            for name in LODS
            if f"{name}_quads" in data
        }
        keys = SparseKeys(
            tuple(str(name) for name in data["key_names"]),
            data["key_starts"],
            data["key_vertices"],
            data["key_deltas"].astype(np.float32),
        )
        return HeadModel(
            neutral=data["neutral"],
            identity=data["identity"].astype(np.float32),
            expressions=keys,
            mirror=data["mirror"],
            lods=lods,
            texel_corners=data["texel_corners"],
            texel_weights=data["texel_weights"].astype(np.float32),
            texel_mask=data["texel_mask"],
        )


def write_head_model(model: HeadModel, path: str | Path) -> None:
    """Write a model: positions in single, movements in half precision, UVs in 16 bits."""
    arrays: dict[str, np.ndarray] = {
        "neutral": model.neutral.astype(np.float32),
        "identity": model.identity.astype(np.float16),
        "key_names": np.array(model.expressions.names),
        "key_starts": model.expressions.starts,
        "key_vertices": model.expressions.vertices,
        "key_deltas": model.expressions.deltas.astype(np.float16),
        "mirror": model.mirror,
        "texel_corners": model.texel_corners.astype(np.int32),
        "texel_weights": model.texel_weights.astype(np.float16),
        "texel_mask": model.texel_mask,
    }
    for name, mesh in model.lods.items():
        arrays[f"{name}_vertices"] = mesh.vertices.astype(np.int32)
        arrays[f"{name}_quads"] = mesh.quads.astype(np.int32)
        arrays[f"{name}_uvs"] = np.rint(np.clip(mesh.uvs, 0, 1) * 65535).astype(np.uint16)
        arrays[f"{name}_parts"] = mesh.quad_parts.astype(np.uint8)
    write_files({Path(path): lambda file: np.savez_compressed(file, **arrays)})
