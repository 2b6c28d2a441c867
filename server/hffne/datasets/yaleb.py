# SPDX-License-Identifier: GPL-3.0-or-later
"""Extended Yale B, cropped: faces under 64 lights. For evaluation only, never for training.

Two layouts: the data set's own (CroppedYale), with normals from photometric stereo; and a small one with stored
normals, <person>_<light>.png and <person>_normal.npz (`normal` (H, W, 3), `mask` (H, W)).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from hffne.datasets.source import DatasetSource
from hffne.errors import DatasetMissingError
from hffne.geometry.photometric_stereo import light_directions, photometric_stereo

SOURCE = DatasetSource(
    title="Extended Yale B",
    origin="UC San Diego (http://vision.ucsd.edu/~leekc/ExtYaleDatabase/ExtYaleB.html)",
    download="CroppedYale.zip",
    layout=(
        "yaleB01/ ... yaleB39/ (there is no 14)",
        "    yaleB01_P00.info   the names of its photos",
        "    yaleB01_P00A+000E+00.pgm ...   168 x 192, named by the light; <name>.bad are known bad ones",
    ),
    terms="research use; for checking only",
    content="38 people under 64 lights",
)
SIZE = (168, 192)
PEOPLE = tuple(f"yaleB{number:02d}" for number in range(1, 40) if number != 14)
FRONTAL = "A+000E+00"
_LIGHT = r"(?P<light>A(?P<azimuth>[+-]\d{3})E(?P<elevation>[+-]\d\d))"
_NAME = re.compile(rf"(?P<person>yaleB\d\d)_P00{_LIGHT}\.pgm")
# Degrees; lights further to the side leave most of the face in shadow. Below, the elevations of the other lights by
# their azimuths, on both sides.
_FURTHEST = 80
_ELEVATIONS = {
    0: (-35, -20, 0, 20, 45, 90),
    5: (-10, 10),
    10: (-20, 0),
    15: (20,),
    20: (-40, -10, 10),
    25: (0,),
    35: (-20, 15, 40, 65),
    50: (-40, 0),
    60: (-20, 20),
    70: (-35, 0, 45),
}
LIGHTS = light_directions(
    *np.array(
        [
            (side, elevation)
            for azimuth, elevations in _ELEVATIONS.items()
            for side in sorted({azimuth, -azimuth})
            for elevation in elevations
        ]
    ).T
)


@dataclass(frozen=True)
class YalePhoto:
    """One photo of a person under a light; source: the folder or the file that its ground truth comes from."""

    person: str
    light: str
    photo: Path
    source: Path

    def ground_truth(self) -> tuple[np.ndarray, np.ndarray]:
        """Normal (H, W, 3) float32 in camera space and mask (H, W) bool. Raises HffneError."""
        return _computed(self.source) if self.source.is_dir() else _stored(self.source)

    def under_all_lights(self) -> tuple[np.ndarray, np.ndarray]:
        """The person's photos under the lights from the front.

        Returns gray (L, H, W) float32 in 0..1, linear, and the lights' directions (L, 3). Raises HffneError.
        """
        if self.source.is_dir():
            return _photos_and_lights(self.source, _NAME, SIZE)
        return _photos_and_lights(self.source.parent, re.compile(rf"{re.escape(self.person)}_{_LIGHT}\.png"))


def find(folder: str | Path, light: str = FRONTAL, part: bool = False) -> list[YalePhoto]:
    """The photos under a light (or "all"), sorted. part: accept fewer people in CroppedYale. Raises HffneError."""
    folder = SOURCE.folder(folder)
    own = folder / "CroppedYale" if (folder / "CroppedYale").is_dir() else folder
    if any((own / person).is_dir() for person in PEOPLE):
        items = _cropped(own, part)
    else:
        items = [
            YalePhoto(
                stored.name[: -len("_normal.npz")], photo.stem[len(stored.name) - len("normal.npz") :], photo, stored
            )
            for stored in sorted(folder.glob("*_normal.npz"))
            for photo in sorted(folder.glob(stored.name[: -len("normal.npz")] + "*.png"))
        ]
    if not items:
        raise SOURCE.not_found(folder)
    items = [item for item in items if light in ("all", item.light)]
    if not items:
        raise DatasetMissingError(
            f"'{folder}' holds no photos of Extended Yale B under the light '{light}'.",
            hint="Lights are named like A+035E+15, or 'all'.",
        )
    return items


def _cropped(folder: Path, part: bool) -> list[YalePhoto]:
    missing = [person for person in PEOPLE if not (folder / person).is_dir()]
    SOURCE.require(folder, missing, part)
    items = []
    for person in (p for p in PEOPLE if p not in missing):
        inner = folder / person
        SOURCE.require(inner, _lacking(inner))
        items += [
            YalePhoto(person, match["light"], path, inner)
            for path in sorted(inner.iterdir())
            if (match := _NAME.fullmatch(path.name))
        ]
    return items


def _lacking(folder: Path) -> list[str]:
    """Names of the photos that are in the folder's list but not in the folder."""
    listed = folder / f"{folder.name}_P00.info"
    if not listed.is_file():
        return [listed.name]
    names = listed.read_text(encoding="latin-1").split()
    there = {path.name for path in folder.iterdir()}
    return [name for name in names if name.endswith(".pgm") and name not in there and name + ".bad" not in there]


@lru_cache(maxsize=2)
def _computed(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The ground truth of a person of CroppedYale, by photometric stereo over all lights from the front."""
    relief = photometric_stereo(*_photos_and_lights(folder, _NAME, SIZE))
    return relief.normal, relief.mask


@lru_cache(maxsize=2)
def _photos_and_lights(
    folder: Path, name: re.Pattern[str], size: tuple[int, int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The result of `YalePhoto.under_all_lights` for files whose name matches a pattern; both may be empty."""
    pictures, angles = [], []
    for path in sorted(folder.iterdir()):
        match = name.fullmatch(path.name)
        if match and abs(int(match["azimuth"])) <= _FURTHEST:
            pictures.append(SOURCE.read(path, size)[..., 0])
            angles.append((int(match["azimuth"]), int(match["elevation"])))
    if not pictures:
        return np.zeros((0, 0, 0), np.float32), np.zeros((0, 3))
    if len({picture.shape for picture in pictures}) > 1:
        raise SOURCE.broken(folder, "the photos of a person differ in size.")
    # A positive azimuth is on the right of the person, who faces the camera.
    azimuth, elevation = np.array(angles).T
    return np.stack(pictures).astype(np.float32) / 255, light_directions(-azimuth, elevation)


@lru_cache(maxsize=2)
def _stored(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path) as data:
            normal, mask = data["normal"].astype(np.float32), data["mask"].astype(bool)
    except Exception as error:
        # Numpy and zipfile raise many kinds of errors on damaged files.
        raise SOURCE.broken(path, f"it is damaged: {' '.join(str(error).split())}.") from None
    if normal.shape != (*mask.shape, 3) or not mask.any() or not np.isfinite(normal[mask]).all():
        raise SOURCE.broken(path, "its normals and its mask do not match.")
    return normal, mask
