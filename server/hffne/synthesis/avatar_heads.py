# SPDX-License-Identifier: GPL-3.0-or-later
"""A second head family: the heads of VALID's people (MIT), with lids, creases, lips and nostrils as geometry.

Their skin, eyes and teeth share a topology, so that the people span a small shape model of their own, and any person's
colors lie on any other's skin. What is beside the head (clothes, arms) is left out.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hffne.errors import HeadsError
from hffne.geometry.vectors import similarity
from hffne.synthesis.avatar_landmarks import LANDMARK_UVS
from hffne.synthesis.face_model import LANDMARKS, FaceModel
from hffne.synthesis.render import EYE, SKIN, TEETH
from hffne.synthesis.uv_layout import CENTER

# Never trained on: of both sexes and of four ancestries, one of them with hair cards.
HELD_OUT = ("Asian_F_1", "Black_M_1", "Hispanic_M_2", "White_F_1")
HAIR = 5  # what a pixel shows, beside the kinds of `render`: no truth is known behind it
TEXTURE = 1024  # pixels along a side of a color texture; the files have 2048
# The meshes beside the skin that all people have, in this order, and what they are made of.
_BESIDE = {"h_L_eye": EYE, "h_R_eye": EYE, "h_L_gland": EYE, "h_R_gland": EYE, "h_TeethDown": TEETH, "h_TeethUp": TEETH}
_HAIR_MESH = "h_wig"
_NECK, _SHOULDERS = 16.0, 16.0  # how far the skin reaches below the chin and to each side, in cm
_STEADY = slice(17, 60)  # of the iBUG points; the outline is not exact, and a closed mouth has no inner edges
_STEPS = 16384  # of a texture's side: vertices of two people with equal coordinates are the same


@dataclass
class Hair:
    """Hair cards: vertices (V, 3) where they lie on the family's shape (W, 3), triangles (T, 3), texture coordinates
    (V, 2), v down, and colors (S, S) uint8, gray as a screen shows them."""

    vertices: np.ndarray
    shape: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    gray: np.ndarray


@dataclass
class AvatarHeads:
    """The family. names: of its N people; shapes (N, V, 3) in cm around the head's center, in the frame of the face
    model and of its size; triangles (T, 3); uv (V, 2) of the color textures, v down; kind (V,) uint8, what a vertex is
    of (`render`'s kinds); grays (N, S, S) uint8, the color textures, gray as a screen shows them; hairs: {name: Hair}
    of those who have cards; landmarks (68,): the vertices of the iBUG points; balls: {side: vertices of an eyeball}."""

    names: list[str]
    shapes: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    kind: np.ndarray
    grays: np.ndarray
    hairs: dict[str, Hair]
    landmarks: np.ndarray
    balls: dict[str, slice]

    def people(self, held_out: bool) -> np.ndarray:
        """The people (K,) that training never sees, or the others."""
        return np.flatnonzero([(name in HELD_OUT) == held_out for name in self.names])


class _Person:
    """The files of one person."""

    def __init__(self, path: Path, texture: int) -> None:
        self.name, self.folder, self.texture = path.stem, path.parent, texture
        with np.load(path, allow_pickle=False) as data:
            self.parts = json.loads(str(data["parts"]))
            self.meshes = {
                part[0]: tuple(data[f"{letter}{k}"] for letter in ("v", "uv", "f")) for k, part in enumerate(self.parts)
            }
        self.skin = self.meshes[self.parts[0][0]]
        place = np.round(self.skin[1].astype(np.float64) * _STEPS).astype(np.int64)
        keys, first, count = np.unique(place @ [10 * _STEPS, 1], return_index=True, return_counts=True)
        self.index = dict(zip(keys[count == 1].tolist(), first[count == 1].tolist(), strict=True))

    def beside(self) -> np.ndarray:
        return np.concatenate([self.meshes[name][0] for name in _BESIDE])

    def gray(self, mesh: str) -> np.ndarray:
        file = next(part[1] for part in self.parts if part[0] == mesh)
        path = self.folder / "tex" / f"{self.name}__{file}"
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise HeadsError(f"The texture '{path}' is missing or damaged.")
        return cv2.resize(picture, (self.texture, self.texture), interpolation=cv2.INTER_AREA)


def load_avatar_heads(folder: str | Path, model: FaceModel, texture: int = TEXTURE) -> AvatarHeads:
    """Read a folder of NAME.npz (parts, v0, uv0, f0, v1 ...) and tex/NAME__FILE; `model`: whose frame they take.

    texture: pixels along a side of the color textures.

    Raises HeadsError where the folder holds no such people.
    """
    folder = Path(folder)
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise HeadsError(f"'{folder}' holds no heads.", hint="NAME.npz files and tex/ are expected.")
    people = [_Person(path, texture) for path in paths]
    first = people[0]
    shared = set.intersection(*(set(person.index) for person in people))
    keys = sorted(key for key in shared)
    skin = np.stack([person.skin[0][[person.index[key] for key in keys]] for person in people]).astype(np.float64)
    kept = np.array([first.index[key] for key in keys])
    uv = first.skin[1][kept]
    marks = np.square(uv[None] - LANDMARK_UVS[:, None]).sum(2).argmin(1)
    goal = model.neutral[LANDMARKS] - CENTER
    mean = _moved(skin[0], similarity(skin[0][marks], goal))
    for _ in range(2):  # all people into one frame, as their faces fit best
        near = np.linalg.norm(mean - mean[marks].mean(0), axis=1) < 9
        frames = [similarity(person[near], mean[near]) for person in skin]
        mean = np.mean([_moved(person, frame) for person, frame in zip(skin, frames, strict=True)], 0)
        frame = similarity(mean[marks[_STEADY]], goal[_STEADY])
        mean = _moved(mean, frame)
        frames = [
            (scale * frame[0], frame[1] @ turn, frame[0] * (frame[1] @ shift) + frame[2])
            for scale, turn, shift in frames
        ]
    shapes = np.stack(
        [
            np.concatenate([_moved(own, frame), _moved(person.beside(), frame)])
            for own, person, frame in zip(skin, people, frames, strict=True)
        ]
    ).astype(np.float32)
    head = np.ones(shapes.shape[1], bool)
    head[: len(kept)] = (mean[:, 1] > mean[marks[8], 1] - _NECK) & (np.abs(mean[:, 0]) < _SHOULDERS)
    triangles, kind, uvs = _joined(first, kept, uv)
    new = np.where(head, np.cumsum(head) - 1, -1)
    triangles = new[triangles]
    hairs = {
        person.name: _hair(person, frame, shape)
        for person, frame, shape in zip(people, frames, shapes[:, head], strict=True)
        if _HAIR_MESH in person.meshes
    }
    return AvatarHeads(
        [person.name for person in people],
        shapes[:, head],
        triangles[(triangles >= 0).all(1)].astype(np.int32),
        uvs[head],
        kind[head],
        np.stack([person.gray(person.parts[0][0]) for person in people]),
        hairs,
        new[marks],
        _balls(first, int(head[: len(kept)].sum())),
    )


def _moved(points: np.ndarray, frame: tuple[float, np.ndarray, np.ndarray]) -> np.ndarray:
    scale, turn, shift = frame
    return scale * (points @ turn.T) + shift


def _joined(person: _Person, kept: np.ndarray, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangles, kinds and texture coordinates of the kept skin (indices of the person's) and the meshes beside it."""
    place = np.full(len(person.skin[0]), -1)
    place[kept] = np.arange(len(kept))
    skin = place[person.skin[2]]
    triangles, kinds, uvs, count = [skin[(skin >= 0).all(1)]], [np.full(len(kept), SKIN)], [uv], len(kept)
    for name, kind in _BESIDE.items():
        vertices, own, faces = person.meshes[name]
        triangles.append(faces + count)
        kinds.append(np.full(len(vertices), kind))
        uvs.append(own)
        count += len(vertices)
    return np.concatenate(triangles), np.concatenate(kinds).astype(np.uint8), np.concatenate(uvs).astype(np.float32)


def _balls(person: _Person, start: int) -> dict[str, slice]:
    """The vertices of both eyeballs, where those beside the skin begin at `start`."""
    first, second = (len(person.meshes[name][0]) for name in ("h_L_eye", "h_R_eye"))
    return {"left": slice(start, start + first), "right": slice(start + first, start + first + second)}


def _hair(person: _Person, frame: tuple[float, np.ndarray, np.ndarray], shape: np.ndarray) -> Hair:
    vertices, uv, faces = person.meshes[_HAIR_MESH]
    return Hair(
        _moved(vertices, frame).astype(np.float32),
        shape,
        faces.astype(np.int32),
        uv.astype(np.float32),
        person.gray(_HAIR_MESH),
    )
