# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of the fine network: windows of faces at 1 to 6 times the crop's scale, rendered or photographed."""

from pathlib import Path

import cv2
import numpy as np
import torch

from hffne.geometry.feature_masks import round_eyes
from hffne.geometry.uv import clear_facial_features, template
from hffne.geometry.vectors import normalize
from hffne.synthesis.avatar_colors import recolored, weaken_at_lids
from hffne.synthesis.close_reliefs import LEVELS
from hffne.synthesis.close_reliefs import SIZE as TEXELS
from hffne.synthesis.closeups import PHOTOS, RENDERS
from hffne.synthesis.relief_maps import FLAT
from hffne.synthesis.render import EYE, MOUTH, SIZE, SKIN, TEETH
from hffne.synthesis.shading import on_crop, shade, tilt
from hffne.synthesis.textures import flatten_shading
from hffne.synthesis.training_set import TrainingSet, held_out_mask
from hffne.training.augment import Move, cut_frame, degrade, expose, occlude
from hffne.training.provenance import files_fingerprint
from hffne.training.settings import Drawing
from hffne.training.sources import Sample
from hffne.training.sources.face_set import AVATAR_FORMS, FLATTENED, REACH, covered

_RELIEF, _FORMS = 0.75, 0.7  # shares of renders that have relief, and added forms
_RELIEFS = tuple(f"close_reliefs_{level}" for level in range(LEVELS))
_LIDS = 2.0  # what lids weigh beside other skin, more


