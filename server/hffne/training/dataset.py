# SPDX-License-Identifier: GPL-3.0-or-later
"""Training samples: rendered buffers shaded anew each time, and photos with their fits."""

from functools import cache

import cv2
import numpy as np
import torch

from hffne.geometry.uv import clear_facial_features, template
from hffne.geometry.vectors import normalize
from hffne.synthesis.relief_maps import FLAT
from hffne.synthesis.render import EYE, MOUTH, SIZE, SKIN, TEETH
from hffne.synthesis.shading import on_crop, shade, tilt
from hffne.synthesis.textures import flatten_shading
from hffne.synthesis.training_set import TrainingSet, held_out_mask
from hffne.training.augment import Move, cut_frame, degrade, expose, occlude

FOLD = 2.0  # sigma in texels of a relief map: what is broader is the coarse network's too
# The share of a texture's shades that is taken out, and how broad they are (sigma in texels): what is left is as much
# paint as photographed skin has.
EVENED, REACH = (0.6, 1.0), (15, 80)


class FaceSamples(torch.utils.data.IterableDataset):
    """Endless random samples of a set that ``synthesis.build`` made.

    Each is a dict of float32 tensors: gray (1, S, S) in 0..1; normal (3, S, S) unit; smooth (3, S, S), the same
    without the finest relief; weight (S, S), how far each pixel's normal is trusted; skin (S, S), 1 where there is neither
    brow, eye nor lip, whose edges are paint; position (3, U, U) in -1..1 of the crop
    (x right, y down, z toward the viewer); clean (1, S, S) the gray picture before degradation;
    rendered () 1 for renders, 0 for photos; second () 1 for the second of a pair, which follows the first.
    """

    def __init__(
        self,
        folder,
        size,
        seed,
        photos=0.35,
        relief=1.0,
        held_out=False,
        profiles=0.0,
        quick=False,
        moves=0.7,
        antithetic=False,
        studios=0.0,
    ):
        """photos: the share of photos. relief: its strength. profiles: how much more often a full profile is drawn
        than a frontal render. quick: shade every second pixel only, where relief and fine edges do not matter.
        moves: the share that is turned, scaled and shifted in its plane. antithetic: renders come in pairs that differ
        in nothing but what the forms of one raise and those of the other hollow. What else makes a normal hard to
        tell is the same in both, so that it hides less of what the light tells of the forms. studios: the share of
        renders that show their shape as well as a picture can: one lamp, even skin, strong forms, a good camera. What
        light tells is learnt from these; among others only, a network finds it hardly worth looking."""
        files = TrainingSet(folder)
        self.size, self.seed, self.photo_share, self.relief, self.moves = size, seed, photos, relief, moves
        self.antithetic, self.studios = antithetic, studios
        if antithetic:  # of what is drawn; a photo comes alone
            self.photo_share = 2 * photos / (1 + photos)
        self.renders, self.photos = files.arrays("renders"), files.arrays("photos")
        self.textures, self.reliefs = files.array("textures/gray"), files.array("reliefs")
        self.forms = files.array("form_pairs")
        count = len(self.textures)
        self.faces = np.flatnonzero(held_out_mask(count) == held_out)
        self.crops = len(self.photos["gray"]) // count
        self.rendered = np.flatnonzero(held_out_mask(len(self.renders["kind"])) == held_out)
        chance = 1 + profiles * _sideways(self.renders["position"])[self.rendered]
        self.chance = chance / chance.sum()
        self.step = 2 if quick and size * 2 <= SIZE else 1
        self.count = count
        self.rows, self.columns = np.round(template().landmarks).astype(int).T

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([*np.atleast_1d(self.seed), worker.id if worker else 0])
        while True:
            seed = rng.integers(2**63)
            sample = self.sample(np.random.default_rng(seed))
            yield sample
            if self.antithetic and sample["rendered"]:
                yield self.sample(np.random.default_rng(seed), way=1)

    def sample(self, rng, way=0):
        """One sample, see the class; `way`: which of a pair of forms."""
        rendered, studio = rng.random() >= self.photo_share, rng.random() < self.studios
        gray, normal, smooth, weight, position = self._render(rng, way, studio) if rendered else self._photo(rng)
        if rng.random() < self.moves:
            move = Move(rng)
            gray, normal, smooth = move.picture(gray), move.normals(normal), move.normals(smooth)
            weight, position = move.picture(weight, cv2.BORDER_CONSTANT), move.positions(position)
        skin = (weight > 0.3) * self._plain(position)
        if rng.random() < 0.5:
            gray, weight, skin = gray[:, ::-1], weight[:, ::-1], skin[:, ::-1]
            normal, smooth = (a[:, ::-1] * np.float32([-1, 1, 1]) for a in (normal, smooth))
            position = position[:, ::-1] * np.float32([-1, 1, 1])
        clean = gray
        if rng.random() < 0.45:
            gray, inside = cut_frame(rng, np.ascontiguousarray(gray))
            clean, skin = gray, skin * inside
        if rendered and studio:
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
        }
        return {
            k: torch.from_numpy(np.ascontiguousarray(v, np.float32)) if np.ndim(v) else torch.tensor(v)
            for k, v in out.items()
        }

    def _plain(self, position):
        """1 where the crop (S, S) shows neither brows, eyes, nostrils nor lips, by the landmarks of a position map."""
        mask = np.ones((self.size, self.size), np.float32)
        points = position[self.rows, self.columns, :2]
        points = ((points + 1) / 2 * self.size - 0.5).astype(np.float32)
        clear_facial_features(mask, points, max(3, self.size // 20))
        return mask

    def _shrink(self, *arrays):
        return tuple(
            a if len(a) == self.size else cv2.resize(a, (self.size, self.size), interpolation=cv2.INTER_AREA)
            for a in arrays
        )

    def _finish(self, gray, normal, smooth, weight, position):
        gray, normal, smooth, weight = self._shrink(
            *(np.ascontiguousarray(a, np.float32) for a in (gray, normal, smooth, weight))
        )
        normal, smooth = normalize(normal), normalize(smooth)
        position = (position.astype(np.float32) + np.array([0.5, 0.5, 0])) / SIZE * 2 - np.float32([1, 1, 0])
        return gray, normal, smooth, weight, position

    def _render(self, rng, way, studio):
        index = rng.choice(self.rendered, p=self.chance)
        buffers = {name: np.asarray(array[index]) for name, array in self.renders.items()}
        position = buffers["position"].astype(np.float32)
        if self.step > 1:
            buffers |= {
                name: np.ascontiguousarray(buffers[name][:: self.step, :: self.step])
                for name in ("normal", "uv", "kind", "sun", "sky")
            }
            position[..., :2] += (self.step - 1) / 2  # what stood on an even pixel now fills two
        smooth = buffers["normal"].astype(np.float32) / 127
        kind, up, uv = buffers["kind"], buffers["up"], buffers["uv"].astype(np.float32)
        if self.relief and rng.random() < 0.85:
            forms = on_crop(self.forms[rng.integers(len(self.forms)), way], uv, FLAT)
            strength = np.float32(rng.uniform(0, 0.9) * (1.5 if studio else 1))
            smooth = tilt(smooth, kind, strength * forms[..., :2], up)
            keep = np.where(kind == SKIN, 1 - np.minimum(strength, 1) * (1 - forms[..., 2]), 1)
            buffers["sky"] = buffers["sky"] * keep
        normal = smooth
        if self.relief and rng.random() < 0.8:
            relief = self.reliefs[rng.integers(len(self.reliefs))].astype(np.float32)
            relief *= np.float32(rng.uniform(0.2, 1.6) * self.relief)
            folds = cv2.GaussianBlur(relief, (0, 0), FOLD)
            smooth = tilt(smooth, kind, on_crop(folds, uv), up)
            normal = tilt(smooth, kind, on_crop(relief - folds, uv), up)
        texture = self.textures[rng.choice(self.faces)]
        texture = flatten_shading(texture, 1 if studio else rng.uniform(*EVENED), np.exp(rng.uniform(*np.log(REACH))))
        picture = shade(
            rng,
            buffers,
            normal,
            texture,
            cv2.resize(self._background(rng), kind.shape, interpolation=cv2.INTER_AREA),
            studio,
        )
        weight = np.select([kind == SKIN, kind == EYE, kind == TEETH, kind == MOUTH], [1.0, 1.0, 0.3, 0.1], 0.0)
        # The product shows the face; ears, neck and crown only steady it.
        weight *= 0.3 + 0.7 * _covered(position, 1.0)[:: self.step, :: self.step]
        return self._finish(picture, normal, smooth, weight, position)

    def _background(self, rng):
        kind = rng.random()
        if kind < 0.2:
            return np.full((SIZE, SIZE), rng.uniform(0, 1), np.float32)
        photo = self.photos["gray"][rng.choice(self.faces) + self.count * rng.integers(self.crops)]
        if rng.random() < 0.5:
            photo = photo[: SIZE // 3]
        photo = cv2.resize(np.roll(photo, rng.integers(SIZE), 1), (SIZE, SIZE)).astype(np.float32) / 255
        return cv2.GaussianBlur(photo, (0, 0), rng.uniform(0.5, 5))

    def _photo(self, rng):
        index = rng.choice(self.faces) + self.count * rng.integers(self.crops)
        photo = {name: np.asarray(array[index]) for name, array in self.photos.items()}
        if self.step > 1:  # the pictures shrink to this size anyway
            photo |= {
                name: np.ascontiguousarray(photo[name][:: self.step, :: self.step]) for name in ("normal", "kind")
            }
        normal = photo["normal"].astype(np.float32) / 127
        kind = photo["kind"]
        # Fits know the face, not the hair, the neck or the teeth: only the position map's own area is trusted.
        weight = _covered(photo["position"])[:: self.step, :: self.step] * np.select(
            [kind == SKIN, kind == EYE], [1.0, 1.0], 0.0
        )
        return self._finish(photo["gray"] / np.float32(255), normal, normal, weight * 0.5, photo["position"])


def _sideways(positions):
    """How far each face (N,) looks aside, 0 frontal to 1 profile: by where its middle stands out of its rim."""
    middle = positions[:, 64, 64].astype(np.float32)
    rim = (positions[:, 64, 4].astype(np.float32) + positions[:, 64, -5].astype(np.float32)) / 2
    out = middle - rim
    return np.abs(out[:, 0]) / np.maximum(np.linalg.norm(out, axis=1), 1e-6)


@cache
def _within(size, radius):
    grid = (np.arange(size) + 0.5) / size * 2 - 1
    return np.hypot(*np.meshgrid(grid, -grid)) < radius


def _covered(position, radius=0.8):
    """Where in the crop (S, S) the position map (U, U, 3) lies, as far as `radius`: by default without its rim."""
    points = position[_within(len(position), radius)][:, :2].astype(np.float32)
    hull = cv2.convexHull(np.round(points).astype(np.int32))
    return cv2.fillConvexPoly(np.zeros((SIZE, SIZE), np.uint8), hull, 1).astype(np.float32)


def batches(samples, batch, workers=1):
    """An endless iterator of batched samples."""
    return iter(
        torch.utils.data.DataLoader(
            samples, batch, num_workers=workers, prefetch_factor=4 if workers else None, worker_init_fn=_one_thread
        )
    )


def _one_thread(_):
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
