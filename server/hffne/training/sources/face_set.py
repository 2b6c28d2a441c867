# SPDX-License-Identifier: GPL-3.0-or-later
"""Training samples: rendered buffers, shaded differently each time, and photos with their fits."""

from functools import cache, partial
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import torch

from hffne.geometry.feature_masks import round_eyes, round_mouth
from hffne.geometry.uv import clear_facial_features, template
from hffne.geometry.vectors import normalize
from hffne.synthesis.avatar_colors import recolored, weaken_at_lids
from hffne.synthesis.relief_maps import FLAT
from hffne.synthesis.render import EYE, MOUTH, SIZE, SKIN, TEETH
from hffne.synthesis.shading import on_crop, shade, tilt
from hffne.synthesis.textures import flatten_shading
from hffne.synthesis.training_set import TrainingSet, held_out_mask
from hffne.training.augment import Move, cut_frame, degrade, expose, occlude
from hffne.training.provenance import files_fingerprint
from hffne.training.settings import Drawing
from hffne.training.sources import Sample

FOLD = 2.0  # sigma in texels of a relief map: broader forms are in "smooth" too, which the coarse network learns
# The share of a texture's shades that is removed, and how broad they are (sigma in texels). What remains is as much
# painted variation as photographed skin has.
FLATTENED, REACH = (0.6, 1.0), (15, 80)
AVATAR_FORMS = 0.4  # strength of added forms on the second head family, which has folds of its own