class CloseupSamples:
    """Random samples of a set's close-ups (``synthesis.closeups``).

    Each is a dict of float32 tensors: gray (1, S, S) in 0..1; clean, the same before degradation; contrast (2,), the
    mean and the deviation of the whole crop's gray values; exemplar (3, 64, 64), unit normals of the whole crop;
    normal (3, S, S), true unit normals of renders; target (3, S, S), on photos the coarse network's; weight (S, S), how
    far a pixel is trusted; skin (S, S), 1 on bare skin; rendered () 1 for renders, 0 for photos.
    """

    def __init__(self, folder: str | Path, drawing: Drawing, held_out: bool = False) -> None:
        """drawing: see settings.Drawing. held_out: the samples kept for checking, instead of the others.

        Raises TrainingSetError for a folder without close-ups."""
        files = TrainingSet(folder)
        self.folder, self.drawing = Path(folder), drawing
        self.renders, self.photos = files.arrays(RENDERS), files.arrays(PHOTOS)
        self.textures, self.forms = files.array("textures/gray"), files.array("form_pairs")
        self.reliefs = [files.array(name) for name in _RELIEFS]
        self.rendered = np.flatnonzero(held_out_mask(len(self.renders["kind"])) == held_out)
        faces = held_out_mask(int(self.photos["photo"].max()) + 1)
        self.photographed = np.flatnonzero(faces[self.photos["photo"]] == held_out)
        self.faces = np.flatnonzero(held_out_mask(len(self.textures)) == held_out)
        self.rows, self.columns = np.round(template().landmarks).astype(int).T

    def draw(self, rng: np.random.Generator) -> list[Sample]:
        """One sample."""
        return [self.sample(rng)]

    def fingerprint(self) -> str:
        """See SampleSource."""
        return files_fingerprint(self.folder, self.files())

    def files(self) -> list[Path]:
        """See SetSource."""
        return TrainingSet(self.folder).files(RENDERS, PHOTOS, "textures/gray", "form_pairs", *_RELIEFS)

    def sample(self, rng: np.random.Generator) -> Sample:
        """One sample, see the class."""
        rendered = rng.random() >= self.drawing.photos
        index = rng.choice(self.rendered if rendered else self.photographed)
        source = self.renders if rendered else self.photos
        maps = {name: np.asarray(array[index]) for name, array in source.items()}
        position = _normalized(maps["position"])
        maps |= self._render(rng, maps) if rendered else self._photo(maps)
        gray, weight = maps["gray"], maps["weight"]
        normals = {name: maps[name].astype(np.float32) for name in ("normal", "target")}
        if rng.random() < self.drawing.moves:
            move = Move(rng)
            gray, weight = move.picture(gray), move.picture(weight, cv2.BORDER_CONSTANT)
            normals = {name: move.normals(value) for name, value in normals.items()}
            position = move.positions(position)
        points = ((position[self.rows, self.columns, :2] + 1) / 2 * SIZE - 0.5).astype(np.float32)
        bare = np.ones((SIZE, SIZE), np.float32)
        clear_facial_features(bare, points, max(3, int(SIZE * float(maps["zoom"])) // 20))
        skin = (weight > 0.3) * bare
        if rendered:
            weight = weight * (1 + _LIDS * round_eyes(points, SIZE))
        clean = gray
        if float(maps["zoom"]) == 1 and rng.random() < 0.3:
            gray, inside = cut_frame(rng, np.ascontiguousarray(gray))
            clean, skin = gray, skin * inside
        if rng.random() < self.drawing.clean:
            gray = expose(rng, gray)
        else:
            gray = degrade(rng, occlude(rng, gray) if rng.random() < 0.15 else gray)
        out: dict[str, np.ndarray] = {
            "gray": gray[None],
            "clean": np.ascontiguousarray(clean)[None],
            "contrast": self._contrast(rng, gray, maps, rendered),
            "exemplar": normalize(maps["exemplar"].astype(np.float32) / 127).transpose(2, 0, 1),
            **{name: value.transpose(2, 0, 1) for name, value in normals.items()},
            "weight": weight,
            "skin": skin,
            "rendered": np.array(rendered),
        }
        if rng.random() < 0.5:
            for name, value in out.items():
                if np.ndim(value) > 1:
                    out[name] = value[..., ::-1]
            for name in ("exemplar", "normal", "target"):
                out[name] = out[name] * np.array([-1, 1, 1], np.float32)[:, None, None]
        return {name: torch.from_numpy(np.array(value, np.float32, order="C")) for name, value in out.items()}

    def _contrast(
        self, rng: np.random.Generator, gray: np.ndarray, maps: dict[str, np.ndarray], rendered: bool
    ) -> np.ndarray:
        """The mean and deviation of the whole crop, of which a rendered window shows a part: made up from its own."""
        mean, deviation = float(gray.mean()), float(gray.std())
        if float(maps["zoom"]) > 1:
            if rendered:
                mean, deviation = mean + rng.normal(0, 0.06), max(deviation, rng.uniform(0.12, 0.28))
            else:  # as the degraded window differs from the photo's
                before = maps["gray"]
                scale = deviation / max(float(before.std()), 1e-3)
                mean += (float(maps["contrast"][0]) - float(before.mean())) * scale
                deviation = float(maps["contrast"][1]) * scale
        return np.array([mean, deviation], np.float32)

    def _render(self, rng: np.random.Generator, maps: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        studio, second = rng.random() < self.drawing.studios, bool(maps["family"])
        normal = maps["normal"].astype(np.float32)
        kind, up, uv = maps["kind"], maps["up"], maps["uv"]
        points = maps["position"][self.rows, self.columns, :2]
        lids = cv2.GaussianBlur(round_eyes(points.astype(np.float32), SIZE, 0.3), (0, 0), 2.0)[..., None]
        buffers = maps if second else {name: value for name, value in maps.items() if name != "albedo"}
        if rng.random() < _FORMS:
            forms = on_crop(self.forms[rng.integers(len(self.forms)), 0], uv, FLAT)
            strength = np.float32(rng.uniform(0, 0.6) * (AVATAR_FORMS if second else 1))
            if second:
                forms = weaken_at_lids(forms, lids[..., 0])
            normal = tilt(normal, kind, strength * forms[..., :2], up)
            buffers["sky"] = buffers["sky"] * np.where(
                kind == SKIN, 1 - np.minimum(strength, 1) * (1 - forms[..., 2]), 1
            )
        paint = _paint(rng, float(maps["zoom"]))
        if rng.random() < _RELIEF:
            relief = self._relief(rng, uv, kind) * (1 - 0.75 * lids if second else 1)
            strength = np.float32(rng.uniform(0.3, 1.4))
            normal = tilt(normal, kind, strength * relief[..., :2], up)
            keep = 1 - np.minimum(strength, 1) * relief[..., 2] * np.float32(rng.uniform(0.2, 0.7))
            buffers["sky"] = buffers["sky"] * keep
            paint = paint + np.log(1 - (1 - keep) * np.float32(rng.uniform(0, 0.6)))
        texture = self.textures[rng.choice(self.faces)]
        texture = flatten_shading(
            texture, 1 if studio else rng.uniform(*FLATTENED), np.exp(rng.uniform(*np.log(REACH)))
        )
        if second:
            buffers["albedo"] = recolored(rng, buffers["albedo"], kind, studio)
        background = self.photos["gray"][rng.choice(self.photographed)].astype(np.float32) / 255
        background = cv2.GaussianBlur(np.roll(background, rng.integers(SIZE), 1), (0, 0), rng.uniform(0.5, 5))
        picture = shade(rng, buffers, normal, texture, background, studio, paint * (0.3 if studio else 1))
        weight = np.select([kind == SKIN, kind == EYE, kind == TEETH, kind == MOUTH], [1.0, 1.0, 0.3, 0.1], 0.0)
        weight = weight * (0.3 + 0.7 * covered(maps["position"], 1.0))
        return {"gray": picture, "normal": normal, "target": normal, "weight": weight.astype(np.float32)}

    def _relief(self, rng: np.random.Generator, uv: np.ndarray, kind: np.ndarray) -> np.ndarray:
        """A random relief map on the window's pixels (S, S, 3), from the level that has about a texel for each."""
        across = np.abs(np.diff(uv[..., 0], axis=1))[kind[:, 1:] == SKIN]
        step = float(np.median(across)) if len(across) else 1e-2  # of the layout for each pixel
        level = int(np.clip(np.round(np.log2(max(step * TEXELS / 2, 1))), 0, LEVELS - 1))
        maps = self.reliefs[level]
        return on_crop(maps[rng.integers(len(maps))], uv)

    def _photo(self, maps: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        kind = maps["kind"]
        weight = covered(maps["position"]) * np.select([kind == SKIN, kind == EYE], [0.5, 0.5], 0.0)
        gray = maps["gray"].astype(np.float32) / 255
        return {"gray": gray, "normal": maps["target"], "weight": weight.astype(np.float32)}


def _normalized(position: np.ndarray) -> np.ndarray:
    """A position map in pixels as -1..1 of the window."""
    return (position.astype(np.float32) + np.array([0.5, 0.5, 0])) / SIZE * 2 - np.array([1, 1, 0], np.float32)


def _paint(rng: np.random.Generator, zoom: float) -> np.ndarray:
    """Logarithms of albedo (S, S) of what is color and no relief: blotches, freckles, hairs, at a window's scale."""
    paint = np.zeros((SIZE, SIZE), np.float32)
    for cells, most in ((7, 0.05), (24, 0.05), (64, 0.05), (128, 0.03)):
        noise = rng.normal(size=(cells, cells)).astype(np.float32)
        paint += cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) * np.float32(most * rng.random() ** 2)
    if rng.random() < 0.3:  # freckles, moles, pigment in pores
        size = rng.uniform(0.25, 0.6) * zoom
        count = rng.uniform(0.0005, 0.006) / max(size, 0.5)
        spots = cv2.GaussianBlur((rng.random((SIZE, SIZE)) < count).astype(np.float32), (0, 0), max(size, 0.5))
        paint -= spots / max(float(spots.max()), 1e-6) * np.float32(rng.uniform(0.05, 0.5))
    if rng.random() < 0.2:  # hairs
        hairs = np.zeros((SIZE, SIZE), np.float32)
        lean = rng.uniform(0, np.pi)
        for _ in range(rng.integers(5, 60)):
            start, angle = rng.uniform(0, SIZE, 2), lean + rng.normal(0, 0.3)
            end = start + rng.uniform(4, 14) * zoom * np.array([np.cos(angle), np.sin(angle)])
            cv2.line(hairs, tuple(map(int, start)), tuple(map(int, end)), (1.0,), 1, cv2.LINE_AA)
        paint += cv2.GaussianBlur(hairs, (0, 0), 0.3 + 0.2 * zoom) * np.float32(rng.uniform(-1.2, 0.2))
    return paint
