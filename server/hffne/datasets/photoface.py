# SPDX-License-Identifier: GPL-3.0-or-later
"""Photoface: each session is one face under four lights; photometric stereo gives its normals (Tables 1 and 3).

The normals are computed here from the photos and the light angles; no other files are read.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hffne.datasets.source import DatasetSource, shortened
from hffne.geometry.photometric_stereo import StereoResult, photometric_stereo, polar_directions

SOURCE = DatasetSource(
    title="Photoface",
    origin="the Center for Machine Vision, UWE Bristol (https://www.uwe.ac.uk/research/centres-and-groups/cmv)",
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
LIGHT_FILE = "LightSource.m"
_SESSION = re.compile(r"\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}")


@dataclass(frozen=True)
class PhotofaceSession:
    """One face under four lights."""

    person: str
    time: str
    folder: Path

    @property
    def name(self) -> str:
        """Person and time."""
        return f"{self.person}/{self.time}"

    @property
    def photos(self) -> tuple[Path, ...]:
        """The four photos' paths, in the order of the lights."""
        return tuple(self.folder / f"im{number}.bmp" for number in range(LIGHTS))

    def lights(self) -> np.ndarray:
        """(4, 3) unit vectors toward the lights, camera space. Raises HffneError."""
        return read_lights(self.folder / LIGHT_FILE)

    def read(self) -> list[np.ndarray]:
        """The four photos, (H, W, 3) uint8. Raises HffneError for one that is damaged or of another size."""
        pictures = [SOURCE.read(self.photos[0])]
        size = pictures[0].shape[1::-1]
        return [*pictures, *(SOURCE.read(path, size) for path in self.photos[1:])]

    def ground_truth(self, pictures: Sequence[np.ndarray] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Normal (H, W, 3) and mask (H, W) by photometric stereo.

        pictures: the result of `read`, if the caller has it.

        Raises HffneError for bad files, and for lights that do not belong to the photos.
        """
        relief = self._stereo(pictures, plain=False)
        mask = _largest_bright_part(relief)
        if not mask.any():
            raise SOURCE.broken(self.folder, "no pixel is lit by three of its lights.")
        if _hollow(relief.normal, mask):
            raise SOURCE.broken(
                self.folder / LIGHT_FILE,
                "with these lights the face comes out hollow, so they do not belong to the photos.",
            )
        return relief.normal, mask

    def plain_truth(self, pictures: Sequence[np.ndarray] | None = None) -> np.ndarray:
        """Normal (H, W, 3) by plain least squares of all four photos, zero where there is none. Raises HffneError."""
        return self._stereo(pictures, plain=True).normal

    def _stereo(self, pictures: Sequence[np.ndarray] | None, plain: bool) -> StereoResult:
        pictures = self.read() if pictures is None else pictures
        gray = np.stack([picture.astype(np.float32).mean(2) / 255 for picture in pictures])
        return photometric_stereo(gray, self.lights(), plain=plain)


def find(folder: str | Path, part: bool = False) -> list[PhotofaceSession]:
    """All sessions, sorted. part: accept fewer than 453 people, and sessions that lack files. Raises HffneError."""
    folder = SOURCE.folder(folder)
    folder = next(inner for inner in (folder / "PhotofaceDB", folder) if inner.is_dir())
    sessions = [
        PhotofaceSession(person.name, time.name, time)
        for person in sorted(folder.iterdir())
        if person.is_dir()
        for time in sorted(person.iterdir())
        if time.is_dir() and _SESSION.fullmatch(time.name)
    ]
    if not sessions:
        raise SOURCE.not_found(folder)
    for session in sessions:
        names = [*(path.name for path in session.photos), LIGHT_FILE]
        missing = [name for name in names if not (session.folder / name).is_file()]
        if missing and not part:
            raise SOURCE.incomplete(f"'{session.folder}' lacks {shortened(missing, 5)}.")
    people = len({session.person for session in sessions})
    if people < PEOPLE and not part:
        raise SOURCE.incomplete(f"'{folder}' holds {people} of {PEOPLE} people.")
    return sessions


def split(
    sessions: Sequence[PhotofaceSession], share: float = 0.2, seed: int = 0, by: str = "session"
) -> tuple[list[PhotofaceSession], list[PhotofaceSession]]:
    """Training and test sessions: a random share is for the test, the same for the same seed.

    The paper draws about 20 % of the pairs of photo and normal. The four pairs of a session share one normal, so
    whole sessions are drawn here. by="person" draws whole people.
    """
    names = sorted({_group(session, by) for session in sessions})
    count = round(len(names) * share)
    chosen = {names[k] for k in np.random.default_rng(seed).permutation(len(names))[:count]}
    return ([s for s in sessions if _group(s, by) not in chosen], [s for s in sessions if _group(s, by) in chosen])


def split_note(sessions: Sequence[PhotofaceSession], share: float, seed: int, by: str) -> str:
    """A split as the note in weights that were trained on it, see `trained_on`."""
    return json.dumps({"set": "photoface", "share": share, "seed": seed, "by": by, "sessions": _digest(sessions)})


def trained_on(note: str, sessions: Sequence[PhotofaceSession]) -> list[str] | None:
    """The names of those of all `sessions` that were trained on, by the note of `split_note`.

    None where the training found other sessions than these, so that it cannot be told.
    """
    made = json.loads(note)
    if made.get("set") != "photoface":
        return []
    if made["sessions"] != _digest(sessions):
        return None
    return [session.name for session in split(sessions, made["share"], made["seed"], made["by"])[0]]


def _digest(sessions: Sequence[PhotofaceSession]) -> str:
    return hashlib.sha256("\n".join(session.name for session in sessions).encode()).hexdigest()[:16]


def read_lights(path: str | Path) -> np.ndarray:
    """(4, 3) unit vectors of a LightSource.m: a matrix of zenith and azimuth, one row or column per light.

    Angles are in degrees if any of them is beyond a full turn in radians. Raises HffneError.
    """
    try:
        text = Path(path).read_text(encoding="latin-1")
    except OSError as error:
        raise SOURCE.broken(path, f"it cannot be read: {error.strerror}.") from None
    text = re.sub(r"%.*", "", text)
    parsed = [_matrix(inner) for inner in re.findall(r"\[([^\]]*)\]", text)]
    matrices = [matrix for matrix in parsed if matrix is not None]
    if len(matrices) == 2 and all(matrix.size == LIGHTS for matrix in matrices):
        named = re.findall(r"(\w+)\s*=\s*\[", text)
        order = (1, 0) if len(named) == 2 and named[0].lower().startswith("az") else (0, 1)
        matrices = [np.stack([matrices[k].ravel() for k in order], 1)]
    angles = next((m if m.shape == (LIGHTS, 2) else m.T for m in matrices if sorted(m.shape) == [2, LIGHTS]), None)
    if angles is None or not np.isfinite(angles).all():
        raise SOURCE.broken(path, "it holds no zenith and azimuth of four lights.")
    degrees = angles if np.abs(angles).max() > 2 * np.pi else np.degrees(angles)
    return polar_directions(degrees[:, 0], degrees[:, 1])


def _matrix(text: str) -> np.ndarray | None:
    """The matrix (rows, columns) between Matlab's brackets, or None if it is not one."""
    rows = [re.split(r"[\s,]+", row.strip().strip(",")) for row in re.split(r"[;\n]", text) if row.strip(" ,\r\t")]
    try:
        return np.array([[float(value) for value in row] for row in rows]) if rows else None
    except ValueError:
        return None


def _group(session: PhotofaceSession, by: str) -> str:
    return {"session": session.name, "person": session.person}[by]


def _largest_bright_part(relief: StereoResult) -> np.ndarray:
    """The largest connected part (H, W) that is not nearly black, without its holes."""
    bright = relief.mask & (relief.albedo > 0.1 * np.percentile(relief.albedo, 99))
    _, labels, sizes, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8))
    if len(sizes) < 2:
        return bright
    return bright & (labels == 1 + sizes[1:, cv2.CC_STAT_AREA].argmax())


def _hollow(normal: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the normals look inward: toward the middle of the face rather than away from it."""
    row, column = np.nonzero(mask)
    x, y, _ = normal[mask].T
    return bool(np.cov(column, x)[0, 1] < 0 or np.cov(-row, y)[0, 1] < 0)
