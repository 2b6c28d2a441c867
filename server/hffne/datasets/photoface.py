# SPDX-License-Identifier: GPL-3.0-or-later
"""Photoface: each session is one face under four lights; photometric stereo gives its normals (Tables 1 and 3).

The normals are made here, as the data set's users make them; nothing is read but the photos and the light angles.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hffne.datasets.source import Source, some
from hffne.geometry.photometric_stereo import photometric_stereo, polar_directions

SOURCE = Source(
    title="Photoface",
    origin="the Center for Machine Vision, UWE Bristol (https://www.uwe.ac.uk/research/centers-and-groups/cmv)",
    download="PhotofaceDB",
    layout=(
        "<person>/<YYYY-MM-DD_hh-mm-ss>/   a session, e.g. 1001/2008-02-23_12-21-31/",
        "    im0.bmp im1.bmp im2.bmp im3.bmp   one photo for each light, all of one size",
        "    LightSource.m   zenith and azimuth of the four lights",
    ),
    terms="research use, by agreement with its owners",
    content="453 people, 3187 sessions, four photos each",
)
PEOPLE = 453
LIGHTS = 4
_SESSION = re.compile(r"\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Session:
    """One face under four lights."""

    person: str
    time: str
    folder: Path

    @property
    def name(self):
        return f"{self.person}/{self.time}"

    @property
    def photos(self):
        """The four photos' paths, in the order of the lights."""
        return tuple(self.folder / f"im{number}.bmp" for number in range(LIGHTS))

    def lights(self):
        """(4, 3) unit vectors toward the lights, camera space. Raises HffneError."""
        return read_lights(self.folder / "LightSource.m")

    def read(self):
        """The four photos, a list of (H, W, 3) uint8. Raises HffneError for one that is damaged or of another size."""
        pictures = [SOURCE.read(self.photos[0])]
        size = pictures[0].shape[1::-1]
        return pictures + [SOURCE.read(path, size) for path in self.photos[1:]]

    def truth(self, pictures=None):
        """(normal (H, W, 3), mask (H, W)) by photometric stereo. pictures: what `read` gave, when it is there.

        Raises HffneError for bad files, and for lights that do not belong to the photos.
        """
        pictures = self.read() if pictures is None else pictures
        gray = np.stack([picture.astype(np.float32).mean(2) / 255 for picture in pictures])
        relief = photometric_stereo(gray, self.lights())
        mask = _person(relief)
        if not mask.any():
            raise SOURCE.broken(self.folder, "three of its lights show nothing in common.")
        if _hollow(relief.normal, mask):
            raise SOURCE.broken(
                self.folder / "LightSource.m",
                "with these lights the face comes out hollow, so they are not those of the photos.",
            )
        return relief.normal, mask


def find(folder, part=False):
    """All sessions, sorted, as a list of Session. part: fewer than 453 people will do."""
    folder = SOURCE.folder(folder)
    folder = next(inner for inner in (folder / "PhotofaceDB", folder) if inner.is_dir())
    sessions = [
        Session(person.name, time.name, time)
        for person in sorted(folder.iterdir())
        if person.is_dir()
        for time in sorted(person.iterdir())
        if time.is_dir() and _SESSION.fullmatch(time.name)
    ]
    if not sessions:
        raise SOURCE.nothing(folder)
    for session in sessions:
        names = [*(path.name for path in session.photos), "LightSource.m"]
        missing = [name for name in names if not (session.folder / name).is_file()]
        if missing:
            raise SOURCE.half(f"'{session.folder}' lacks {some(missing, 5)}.")
    people = len({session.person for session in sessions})
    if people < PEOPLE and not part:
        raise SOURCE.half(f"'{folder}' holds {people} of {PEOPLE} people.")
    return sessions


def split(sessions, share=0.2, seed=0, by="session"):
    """(training, test): a random share for the test, the same for the same seed.

    The paper draws about 20 % of the pairs of photo and normal; the four pairs of a session share one normal, so
    whole sessions are drawn here. by="person" keeps all sessions of a person together too.
    """
    names = sorted({_group(session, by) for session in sessions})
    count = round(len(names) * share)
    chosen = {names[k] for k in np.random.default_rng(seed).permutation(len(names))[:count]}
    return ([s for s in sessions if _group(s, by) not in chosen], [s for s in sessions if _group(s, by) in chosen])


def read_lights(path):
    """(4, 3) unit vectors of a LightSource.m: a matrix of zenith and azimuth, a row or a column a light.

    Angles beyond a full turn in radians are degrees. Raises HffneError.
    """
    try:
        text = Path(path).read_text(encoding="latin-1")
    except OSError as error:
        raise SOURCE.broken(path, f"it cannot be read: {error.strerror}.") from None
    text = re.sub(r"%.*", "", text)
    matrices = [_matrix(inner) for inner in re.findall(r"\[([^\]]*)\]", text)]
    matrices = [matrix for matrix in matrices if matrix is not None]
    if len(matrices) == 2 and all(matrix.size == LIGHTS for matrix in matrices):
        named = re.findall(r"(\w+)\s*=\s*\[", text)
        order = (1, 0) if len(named) == 2 and named[0].lower().startswith("az") else (0, 1)
        matrices = [np.stack([matrices[k].ravel() for k in order], 1)]
    angles = next((m if m.shape == (LIGHTS, 2) else m.T for m in matrices if sorted(m.shape) == [2, LIGHTS]), None)
    if angles is None or not np.isfinite(angles).all():
        raise SOURCE.broken(path, "it holds no zenith and azimuth of four lights.")
    degrees = angles if np.abs(angles).max() > 2 * np.pi else np.degrees(angles)
    return polar_directions(degrees[:, 0], degrees[:, 1])


def _matrix(text):
    """(rows, columns) of what stands in Matlab's brackets, or None."""
    rows = [re.split(r"[\s,]+", row.strip().strip(",")) for row in re.split(r"[;\n]", text) if row.strip(" ,\r\t")]
    try:
        return np.array([[float(value) for value in row] for row in rows]) if rows else None
    except ValueError:
        return None


def _group(session, by):
    return {"session": session.name, "person": session.person}[by]


def _person(relief):
    """The largest connected part (H, W) that is not nearly black, without its holes."""
    bright = relief.mask & (relief.albedo > 0.1 * np.percentile(relief.albedo, 99))
    _, labels, sizes, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8))
    if len(sizes) < 2:
        return bright
    return bright & (labels == 1 + sizes[1:, cv2.CC_STAT_AREA].argmax())


def _hollow(normal, mask):
    """Whether the normals look inward: toward the middle of the face rather than away from it."""
    row, column = np.nonzero(mask)
    seen = normal[mask]
    return (np.cov(column, seen[:, 0])[0, 1] < 0) or (np.cov(-row, seen[:, 1])[0, 1] < 0)
