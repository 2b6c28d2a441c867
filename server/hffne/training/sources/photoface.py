# SPDX-License-Identifier: GPL-3.0-or-later
"""Photoface as a source: one of the four photos of a session, normals by photometric stereo (stage 1 of the paper)."""

import sys
from pathlib import Path
from typing import TypeAlias

import numpy as np

from hffne.datasets import photoface
from hffne.errors import HffneError, TrainingSetError
from hffne.photo.crop import extract_crop, to_gray
from hffne.training.provenance import files_fingerprint
from hffne.training.sources import Sample
from hffne.training.sources.cache import RecentItems
from hffne.training.sources.cropping import face_crop, mirrored_sample, truth_on

# The faces of a session's photos (4, S, S) in 0..1, their normals (S, S, 3), and where they are known (S, S).
_Session: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]


SHARE, BY = 0.2, "session"  # of the test


class PhotofaceSource:
    """The sessions of the training or of the test share, which `seed` splits.

    split: the note of the split, for the weights
    left_out: the sessions that could not be used so far, by name; the process that drew one reports it once
    """

    def __init__(self, folder: str | Path, size: int, seed: int = 0, held_out: bool = False) -> None:
        """size: of the samples in pixels. held_out: the test share. Raises HffneError where Photoface is not there."""
        everything = photoface.find(folder, part=True)
        training, test = photoface.split(everything, SHARE, seed, BY)
        self.split = photoface.split_note(everything, SHARE, seed, BY)
        self.folder, self.sessions, self.size = Path(folder), test if held_out else training, size
        self.cache = RecentItems[_Session | None](_bytes)
        self.left_out: list[str] = []

    def draw(self, rng: np.random.Generator) -> list[Sample]:
        """See SampleSource. Raises TrainingSetError after fifty sessions that cannot be used."""
        for _ in range(50):
            found = self.cache.get(int(rng.integers(len(self.sessions))), self._session)
            if found is not None:
                grays, normal, known = found
                return [mirrored_sample(rng, grays[rng.integers(len(grays))], normal, known)]
        raise TrainingSetError(
            "Fifty sessions of Photoface in a row could not be used.", hint="The reason for each is reported above."
        )

    def fingerprint(self) -> str:
        """See SampleSource."""
        files = [path for s in self.sessions for path in (*s.photos, s.folder / photoface.LIGHT_FILE) if path.is_file()]
        return files_fingerprint(self.folder, files, samples=3, block=256)

    def _session(self, number: int) -> _Session | None:
        """A session's faces and normals, or None where its files are bad or show no face."""
        session = self.sessions[number]
        try:
            pictures = session.read()
            normal, mask = session.ground_truth(pictures)
            crop = face_crop(pictures, session.folder)
        except HffneError as error:
            if session.name not in self.left_out:
                self.left_out.append(session.name)
                count = len(self.left_out)
                print(f"{session.name}: {error.message} Left out ({count} so far).", file=sys.stderr, flush=True)
            return None
        normal, known = truth_on(crop, self.size, normal, mask)
        return np.stack([to_gray(extract_crop(p, crop.resized(self.size))) for p in pictures]), normal, known


def _bytes(session: "_Session | None") -> int:
    return 0 if session is None else sum(part.nbytes for part in session)
