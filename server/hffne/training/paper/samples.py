# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered samples: the same number is the same sample in every run and on every process.

A source has `sample(rng)` -> dict of float32 tensors: gray (1, S, S) in 0..1, normal (3, S, S) unit (zero where
nothing is known), weight (S, S) 0..1, how far the normal is known; in stage 2 only its sign is used, as the face's area.
"""

import cv2
import numpy as np
import torch

from hffne.datasets import photoface
from hffne.errors import HffneError, NoFaceError, TrainingSetError
from hffne.photo.crop import crop_for_box, extract_crop, to_gray
from hffne.photo.detect import find_faces
from hffne.photo.formats import FORMAT_NAMES
from hffne.photo.load import Photo, find_photos, load_photo


class SetSource:
    """A set of `hffne train data`: its renders with true normals (labeled), or its photos."""

    def __init__(self, folder, size, labeled, held_out=False):
        from hffne.training.dataset import FaceSamples

        if not (folder / "renders").is_dir():
            raise TrainingSetError(f"'{folder}' is no training set.", hint="Make one with `hffne train data`.")
        self.samples = FaceSamples(folder, size, 0, photos=0.0 if labeled else 1.0, held_out=held_out, quick=True)

    def sample(self, rng):
        found = self.samples.sample(rng)
        return {name: found[name] for name in ("gray", "normal", "weight")} | {"base": found["smooth"]}


class PhotofaceSource:
    """Photoface sessions, one of the four photos each; normals by photometric stereo (stage 1 of the paper)."""

    def __init__(self, folder, size, seed=0, held_out=False):
        training, test = photoface.split(photoface.find(folder, part=True), seed=seed)
        self.sessions, self.size, self.cache = test if held_out else training, size, {}

    def sample(self, rng):
        number = int(rng.integers(len(self.sessions)))
        if number not in self.cache:
            session = self.sessions[number]
            pictures = session.read()
            normal, mask = session.ground_truth(pictures)
            crop = _crop(pictures, session.folder)
            normal, known = truth_on(crop, self.size, normal, mask)
            self.cache[number] = ([to_gray(extract_crop(p, crop.resized(self.size))) for p in pictures], normal, known)
        grays, normal, known = self.cache[number]
        return _sample(rng, grays[rng.integers(len(grays))], normal, known)


class PhotoSource:
    """Any folder of face photos, without labels (stage 2). The face is found in each, and an ellipse taken as it."""

    def __init__(self, folder, size):
        self.size, self.cache = size, {}
        self.paths = find_photos(folder)
        if not self.paths:
            raise TrainingSetError(
                f"There are no photos in '{folder}'.", hint=f"Name a folder of photos: {FORMAT_NAMES}."
            )
        y, x = np.mgrid[:size, :size] / size * 2 - 1
        self.area = (x / 0.75) ** 2 + (y / 0.95) ** 2 < 1

    def sample(self, rng):
        for _ in range(50):  # photos without a face are passed over
            number = int(rng.integers(len(self.paths)))
            if number not in self.cache:
                try:
                    photo = load_photo(self.paths[number])
                    crop = _crop([photo.rgb], self.paths[number])
                    self.cache[number] = (to_gray(extract_crop(photo.rgb, crop.resized(self.size))) * 255).astype(
                        np.uint8
                    )
                except HffneError:
                    self.cache[number] = None
            if self.cache[number] is not None:
                gray = self.cache[number].astype(np.float32) / 255
                return _sample(rng, gray, np.zeros((self.size, self.size, 3), np.float32), self.area)
        raise TrainingSetError("No face was found on fifty photos in a row.", hint="Is this a folder of face photos?")


def truth_on(crop, size, normal, mask):
    """Unit normals (H, W, 3) and their mask (H, W) on a photo, at size x size on a Crop: zero where nothing is known."""
    x, y = np.moveaxis(crop.resized(size).to_photo(np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1)), 2, 0)
    # Each crop pixel is the mean over its area where it is coarser than the photo.
    sigma = 0.4 * crop.side / size
    normal, known = (normal * mask[..., None]).astype(np.float32), mask.astype(np.float32)
    if sigma > 0.6:
        normal, known = cv2.GaussianBlur(normal, (0, 0), sigma), cv2.GaussianBlur(known, (0, 0), sigma)
    normal, known = (cv2.remap(p, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) for p in (normal, known))
    known = known > 0.9
    length = np.linalg.norm(normal, axis=2, keepdims=True)
    return normal @ crop.unturning / np.maximum(length, 1e-6) * known[..., None], known


def _crop(pictures, path):
    for picture in pictures:
        faces = find_faces(Photo(picture, path))
        if faces:
            return crop_for_box(faces[0].box, 256)
    raise NoFaceError(f"No face was found on '{path}'.")


def _sample(rng, gray, normal, weight):
    if rng.random() < 0.5:
        gray, weight, normal = gray[:, ::-1], weight[:, ::-1], normal[:, ::-1] * np.float32([-1, 1, 1])
    parts = {"gray": gray[None], "normal": normal.transpose(2, 0, 1), "weight": weight}
    return {name: torch.from_numpy(np.ascontiguousarray(part, np.float32)) for name, part in parts.items()}


class Numbered(torch.utils.data.Dataset):
    """Micro batch `number` of a source, stacked; drawn by (seed, number) alone."""

    def __init__(self, source, size, seed, micro_batch, numbers):
        self.source, self.size, self.seed = source, size, seed
        self.micro_batch, self.numbers = micro_batch, numbers

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, index):
        cv2.setNumThreads(1)
        first = self.numbers[index] * self.micro_batch
        samples = [self.source.sample(np.random.default_rng([self.seed, first + k])) for k in range(self.micro_batch)]
        return {name: torch.stack([s[name] for s in samples]) for name in samples[0]}
