# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the engine's head model (head.model) from ICT-FaceKit's published model."""

from pathlib import Path

import numpy as np

from hffne.geometry.uv import template
from hffne.head.model import LODS, PARTS, HeadMesh, HeadModel, SparseKeys
from hffne.synthesis.face_model import FACE, HEAD_AND_NECK, LANDMARKS, read_arrays
from hffne.synthesis.head_lods import coarser
from hffne.synthesis.head_uvs import mouth_uvs, skin_uvs, tile_uvs
from hffne.synthesis.uv_layout import CENTER, outermost

# The identities of the most variance on the face; the others move it by less than 0.8 mm in all.
IDENTITIES = 60
# The first vertex behind each part, in the model's order of vertices (its README).
_ENDS = {
    "face": 9409,
    "head": 11248,
    "Mouth": 13294,
    "sockets": 14062,
    "Gums and Tongue": 17039,
    "Teeth": 21451,
    "Eye Left": 22221,
    "Iris Left": 23021,
    "Eye Right": 23791,
    "Iris Right": 24591,
    "Tear Line": 24999,
    "Eye Blend": 25047,
    "Eye Occlusion": 25351,
    "Lashes": 26719,
}
# Strips of lashes, of as many vertices each: those of the left eye, then those of the right.
_LASHES = 12
# Expressions of the model that are not ARKit's; those of pairs that are one key there.
_LEFT_OUT = ("PupilDilate", "cheekRaiser")
_JOINED = ("browInnerUp", "cheekPuff")
_EYES = slice(36, 42), slice(42, 48)


def build_head_model(shapes: str | Path) -> HeadModel:
    """The HeadModel of the folder (or file) of ict_facekit.npz. Raises ShapeModelError when it is not that model."""
    data = read_arrays(shapes)
    vertices = data["neutral"]
    scale = np.float32(_scale(vertices))
    neutral = (vertices - CENTER) * scale
    mirror = mirrored_vertices(vertices)
    quads, parts = data["faces"], _parts(data["faces"])
    full = HeadMesh(
        np.arange(len(vertices), dtype=np.int32),
        quads.astype(np.int32),
        _uvs(data, parts, mirror),
        parts,
    )
    corners, weights, mask = _texels(vertices, full)
    deltas = data["identity_deltas"]
    variance = np.square(deltas[:, : HEAD_AND_NECK.stop]).sum((1, 2))
    chosen = np.argsort(-variance)[:IDENTITIES]
    model = HeadModel(
        neutral=neutral.astype(np.float32),
        identity=deltas[chosen] * scale,
        expressions=_expressions(data, scale),
        mirror=mirror,
        lods={"full": full},
        texel_corners=corners,
        texel_weights=weights,
        texel_mask=mask,
    )
    return coarser(model, LODS[1:])


def mirrored_vertices(vertices: np.ndarray) -> np.ndarray:
    """The vertex (V,) int32 nearest to each vertex's mirror image, of the same or the mirrored connected part.

    The mirror image of a vertex's mirror image is the vertex.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial import cKDTree

    result = np.empty(len(vertices), np.int32)
    for one, other in _mirrored_ranges():
        images = vertices[other] * [-1, 1, 1]
        result[one] = other[cKDTree(images).query(vertices[one])[1]]
    # Two vertices may have the same nearest one: pair what is left.
    left = np.flatnonzero(result[result] != np.arange(len(result)))
    left = np.unique(np.concatenate([left, result[left], np.flatnonzero(np.isin(result, result[left]))]))
    distance = np.linalg.norm(vertices[left][:, None] * [-1, 1, 1] - vertices[left], axis=2)
    result[left] = left[linear_sum_assignment(distance)[1]]
    return result


def _mirrored_ranges() -> "list[tuple[np.ndarray, np.ndarray]]":
    """The vertices of each part and those of the part that mirrors it."""
    start, parts = 0, {}
    for name, end in _ENDS.items():
        parts[name] = np.arange(start, end)
        start = end
    strips = np.split(parts.pop("Lashes"), _LASHES)
    pairs = [(parts[name], parts[_other_side(name)]) for name in parts]
    return pairs + [(strips[i], strips[(i + _LASHES // 2) % _LASHES]) for i in range(_LASHES)]


def _other_side(name: str) -> str:
    side = {"Left": "Right", "Right": "Left"}
    return " ".join(side.get(word, word) for word in name.split())


def _scale(vertices: np.ndarray) -> float:
    """Meters per unit of the model: the position map template's."""
    eyes = vertices[LANDMARKS]
    return 0.063 / float(np.linalg.norm(eyes[_EYES[1]].mean(0) - eyes[_EYES[0]].mean(0)))


def _parts(quads: np.ndarray) -> np.ndarray:
    """The part (Q,) uint8 of each quad, an index in PARTS: that of its highest vertex."""
    ends = np.array(list(_ENDS.values()))
    owner = [name if name in PARTS else "Skin" for name in _ENDS]
    number = np.array([PARTS.index(name) for name in owner], np.uint8)
    return number[np.searchsorted(ends, quads.max(1), side="right")]


def _uvs(data: dict[str, np.ndarray], parts: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """The UVs (Q, 4, 2) of all corners."""
    quads, corners = data["faces"], data["uv"][data["faces_uv"]]
    skin = parts == PARTS.index("Skin")
    uvs = tile_uvs(corners)
    socket = quads[skin].max(1) >= _ENDS["Mouth"]
    uvs[skin] = skin_uvs(data["neutral"], quads[skin], corners[skin], socket, mirror)
    mouth = parts == PARTS.index("Mouth")
    uvs[mouth] = mouth_uvs(corners[mouth])
    return uvs


def _expressions(data: dict[str, np.ndarray], scale: np.float32) -> SparseKeys:
    """The expressions under ARKit's names; `tongueOut` is not in the model."""
    deltas = dict(zip((str(name) for name in data["expression_names"]), data["expression_deltas"] * scale, strict=True))
    keys: dict[str, np.ndarray] = {}
    for name, delta in deltas.items():
        if name.startswith(_LEFT_OUT):
            continue
        stem = name.removesuffix("_L").removesuffix("_R")
        if stem in _JOINED:
            keys[stem] = keys.get(stem, 0) + delta
        else:
            keys[stem + ("Left" if name.endswith("_L") else "Right" if name.endswith("_R") else "")] = delta
    names = tuple(sorted(keys))
    return SparseKeys.from_dense(names, [keys[name] for name in names], least=1e-5)


def _texels(vertices: np.ndarray, mesh: HeadMesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The point of the surface at each texel of the position map's layout, as `uv_layout.build_layout` finds it."""
    parts = mesh.triangle_parts
    eyes = [PARTS.index(name) for name in ("Eye Left", "Eye Right")]
    outside = (mesh.triangles < HEAD_AND_NECK.stop).all(1) | np.isin(parts, eyes)
    corners, weights, hit = outermost(vertices - CENTER, mesh.triangles[outside], len(template().mask))
    skin = (corners < FACE.stop).all(2)
    return corners.astype(np.int32), weights, hit & template().mask & skin
