# SPDX-License-Identifier: GPL-3.0-or-later
"""Photoface as a source: one of the four photos of a session, normals by photometric stereo (stage 1 of the paper)."""

import hashlib
from pathlib import Path

import numpy as np

from hffne.datasets import photoface
from hffne.photo.crop import extract_crop, to_gray
from hffne.training.sources import Sample
from hffne.training.sources.cropping import face_crop, mirrored_sample, truth_on


class PhotofaceSource:
    """The sessions of the training or of the test share, which `seed` splits."""

    def __init__(self, folder: str | Path, size: int, seed: int = 0, held_out: bool = False) -> None:
        """size: of the samples in pixels. held_out: the test share. Raises HffneError where Photoface is not there."""
        training, test = photoface.split(photoface.find(folder, part=True), seed=seed)
        self.sessions, self.size = test if held_out else training, size
        self.cache: dict[int, tuple[list[np.ndarray], np.ndarray, np.ndarray]] = {}

    def draw(self, rng: np.random.Generator) -> list[Sample]:
        """See SampleSource."""
        number = int(rng.integers(len(self.sessions)))
        if number not in self.cache:
            session = self.sessions[number]
            pictures = session.read()
            normal, mask = session.ground_truth(pictures)
            crop = face_crop(pictures, session.folder)
            normal, known = truth_on(crop, self.size, normal, mask)
            self.cache[number] = ([to_gray(extract_crop(p, crop.resized(self.size))) for p in pictures], normal, known)
        grays, normal, known = self.cache[number]
        return [mirrored_sample(rng, grays[rng.integers(len(grays))], normal, known)]

    def fingerprint(self) -> str:
        """See SampleSource; by the names of the sessions."""
        return hashlib.sha256("\n".join(session.name for session in self.sessions).encode()).hexdigest()[:16]
