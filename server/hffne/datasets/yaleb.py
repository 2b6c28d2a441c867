# SPDX-License-Identifier: GPL-3.0-or-later
"""Extended Yale B, cropped: faces under 64 lights. For checking only, never for training.

Two layouts: the data set's own (CroppedYale), whose normals are made here by photometric stereo; and a small one with
ready normals, <person>_<light>.png and <person>_normal.npz (`normal` (H, W, 3), `mask` (H, W)).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from hffne.datasets.source import Source
from hffne.errors import DatasetMissingError
from hffne.geometry.photometric_stereo import light_directions, photometric_stereo

SOURCE = Source(
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
# Lights further off than this leave most of the face in shadow. The others' elevations by their azimuths, on both sides.
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
class Item:
    """One photo of a person under a light, and where its truth comes from."""

    person: str
    light: str
    photo: Path
    source: Path

    def truth(self):
        """(normal (H, W, 3) float32, mask (H, W) bool), camera space. Raises HffneError."""
        return _made(self.source) if self.source.is_dir() else _stored(self.source)

    def under_all_lights(self):
        """The person's photos under the lights from the front: gray (L, H, W) float32 in 0..1, linear, and the lights'
        directions (L, 3). Raises HffneError."""
        if self.source.is_dir():
            return _lit(self.source, _NAME, SIZE)
        return _lit(self.source.parent, re.compile(rf"{re.escape(self.person)}_{_LIGHT}\.png"))


def find(folder, light=FRONTAL, part=False):
    """The photos under a light (or "all"), sorted, a list of Item. part: fewer people will do in CroppedYale."""
    folder = SOURCE.folder(folder)
    own = folder / "CroppedYale" if (folder / "CroppedYale").is_dir() else folder
    if any((own / person).is_dir() for person in PEOPLE):
        items = _cropped(own, part)
    else:
        items = [
            Item(truth.name[: -len("_normal.npz")], photo.stem[len(truth.name) - len("normal.npz") :], photo, truth)
            for truth in sorted(folder.glob("*_normal.npz"))
            for photo in sorted(folder.glob(truth.name[: -len("normal.npz")] + "*.png"))
        ]
    if not items:
        raise SOURCE.nothing(folder)
    items = [item for item in items if light in ("all", item.light)]
    if not items:
        raise DatasetMissingError(
            f"'{folder}' holds no photos of Extended Yale B under the light '{light}'.",
            hint="Lights are named like A+035E+15, or 'all'.",
        )
    return items


def _cropped(folder, part):
    missing = [person for person in PEOPLE if not (folder / person).is_dir()]
    SOURCE.missing(folder, missing, part)
    items = []
    for person in (p for p in PEOPLE if p not in missing):
        inner = folder / person
        SOURCE.missing(inner, _lacking(inner))
        items += [
            Item(person, match["light"], path, inner)
            for path in sorted(inner.iterdir())
            if (match := _NAME.fullmatch(path.name))
        ]
    return items


def _lacking(folder):
    """Names of the photos that the folder's list has and the folder has not."""
    listed = folder / f"{folder.name}_P00.info"
    if not listed.is_file():
        return [listed.name]
    names = listed.read_text(encoding="latin-1").split()
    there = {path.name for path in folder.iterdir()}
    return [name for name in names if name.endswith(".pgm") and name not in there and name + ".bad" not in there]


@lru_cache(maxsize=2)
def _made(folder):
    """The truth of one person of CroppedYale, by photometric stereo over all lights that come from the front."""
    relief = photometric_stereo(*_lit(folder, _NAME, SIZE))
    return relief.normal, relief.mask


@lru_cache(maxsize=2)
def _lit(folder, name, size=None):
    """What `Item.under_all_lights` gives, of the files with such a name (a compiled pattern); both may be empty."""
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
    # A positive azimuth is on the right of the person, who looks at us.
    azimuth, elevation = np.array(angles).T
    return np.stack(pictures).astype(np.float32) / 255, light_directions(-azimuth, elevation)


@lru_cache(maxsize=2)
def _stored(path):
    try:
        with np.load(path) as data:
            normal, mask = data["normal"].astype(np.float32), data["mask"].astype(bool)
    except Exception as error:
        # Numpy and zipfile raise many things on damaged files.
        raise SOURCE.broken(path, f"it is damaged: {' '.join(str(error).split())}.") from None
    if normal.shape != (*mask.shape, 3) or not mask.any() or not np.isfinite(normal[mask]).all():
        raise SOURCE.broken(path, "its normals and its mask do not fit together.")
    return normal, mask
