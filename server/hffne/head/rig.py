# SPDX-License-Identifier: GPL-3.0-or-later
"""A fitted head at one level of detail: its mesh, and what makes it move."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hffne.geometry.grids import blur, sample
from hffne.geometry.mesh import FaceMesh
from hffne.geometry.uv import template
from hffne.head.fitted import FittedHead
from hffne.head.gaze import EyeFacts
from hffne.head.model import PARTS, HeadMesh, SparseKeys, head_model
from hffne.head.skin import skin


@dataclass(frozen=True)
class Rig:
    """What a head has beyond a mask.

    neutral (v, 3) float32 meters, object axes: the relaxed face; quad_parts (q,) uint8 index in PARTS of each quad;
    keys: shape keys from the neutral; eyes: facts by side.
    """

    neutral: np.ndarray
    quad_parts: np.ndarray
    keys: SparseKeys
    eyes: dict[str, EyeFacts]

    def as_message(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """(body, arrays) for the wire protocol, see `service.protocol`."""
        eyes: dict[str, Any] = {
            side.lower(): {
                "center": _numbers(facts.center),
                "radius": float(facts.radius),
                "iris_radius": float(facts.iris_radius),
                "gaze": _numbers(facts.gaze),
            }
            for side, facts in self.eyes.items()
        }
        eyes["iris_color"] = _numbers(np.mean([facts.color for facts in self.eyes.values()], axis=0))
        body = {"parts": list(PARTS), "keys": list(self.keys.names), "eyes": eyes}
        arrays = {
            "neutral": self.neutral,
            "quad_parts": self.quad_parts,
            "key_starts": self.keys.starts,
            "key_vertices": self.keys.vertices,
            "key_deltas": self.keys.deltas,
        }
        return body, arrays


def rigged(head: FittedHead, lod: str = "full") -> tuple[FaceMesh, Rig]:
    """The mesh of a head as on the photo, UVs (q, 4, 2) by corner, and its Rig. lod: a name of model.LODS."""
    model = head_model()
    mesh = model.lods[lod]
    regions, weights = _regions()
    posed = FaceMesh(
        vertices=np.ascontiguousarray(head.posed[mesh.vertices], np.float32),
        uvs=mesh.uvs,
        quads=mesh.quads,
        region_weights=np.ascontiguousarray(weights[:, mesh.vertices]),
        regions=list(regions),
    )
    neutral = np.ascontiguousarray(head.neutral[mesh.vertices], np.float32)
    return posed, Rig(neutral, mesh.quad_parts, _keys_of(head.keys, mesh), head.eyes)


@cache
def landmark_uvs() -> np.ndarray:
    """The landmarks' UVs (68, 2) float32 on the head's skin, iBUG order."""
    model, layout = head_model(), skin()
    face = np.full((len(model.neutral), 2), np.nan, np.float32)
    front = layout.chart == 0
    face[layout.vertices[layout.of_point[front]]] = layout.uv[front]
    corners, weights = model.landmark_points
    return np.einsum("nkx,nk->nx", face[corners], weights).astype(np.float32)


def _keys_of(keys: SparseKeys, mesh: HeadMesh) -> SparseKeys:
    """The keys on a level of detail."""
    if len(mesh.vertices) == len(head_model().neutral):
        return keys
    place = np.full(len(head_model().neutral), -1, np.int32)
    place[mesh.vertices] = np.arange(len(mesh.vertices), dtype=np.int32)
    kept = place[keys.vertices] >= 0
    before = np.concatenate([[0], np.cumsum(kept)])
    return SparseKeys(keys.names, before[keys.starts].astype(np.int32), place[keys.vertices[kept]], keys.deltas[kept])


@cache
def _regions() -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the face's regions, and the weights (R, V) float32 of the head's vertices."""
    layout, uv = skin(), template()
    side = len(uv.mask)
    at = np.stack([(1 - layout.around[:, 1]) / 2 * side - 0.5, (layout.around[:, 0] + 1) / 2 * side - 0.5], 1)
    inside = np.hypot(*layout.around.T) < 1
    weights = np.zeros((len(uv.regions), len(head_model().neutral)), np.float32)
    for number, region in enumerate(uv.regions.values()):
        soft = sample(blur(region.astype(np.float32), 1.0)[..., None], at)[:, 0]
        weights[number, layout.vertices] = np.clip(soft, 0, 1) * inside
    return tuple(uv.regions), weights


def _numbers(values: np.ndarray) -> list[float]:
    return [round(float(value), 6) for value in values]
