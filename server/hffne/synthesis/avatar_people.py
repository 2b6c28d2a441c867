# SPDX-License-Identifier: GPL-3.0-or-later
"""The second head family's people as their files have them, with clothes, hands and hair, and the part that every
texel of their textures shows.

The files do not say where painted hair begins or a collar ends. Within the regions that the shape tells (the face's
middle is skin, the crown is hair, the shoulders are cloth) colors decide, by GrabCut (Rother et al. 2004).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hffne.errors import HeadsError
from hffne.geometry.rasterize import covered_pixels
from hffne.geometry.uv import coordinates
from hffne.geometry.vectors import similarity
from hffne.parts import BROWS, CLOTH, EYES, HAIR, LIPS, MOUTH, SKIN
from hffne.synthesis.avatar_heads import AvatarHeads
from hffne.synthesis.avatar_landmarks import LANDMARK_UVS
from hffne.synthesis.avatar_render import registered
from hffne.synthesis.face_model import FaceModel

TEXTURE = 1024  # pixels along a side of a color texture and of its parts
_HAIR_MESH = "h_wig"
_BALLS = {"h_L_eye": "left", "h_R_eye": "right"}
_LABELED = 512  # the side at which colors are told apart
_ARM = 50.0  # cm from the middle: what is beyond it of a stretched arm may cover a face
# Where the ears lie on the textures: left, top, right, bottom.
_EARS = ((0.0, 0.40, 0.093, 0.63),)
_PARTS_OF_MESHES = {"h_L_eye": EYES, "h_R_eye": EYES, "h_L_gland": EYES, "h_R_gland": EYES} | {
    "h_TeethDown": MOUTH,
    "h_TeethUp": MOUTH,
    _HAIR_MESH: HAIR,
}


@dataclass
class AvatarPerson:
    """One person, in cm in the face model's frame around the head's center.

    vertices (V, 3); triangles (T, 3); uv (V, 2), v down; sheet (V,): 0 for the body's texture, 1 for the hair's;
    colors [(S, S, 3) uint8 RGB, encoded sRGB] of both sheets; parts [(S, S) uint8] of both; landmarks (68,): vertices;
    hands: {side: triangles (H, 3) of a hand and its arm}; balls: {side: vertices of an eyeball}.
    """

    name: str
    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    sheet: np.ndarray
    colors: list[np.ndarray]
    parts: list[np.ndarray]
    landmarks: np.ndarray
    hands: dict[str, np.ndarray]
    balls: dict[str, slice]


def load_avatar_people(
    folder: str | Path, heads: AvatarHeads, model: FaceModel, chosen: Sequence[int] | None = None
) -> list[AvatarPerson]:
    """The people of `heads` (as `load_avatar_heads` read them from `folder`), in their order.

    chosen: the numbers of those that are wanted, default all. Raises HeadsError where a file is missing.
    """
    wanted = range(len(heads.names)) if chosen is None else chosen
    return [_load(Path(folder), heads.names[person], heads.shapes[person], heads, model) for person in wanted]


def _load(folder: Path, name: str, shape: np.ndarray, heads: AvatarHeads, model: FaceModel) -> AvatarPerson:
    with np.load(folder / f"{name}.npz", allow_pickle=False) as data:
        parts = json.loads(str(data["parts"]))
        meshes = [(part[0], part[1], data[f"v{k}"], data[f"uv{k}"], data[f"f{k}"]) for k, part in enumerate(parts)]
    skin, body = meshes[0], meshes[0][1]
    marks = np.square(skin[3][None] - LANDMARK_UVS[:, None]).sum(2).argmin(1)
    scale, turn, shift = similarity(skin[2][marks].astype(np.float64), shape[heads.landmarks].astype(np.float64))
    vertices, triangles, uvs, sheets, own = [], [], [], [], []
    balls: dict[str, slice] = {}
    count = 0
    for mesh, texture, points, uv, faces in meshes:
        vertices.append(scale * (points @ turn.T) + shift)
        triangles.append(faces + count)
        uvs.append(uv)
        sheets.append(np.full(len(points), texture != body))
        own.append(np.full(len(points), _PARTS_OF_MESHES.get(mesh, SKIN)))
        if mesh in _BALLS:
            balls[_BALLS[mesh]] = slice(count, count + len(points))
        count += len(points)
    every = np.concatenate(vertices).astype(np.float32)
    kind = np.concatenate(own).astype(np.uint8)
    faces = np.concatenate(triangles).astype(np.int32)
    uv = np.concatenate(uvs).astype(np.float32)
    sheet = np.concatenate(sheets).astype(np.uint8)
    colors = [_texture(folder, name, body)]
    labels = [_labeled(colors[0], every, faces[(sheet[faces] == 0).all(1)], uv, kind, heads, model)]
    hair = next((texture for mesh, texture, *_ in meshes if mesh == _HAIR_MESH), None)
    if hair is not None:
        colors.append(_texture(folder, name, hair))
        labels.append(np.full((TEXTURE, TEXTURE), HAIR, np.uint8))
    x = every[: len(skin[2]), 0]
    of_skin = faces[(faces < len(x)).all(1)]
    hands = {side: of_skin[(sign * x[of_skin] > _ARM).all(1)] for side, sign in (("left", -1), ("right", 1))}
    return AvatarPerson(name, every, faces, uv, sheet, colors, labels, marks, hands, balls)


def _texture(folder: Path, name: str, file: str) -> np.ndarray:
    path = folder / "tex" / f"{name}__{file}"
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise HeadsError(f"The texture '{path}' is missing or damaged.")
    return cv2.cvtColor(cv2.resize(picture, (TEXTURE, TEXTURE), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)


def _labeled(
    colors: np.ndarray,
    vertices: np.ndarray,
    triangles: np.ndarray,
    uv: np.ndarray,
    kind: np.ndarray,
    heads: AvatarHeads,
    model: FaceModel,
) -> np.ndarray:
    """The part (S, S) uint8 of every texel of the body's texture."""
    size = _LABELED
    texel, owner, weights = covered_pixels(uv * size - 0.5, triangles, size)
    corners = triangles[owner]
    # Where the texel lies, in the face model's proportions.
    place = np.full((size * size, 3), np.nan, np.float32)
    close = np.linalg.norm(vertices, axis=1) < 40
    moved = vertices.copy()
    moved[close] = registered(vertices[close], heads, model)
    place[texel] = (moved[corners] * weights[..., None]).sum(1)
    of_mesh = np.zeros(size * size, np.uint8)
    of_mesh[texel] = kind[corners[:, 0]]
    place, of_mesh = place.reshape(size, size, 3), of_mesh.reshape(size, size)
    used = np.isfinite(place[..., 0])
    small = cv2.resize(colors, (size, size), interpolation=cv2.INTER_AREA)
    on_map, angle = _on_position_map(np.nan_to_num(place))
    skin = (of_mesh == SKIN) & used
    marks = _place_of_landmarks(place)
    y = np.nan_to_num(place[..., 1])
    inner = skin & (on_map < 0.62) & (angle < 60) & (y < marks[17:27, 1].max() + 0.3)
    inner |= skin & _inside(_EARS, size)
    crown = skin & (y > 7.5) & (place[..., 2] < 3)
    low = skin & (y < -14)
    other = _grabcut(small, skin, inner, crown, low, place)
    # Collars reach up behind the neck, and hair down: the nearer color.
    hair, cloth = (np.median(small[area & other].astype(np.float32), axis=0) for area in (crown, low))
    nearer = np.linalg.norm(small - hair, axis=2) < np.linalg.norm(small - cloth, axis=2)
    is_hair = (y > -4) | ((y > -9) & (np.abs(place[..., 0]) < 8) & nearer)
    result = np.where(other, np.where(is_hair, HAIR, CLOTH), SKIN).astype(np.uint8)
    features = _features(small) * skin * ~other
    result = np.where(features > 0, features, result)
    mouth = marks[48:60].mean(0)
    inside = skin & (np.abs(place - mouth) < [3.5, 2.0, 8.0]).all(2) & (place[..., 2] < mouth[2] - 2.2)
    result[inside & (on_map < 0.5)] = MOUTH
    result = np.where(of_mesh > SKIN, of_mesh, result).astype(np.uint8)
    # Texels beside the islands take the nearest one's part, so that a seam shows no other.
    _, nearest = cv2.distanceTransformWithLabels(
        (~used).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(nearest.max() + 1, np.uint8)
    table[nearest[used]] = result[used]
    return cv2.resize(table[nearest], (TEXTURE, TEXTURE), interpolation=cv2.INTER_NEAREST)


def _on_position_map(place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far (S, S) from the middle of the position map, of 1, and the angle from straight ahead in degrees."""
    flat = place.reshape(-1, 3).astype(np.float64)
    at = coordinates(flat + 1e-6)
    angle = np.degrees(np.arccos(np.clip(flat[:, 2] / np.maximum(np.linalg.norm(flat, axis=1), 1e-6), -1, 1)))
    return np.hypot(*at.T).reshape(place.shape[:2]), angle.reshape(place.shape[:2])


def _grabcut(
    colors: np.ndarray, skin: np.ndarray, inner: np.ndarray, crown: np.ndarray, low: np.ndarray, place: np.ndarray
) -> np.ndarray:
    """(S, S) bool: what is hair or cloth of the skin mesh's texels."""
    state = np.where(skin, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    tone = np.median(colors[inner].astype(np.float32), axis=0)
    logs = np.log(colors.astype(np.float32) + 8) - np.log(tone + 8)
    chroma = logs - logs.mean(2, keepdims=True)
    like = np.sqrt(np.square(logs.mean(2) / 0.5) + np.square(chroma / 0.16).sum(2))
    state[skin & (like < 1.0)] = cv2.GC_PR_FGD
    state[inner] = cv2.GC_FGD
    state[crown & (like > 1.0)] = cv2.GC_BGD
    state[low & (like > 1.6)] = cv2.GC_BGD
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(colors, state, (0, 0, 1, 1), background, foreground, 4, cv2.GC_INIT_WITH_MASK)
    other = skin & ((state == cv2.GC_BGD) | (state == cv2.GC_PR_BGD))
    # Between hairline and collar there is nothing but skin: the face, the ears, the neck.
    y, z = np.nan_to_num(place[..., 1]), np.nan_to_num(place[..., 2])
    other &= ~(inner | ((y > -9.5) & (y < -1) & (z > 3.5)))
    # Arms are stretched out: hands are bare, and before them a sleeve may end anywhere.
    along = np.abs(np.nan_to_num(place[..., 0]))
    other = np.where(skin & (along > 28), (like > 1.4) & (along < 66), other)
    return cv2.medianBlur(other.astype(np.uint8), 3) > 0


def _features(colors: np.ndarray) -> np.ndarray:
    """(S, S) uint8: brows and lips, 0 elsewhere."""
    size = len(colors)
    points = np.round((LANDMARK_UVS * size - 0.5) * 16).astype(np.int32)
    result = np.zeros((size, size), np.uint8)
    cv2.fillPoly(result, [points[48:60]], (LIPS,), shift=4)
    dark = colors.astype(np.float32).mean(2)
    around = cv2.blur(dark, (41, 41))
    for brow in (points[17:22], points[22:27]):
        area = np.zeros((size, size), np.uint8)
        cv2.polylines(area, [brow], False, (1,), size // 40, shift=4)
        result[(area > 0) & (dark < 0.86 * around)] = BROWS
    return result


def _place_of_landmarks(place: np.ndarray) -> np.ndarray:
    """The iBUG points (68, 3) by the places (S, S, 3) of the texels, nan where a texel is of nothing."""
    column, row = np.clip((LANDMARK_UVS * len(place)).astype(int), 0, len(place) - 1).T
    return np.nan_to_num(place[row, column])


def _inside(boxes: Sequence[tuple[float, float, float, float]], size: int) -> np.ndarray:
    """(S, S) bool: in one of the boxes (left, top, right, bottom) in texture coordinates."""
    result = np.zeros((size, size), bool)
    for left, top, right, bottom in boxes:
        result[int(top * size) : int(bottom * size), int(left * size) : int(right * size)] = True
    return result