# gray, normal, smooth, weight (S, S[, 3]) and position (U, U, 3) of a sample, see FaceSamples.
_Maps: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class FaceSamples:
    """Random samples of a set that ``synthesis.build`` made.

    Each is a dict of float32 tensors: gray (1, S, S) in 0..1; normal (3, S, S) unit; smooth (3, S, S), the same
    without the finest relief; weight (S, S), how far each pixel's normal is trusted; skin (S, S), 1 where there is
    neither brow, eye nor lip, whose edges are paint; position (3, U, U) in -1..1 of the crop
    (x right, y down, z toward the viewer); clean (1, S, S) the gray picture before degradation;
    rendered () 1 for renders, 0 for photos; second () 1 for the second of a pair, which follows the first;
    lids, lips (S, S) 1 near the eyes and near the mouth; second_family () 1 for renders of the second head family.

    The two renders of a pair (`settings.Drawing.antithetic`) differ only in that the forms raised in one are hollow in
    the other. What else makes a normal ambiguous is the same in both, so that it hides less of what the light shows of
    the forms. Renders of the studio kind (`studios`) show their shape as well as a picture can; what light shows is
    learnt from these.
    """

    def __init__(self, folder: str | Path, size: int, drawing: Drawing, held_out: bool = False) -> None:
        """size: of the samples in pixels. drawing: see settings.Drawing. held_out: the faces kept for checking, instead
        of the others. Raises TrainingSetError for a folder that is not a training set."""
        files = TrainingSet(folder)
        self.folder, self.size, self.drawing = Path(folder), size, drawing
        self.photo_share = drawing.photos
        if drawing.antithetic:  # the share of draws: a photo is drawn alone, renders in pairs
            self.photo_share = 2 * drawing.photos / (1 + drawing.photos)
        self.renders, self.photos = files.arrays("renders"), files.arrays("photos")
        self.textures, self.reliefs = files.array("textures/gray"), files.array("reliefs")
        self.forms = files.array("form_pairs")
        self.avatars = files.arrays("avatars") if (self.folder / "avatars").is_dir() else {}
        # Large, and of no use to a task that draws none: neither a part of its fingerprint nor packed with it.
        wanted = drawing.people > 0 and (self.folder / "posed_people").is_dir()
        self.people = files.arrays("posed_people") if wanted else {}
        count = len(self.textures)
        self.faces = np.flatnonzero(held_out_mask(count) == held_out)
        self.crops = len(self.photos["gray"]) // count
        self.rendered = np.flatnonzero(held_out_mask(len(self.renders["kind"])) == held_out)
        chance = 1 + drawing.profiles * _sideways(self.renders["position"])[self.rendered]
        self.chance = chance / chance.sum()
        self.step = 2 if drawing.quick and size * 2 <= SIZE else 1
        self.count = count
        self.rows, self.columns = np.round(template().landmarks).astype(int).T

    def draw(self, rng: np.random.Generator) -> list[Sample]:
        """A photo, a render, or a pair of renders."""
        seed = rng.integers(2**63)
        first = self.sample(np.random.default_rng(seed))
        if self.drawing.antithetic and first["rendered"] and not first["second_family"]:
            return [first, self.sample(np.random.default_rng(seed), way=1)]
        return [first]

    def fingerprint(self) -> str:
        """See SampleSource."""
        return files_fingerprint(self.folder, self.files())

    def files(self) -> list[Path]:
        """See SetSource."""
        names = ["renders", "photos", "avatars", "textures/gray", "reliefs", "form_pairs"]
        return TrainingSet(self.folder).files(*names, *(["posed_people"] if self.people else []))

    def sample(self, rng: np.random.Generator, way: int = 0) -> Sample:
        """One sample, see the class; `way`: which of a pair of forms."""
        rendered, studio = rng.random() >= self.photo_share, rng.random() < self.drawing.studios
        avatar = bool(rendered and self.avatars) and rng.random() < self.drawing.avatars
        posed = bool(rendered and self.people) and rng.random() < self.drawing.people
        make = self._person if posed else partial(self._render, way=way, studio=studio, avatar=avatar)
        maps = make(rng) if rendered else self._photo(rng)
        gray, normal, smooth, weight, position = maps
        if rng.random() < self.drawing.moves:
            move = Move(rng)
            gray, normal, smooth = move.picture(gray), move.normals(normal), move.normals(smooth)
            weight, position = move.picture(weight, cv2.BORDER_CONSTANT), move.positions(position)
        skin = (weight > 0.3) * self._bare_skin(position)
        if rng.random() < 0.5:
            gray, weight, skin = gray[:, ::-1], weight[:, ::-1], skin[:, ::-1]
            normal, smooth = (a[:, ::-1] * np.array([-1, 1, 1], np.float32) for a in (normal, smooth))
            position = position[:, ::-1] * np.array([-1, 1, 1], np.float32)
        clean = gray
        unspoiled = bool(self.drawing.clean) and rng.random() < self.drawing.clean
        if not unspoiled and rng.random() < 0.45:
            gray, inside = cut_frame(rng, np.ascontiguousarray(gray))
            clean, skin = gray, skin * inside
        if unspoiled or (rendered and studio):
            gray = expose(rng, gray)
        else:
            gray = degrade(rng, occlude(rng, gray) if rng.random() < 0.2 else gray)
        out = {
            "gray": gray[None],
            "clean": np.ascontiguousarray(clean)[None],
            "normal": normal.transpose(2, 0, 1),
            "smooth": smooth.transpose(2, 0, 1),
            "weight": weight,
            "skin": skin,
            "position": position.transpose(2, 0, 1),
            "rendered": np.float32(rendered),
            "second": np.float32(way),
            "second_family": np.float32(avatar or posed),
            "lids": round_eyes(self._points(position), self.size),
            "lips": round_mouth(self._points(position), self.size),
        }
        return {
            k: torch.from_numpy(np.ascontiguousarray(v, np.float32)) if np.ndim(v) else torch.tensor(v)
            for k, v in out.items()
        }

    def _bare_skin(self, position: np.ndarray) -> np.ndarray:
        """1 where the crop (S, S) shows neither brows, eyes, nostrils nor lips, by the landmarks of a position map."""
        mask = np.ones((self.size, self.size), np.float32)
        clear_facial_features(mask, self._points(position), max(3, self.size // 20))
        return mask

    def _points(self, position: np.ndarray) -> np.ndarray:
        """The 68 points (68, 2) of a position map in -1..1, in pixels."""
        return ((position[self.rows, self.columns, :2] + 1) / 2 * self.size - 0.5).astype(np.float32)

    def _shrink(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Pictures at the samples' size."""
        return tuple(
            a if len(a) == self.size else cv2.resize(a, (self.size, self.size), interpolation=cv2.INTER_AREA)
            for a in arrays
        )

    def _finish(
        self, gray: np.ndarray, normal: np.ndarray, smooth: np.ndarray, weight: np.ndarray, position: np.ndarray
    ) -> _Maps:
        gray, normal, smooth, weight = self._shrink(
            *(np.ascontiguousarray(a, np.float32) for a in (gray, normal, smooth, weight))
        )
        normal, smooth = normalize(normal), normalize(smooth)
        position = (position.astype(np.float32) + np.array([0.5, 0.5, 0])) / SIZE * 2 - np.array([1, 1, 0], np.float32)
        return gray, normal, smooth, weight, position

    def _render(self, rng: np.random.Generator, way: int, studio: bool, avatar: bool) -> _Maps:
        source = self.avatars if avatar else self.renders
        index = rng.integers(len(source["kind"])) if avatar else rng.choice(self.rendered, p=self.chance)
        buffers = {name: np.asarray(array[index]) for name, array in source.items()}
        position = buffers["position"].astype(np.float32)
        if self.step > 1:
            buffers |= {
                name: np.ascontiguousarray(buffers[name][:: self.step, :: self.step])
                for name in ("normal", "uv", "kind", "sun", "sky", "albedo")
                if name in buffers
            }
            position[..., :2] += (self.step - 1) / 2  # each even pixel now covers two
        smooth = buffers["normal"].astype(np.float32) / 127
        kind, up, uv = buffers["kind"], buffers["up"], buffers["uv"].astype(np.float32)
        if self.drawing.relief and rng.random() < 0.85:
            forms = on_crop(self.forms[rng.integers(len(self.forms)), way], uv, FLAT)
            strength = np.float32(rng.uniform(0, 0.9) * (1.5 if studio else 1) * (AVATAR_FORMS if avatar else 1))
            if avatar:
                lids = round_eyes(position[self.rows, self.columns, :2] / self.step, len(kind), 0.3)
                forms = weaken_at_lids(forms, lids)
            smooth = tilt(smooth, kind, strength * forms[..., :2], up)
            keep = np.where(kind == SKIN, 1 - np.minimum(strength, 1) * (1 - forms[..., 2]), 1)
            buffers["sky"] = buffers["sky"] * keep
        normal = smooth
        if self.drawing.relief and rng.random() < 0.8:
            relief = self.reliefs[rng.integers(len(self.reliefs))].astype(np.float32)
            relief *= np.float32(rng.uniform(0.2, 1.6) * self.drawing.relief)
            folds = cv2.GaussianBlur(relief, (0, 0), FOLD)
            smooth = tilt(smooth, kind, on_crop(folds, uv), up)
            normal = tilt(smooth, kind, on_crop(relief - folds, uv), up)
        texture = self.textures[rng.choice(self.faces)]
        texture = flatten_shading(
            texture, 1 if studio else rng.uniform(*FLATTENED), np.exp(rng.uniform(*np.log(REACH)))
        )
        if avatar:
            buffers["albedo"] = recolored(rng, buffers["albedo"], kind, studio)
        picture = shade(
            rng,
            buffers,
            normal,
            texture,
            cv2.resize(self._background(rng), kind.shape, interpolation=cv2.INTER_AREA),
            studio,
        )
        weight = np.select([kind == SKIN, kind == EYE, kind == TEETH, kind == MOUTH], [1.0, 1.0, 0.3, 0.1], 0.0)
        # Only the face is used in the end; ears, neck and crown stabilize the training.
        weight *= 0.3 + 0.7 * covered(position, 1.0)[:: self.step, :: self.step]
        return self._finish(picture, normal, smooth, weight, position)

    def _background(self, rng: np.random.Generator) -> np.ndarray:
        kind = rng.random()
        if kind < 0.2:
            return np.full((SIZE, SIZE), rng.uniform(0, 1), np.float32)
        photo = self.photos["gray"][rng.choice(self.faces) + self.count * rng.integers(self.crops)]
        if rng.random() < 0.5:
            photo = photo[: SIZE // 3]
        photo = cv2.resize(np.roll(photo, rng.integers(SIZE), 1), (SIZE, SIZE)).astype(np.float32) / 255
        return cv2.GaussianBlur(photo, (0, 0), rng.uniform(0.5, 5))

    def _person(self, rng: np.random.Generator) -> _Maps:
        index = rng.integers(len(self.people["gray"]))
        unknown = np.zeros((SIZE, SIZE, 3), np.float32)
        gray = self.people["gray"][index] / np.float32(255)
        return self._finish(gray, unknown, unknown, unknown[..., 0], self.people["position"][index])

    def _photo(self, rng: np.random.Generator) -> _Maps:
        index = rng.choice(self.faces) + self.count * rng.integers(self.crops)
        photo = {name: np.asarray(array[index]) for name, array in self.photos.items()}
        if self.step > 1:  # the pictures shrink to this size anyway
            photo |= {
                name: np.ascontiguousarray(photo[name][:: self.step, :: self.step]) for name in ("normal", "kind")
            }
        normal = photo["normal"].astype(np.float32) / 127
        kind = photo["kind"]
        # A fit has no hair, neck or teeth: only the area of the position map is trusted.
        weight = covered(photo["position"])[:: self.step, :: self.step] * np.select(
            [kind == SKIN, kind == EYE], [1.0, 1.0], 0.0
        )
        return self._finish(photo["gray"] / np.float32(255), normal, normal, weight * 0.5, photo["position"])


def _sideways(positions: np.ndarray) -> np.ndarray:
    """How far each face (N,) looks aside, 0 frontal to 1 profile: by where its middle stands out of its rim."""
    middle = positions[:, 64, 64].astype(np.float32)
    rim = (positions[:, 64, 4].astype(np.float32) + positions[:, 64, -5].astype(np.float32)) / 2
    out = middle - rim
    return np.abs(out[:, 0]) / np.maximum(np.linalg.norm(out, axis=1), 1e-6)


@cache
def _within(size: int, radius: float) -> np.ndarray:
    grid = (np.arange(size) + 0.5) / size * 2 - 1
    return np.hypot(*np.meshgrid(grid, -grid)) < radius


def covered(position: np.ndarray, radius: float = 0.8) -> np.ndarray:
    """Where in the crop (S, S) the position map (U, U, 3) lies, as far as `radius`: by default without its rim."""
    points = position[_within(len(position), radius)][:, :2].astype(np.float32)
    hull = cv2.convexHull(np.round(points).astype(np.int32))
    return cv2.fillConvexPoly(np.zeros((SIZE, SIZE), np.uint8), hull, (1,)).astype(np.float32)
