# SPDX-License-Identifier: GPL-3.0-or-later
"""Any folder of face photos as a source, without labels (stage 2 of the paper)."""

from pathlib import Path

import numpy as np

from hffne.errors import HffneError, TrainingSetError
from hffne.photo.crop import extract_crop, to_gray
from hffne.photo.formats import FORMAT_NAMES
from hffne.photo.load import find_photos, load_photo
from hffne.training.provenance import files_fingerprint
from hffne.training.sources import Sample
from hffne.training.sources.cache import RecentItems
from hffne.training.sources.cropping import face_crop, mirrored_sample


class PhotoSource:
    """The face is found on each photo, and an ellipse is taken as its area. A sample also has color (3, S, S), 0..1."""

    def __init__(self, folder: Path, size: int) -> None:
        """size: of the samples in pixels. Raises TrainingSetError for a folder without photos."""
        self.folder, self.size = folder, size
        self.cache = RecentItems[np.ndarray | None](_bytes)
        self.paths = find_photos(folder)
        if not self.paths:
            raise TrainingSetError(
                f"There are no photos in '{folder}'.", hint=f"Name a folder of photos: {FORMAT_NAMES}."
            )
        y, x = np.mgrid[:size, :size] / size * 2 - 1
        self.area = (x / 0.75) ** 2 + (y / 0.95) ** 2 < 1

    def draw(self, rng: np.random.Generator) -> list[Sample]:
        """See SampleSource. Raises TrainingSetError after fifty photos without a face."""
        for _ in range(50):
            face = self.cache.get(int(rng.integers(len(self.paths))), self._face)
            if face is not None:
                color = face.astype(np.float32) / 255
                unknown = np.zeros((self.size, self.size, 3), np.float32)
                return [mirrored_sample(rng, to_gray(color), unknown, self.area, color)]
        raise TrainingSetError("No face was found on fifty photos in a row.", hint="Is this a folder of face photos?")

    def fingerprint(self) -> str:
        """See SampleSource."""
        return files_fingerprint(self.folder, self.paths, samples=1, block=256)

    def _face(self, number: int) -> np.ndarray | None:
        """The face of a photo (S, S, 3) uint8, or None where no face is found or the photo cannot be read."""
        path = self.paths[number]
        try:
            photo = load_photo(path)
            crop = face_crop([photo.rgb], path)
        except HffneError:
            return None
        return np.round(extract_crop(photo.rgb, crop.resized(self.size)) * 255).astype(np.uint8)


def _bytes(face: np.ndarray | None) -> int:
    return 0 if face is None else face.nbytes
