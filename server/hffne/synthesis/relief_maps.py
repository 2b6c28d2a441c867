# SPDX-License-Identifier: GPL-3.0-or-later
"""Relief maps for rendered faces: broad forms that the shape model lacks, a scan's normal map, wrinkles and skin.

A relief map is (S, S, 2): the slopes along the texture's right and up, so that
``n' ~ n + slope_x * tangent + slope_y * bitangent``. It covers the position map's -1..1. A map of forms has a
third channel: the share of sky light that reaches its hollows.
"""

from pathlib import Path

import cv2
import numpy as np

from hffne.errors import PhotoNotReadableError
from hffne.output import write_files

SIZE = 384
FORMS = 192
FLAT = (0, 0, 1)  # the value of a map of forms where there are none
# Where the scan's normal map (Lee Perry-Smith, Infinite-Realities, CC BY 3.0) lies in our layout, as fractions
# of its side: the middle of the eye line, and how far one unit of our coordinates reaches.
SCAN_MIDDLE, SCAN_EYE_ROW, SCAN_UNIT = 0.5, 0.292, (0.267, 0.287)
EYE_HEIGHT = 0.26  # v of the eyes in our layout


def load_scan(path: str | Path) -> np.ndarray:
    """Slopes (S, S, 2) of a head scan's tangent-space normal map, resampled to our layout, of unit deviation.

    Raises PhotoNotReadableError for a file that cannot be read.
    """
    picture = cv2.imread(str(path))
    if picture is None:
        raise PhotoNotReadableError(f"'{path}' is not a readable normal map.")
    normal = picture[..., ::-1].astype(np.float32) / 127.5 - 1
    slopes: np.ndarray = normal[..., :2] / np.clip(normal[..., 2:], 0.3, 1)
    side = len(picture)
    grid = ((np.arange(SIZE) + 0.5) / SIZE * 2 - 1).astype(np.float32)
    u, v = np.meshgrid(grid, -grid)
    columns = (SCAN_MIDDLE + u * SCAN_UNIT[0]) * side - 0.5
    rows = (SCAN_EYE_ROW - (v - EYE_HEIGHT) * SCAN_UNIT[1]) * side - 0.5
    slopes = cv2.remap(slopes, columns, rows, cv2.INTER_CUBIC)
    slopes = slopes - cv2.GaussianBlur(slopes, (0, 0), 16)  # slopes broader than wrinkles belong to the shape
    return np.clip(slopes / slopes.std(), -4, 4)


def height_slopes(height: np.ndarray) -> np.ndarray:
    """Slopes (S, S, 2) of a height field (S, S) in texels: a surface that rises to the right leans to the left."""
    return np.stack(
        [-cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8)], -1
    )


def _texel(point: np.ndarray) -> np.ndarray:
    return (np.asarray(point) * [1, -1] + 1) / 2 * SIZE


def _groove(height: np.ndarray, points: np.ndarray, width: float, depth: float) -> None:
    """Cut a tapered groove along points (N, 2) in layout coordinates."""
    line = np.zeros_like(height)
    path = np.round(_texel(points) * 16).astype(np.int32)
    taper = np.sin(np.linspace(0.15, np.pi - 0.15, len(path) - 1)) ** 0.7
    for start, end, strength in zip(path[:-1], path[1:], taper, strict=True):
        cv2.line(
            line,
            (int(start[0]), int(start[1])),
            (int(end[0]), int(end[1])),
            (float(strength),),
            1,
            cv2.LINE_AA,
            shift=4,
        )
    line = cv2.GaussianBlur(line, (0, 0), width)
    ridge = cv2.GaussianBlur(line, (0, 0), width * 1.6)
    height -= depth * width * (line * 2.5 * width - ridge * 1.2 * width)


def _wiggle(rng: np.random.Generator, count: int, amount: float) -> np.ndarray:
    noise = cv2.GaussianBlur(rng.normal(size=(count, 1)).astype(np.float32), (1, 0), 0.1, sigmaY=count / 8)
    return amount * noise[:, 0] / (noise.std() + 1e-6)


def wrinkles(rng: np.random.Generator, age: float) -> np.ndarray:
    """Height field (S, S) of wrinkles; `age` in 0..1 sets their number and depth."""
    height = np.zeros((SIZE, SIZE), np.float32)
    t = np.linspace(0, 1, 24)

    def deep() -> float:
        return rng.uniform(0.1, 0.3 + 0.6 * age)

    for _ in range(rng.poisson(1 + 5 * age)):  # forehead
        v, half, middle = rng.uniform(0.42, 0.85), rng.uniform(0.1, 0.45), rng.normal(0, 0.1)
        curve = v + rng.normal(0, 0.04) * (2 * t - 1) ** 2 + _wiggle(rng, 24, 0.012)
        _groove(height, np.stack([middle + half * (2 * t - 1), curve], 1), rng.uniform(1.5, 4), deep())
    for _ in range(rng.poisson(0.5 + 2 * age)):  # between the brows
        u = rng.normal(0, 0.05)
        _groove(height, np.stack([u + _wiggle(rng, 24, 0.006), 0.32 + 0.2 * t], 1), rng.uniform(1.5, 3.5), deep())
    for side in (-1, 1):
        for _ in range(rng.poisson(1 + 4 * age)):  # crow's feet
            angle, start, length = rng.normal(0, 0.5), rng.uniform(0.4, 0.46), rng.uniform(0.06, 0.2)
            _groove(
                height,
                np.stack(
                    [
                        side * (start + length * t * np.cos(angle)),
                        0.25 + length * t * np.sin(angle) + _wiggle(rng, 24, 0.005),
                    ],
                    1,
                ),
                rng.uniform(1.2, 2.5),
                deep(),
            )
        for _ in range(rng.poisson(0.7 + 2 * age)):  # under the eye
            drop = rng.uniform(0.06, 0.16)
            _groove(
                height,
                np.stack([side * (0.12 + 0.27 * t), 0.24 - drop * np.sin(np.pi * (0.15 + 0.75 * t))], 1),
                rng.uniform(1.5, 4),
                deep(),
            )
        if rng.random() < 0.4 + 0.6 * age:  # from the nose's wing to the mouth's corner
            end = rng.uniform(-0.6, -0.42)
            _groove(
                height,
                np.stack([side * (0.14 + 0.14 * t**0.7), -0.1 + (end + 0.1) * t + _wiggle(rng, 24, 0.006)], 1),
                rng.uniform(2.5, 6),
                deep(),
            )
        for _ in range(rng.poisson(1.5 * age)):  # cheeks, chin
            u, v, angle = rng.uniform(0.2, 0.6), rng.uniform(-0.7, 0), rng.uniform(0, np.pi)
            length = rng.uniform(0.05, 0.2)
            _groove(
                height,
                np.stack(
                    [side * (u + length * t * np.cos(angle)), v + length * t * np.sin(angle) + _wiggle(rng, 24, 0.01)],
                    1,
                ),
                rng.uniform(1.2, 3),
                deep() * 0.7,
            )
    for u in rng.uniform(-0.2, 0.2, rng.poisson(12)):  # lips
        _groove(height, np.stack([u + 0.0 * t, -0.34 - 0.12 * t], 1), 1.2, rng.uniform(0.05, 0.25))
    return height


def folds(rng: np.random.Generator) -> np.ndarray:
    """Height field (S, S) of the folds of most faces, broader than wrinkles: lids, nose to mouth, lips, chin."""
    height = np.zeros((SIZE, SIZE), np.float32)
    t = np.linspace(0, 1, 24)

    def cut(u: np.ndarray, v: np.ndarray, chance: float, widths: tuple[float, float], depth: float) -> None:
        """Cut the same fold on both sides, as faces are nearly symmetric, or one fold in the middle."""
        if rng.random() > chance:
            return
        width, depth = rng.uniform(*widths), rng.uniform(0.1, depth)
        for side in (-1, 1) if u.min() > 0.05 else (1,):
            place = np.stack([side * u, v + _wiggle(rng, 24, 0.004)], 1)
            _groove(height, place, width * np.exp(rng.normal(0, 0.1)), depth * np.exp(rng.normal(0, 0.2)))

    cut(0.13 + 0.24 * t, 0.27 + rng.uniform(0.045, 0.09) * np.sin(np.pi * t) ** 0.8, 0.8, (2, 4.5), 1.0)  # upper lid
    cut(0.13 + 0.22 * t, 0.235 - rng.uniform(0.04, 0.1) * np.sin(np.pi * (0.1 + 0.8 * t)), 0.5, (2.5, 6), 0.8)  # lower
    end = rng.uniform(-0.6, -0.38)
    cut(0.12 + rng.uniform(0.1, 0.17) * t**0.7, -0.1 + (end + 0.1) * t, 0.7, (2.5, 8), 1.1)  # nose to mouth
    cut(0.18 + rng.uniform(-0.02, 0.08) * t, -0.39 - rng.uniform(0.06, 0.25) * t, 0.4, (2.5, 6), 0.9)  # mouth's corner
    cut(np.zeros(24), -0.17 - 0.1 * t, 0.7, (3, 6), 1.0)  # philtrum
    across = rng.uniform(0.05, 0.15) * (2 * t - 1)
    bow = rng.uniform(-0.4, 0.1) * across**2 / 0.15
    cut(across, rng.uniform(-0.5, -0.45) + bow, 0.6, (3, 8), 1.1)  # under the lower lip
    return height


def skin(rng: np.random.Generator) -> np.ndarray:
    """Height field (S, S) of pores, bumps, moles and stubble."""
    height = np.zeros((SIZE, SIZE), np.float32)
    for low, high, strength in ((1.0, 2.2, 0.35), (2.0, 5.0, 0.35), (4.0, 10.0, 0.4)):
        noise = rng.normal(size=(SIZE, SIZE)).astype(np.float32)
        band = cv2.GaussianBlur(noise, (0, 0), low) - cv2.GaussianBlur(noise, (0, 0), high)
        place = cv2.resize(rng.uniform(0, 1, (6, 6)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        height += band / band.std() * np.clip(place, 0, 1) * rng.uniform(0, strength) * low * 0.4
    for _ in range(rng.poisson(3)):
        x, y = rng.uniform(0, SIZE, 2)
        mole = np.zeros_like(height)
        cv2.circle(mole, (int(x), int(y)), int(rng.uniform(2, 5)), (1.0,), -1)
        height += cv2.GaussianBlur(mole, (0, 0), 1.5) * rng.uniform(0.5, 2)
    if rng.random() < 0.3:  # stubble on the jaw
        dots = (rng.random((SIZE, SIZE)) < 0.03).astype(np.float32)
        v = 1 - (np.arange(SIZE) + 0.5) / SIZE * 2
        dots *= np.clip((-0.15 - v) * 5, 0, 1)[:, None]
        height += cv2.GaussianBlur(dots, (0, 0), 1.2) * rng.uniform(2, 6)
    return height


def fading(size: int) -> np.ndarray:
    """Weights (size, size, 1): 1, falling to 0 at the border, so that a map does not end with an edge on the scalp."""
    ramp = np.arange(size, dtype=np.float32) + 0.5
    ramp = np.minimum(ramp, ramp[::-1]) / (size / 12)
    return np.minimum(np.minimum.outer(ramp, ramp), 1)[..., None]


def relief_map(rng: np.random.Generator, scan: np.ndarray | None = None) -> np.ndarray:
    """One random relief map (S, S, 2) float16. scan: of `load_scan`."""
    slopes = height_slopes(wrinkles(rng, rng.random() ** 1.5)) + height_slopes(skin(rng))
    if scan is not None:
        warped = scan[:, ::-1] * [-1, 1] if rng.random() < 0.5 else scan
        shift = cv2.GaussianBlur(rng.normal(size=(SIZE, SIZE, 2)).astype(np.float32), (0, 0), 40)
        grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), -1).astype(np.float32)
        at = grid + shift / shift.std() * 5
        warped = cv2.remap(
            warped.astype(np.float32),
            at[..., 0],
            at[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        fine = warped - cv2.GaussianBlur(warped, (0, 0), rng.uniform(2, 4))
        slopes = slopes + fine * rng.uniform(0, 0.25) + (warped - fine) * rng.uniform(0, 0.3)
    return (np.clip(slopes, -1.5, 1.5) * fading(SIZE)).astype(np.float16)


# Where real faces differ most from the smooth shape model: brows and sockets, nose wings, mouth, chin.
_VARIABLE_PLACES = (
    ((0.2, 0.36), 0.16),
    ((0.25, 0.24), 0.12),
    ((0.1, -0.08), 0.1),
    ((0.22, -0.38), 0.12),
    ((0.0, -0.55), 0.12),
)


def forms_maps(rng: np.random.Generator) -> np.ndarray:
    """A pair of random maps of forms (2, FORMS, FORMS, 3) float16, 4 to 45 mm broad: brow ridges, sockets, bags.

    The second map is the inverse of the first: its hollows are the first's hills. Folds are grooves in both.
    """
    grid = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    u, v = np.meshgrid(grid, -grid)
    strength = 0.5 + sum(np.exp(-((np.abs(u) - x) ** 2 + (v - y) ** 2) / (2 * r * r)) for (x, y), r in _VARIABLE_PLACES)
    height = np.zeros((SIZE, SIZE), np.float32)
    for sigma in (6.0, 10.0, 16.0, 24.0, 36.0, 54.0):
        noise = cv2.GaussianBlur(
            rng.normal(size=(SIZE, SIZE)).astype(np.float32), (0, 0), sigma, sigmaY=sigma * np.exp(rng.normal(0, 0.4))
        )
        band = noise - cv2.GaussianBlur(noise, (0, 0), sigma * 2)
        height += band / np.std(height_slopes(band)) * rng.uniform(0.2, 1) * strength.astype(np.float32)
    symmetry = rng.uniform(0, 1) ** 0.3  # most faces are nearly symmetric
    height = height * (1 - symmetry / 2) + height[:, ::-1] * (symmetry / 2)
    height *= np.float32(rng.uniform(0.1, 0.6) / height_slopes(height).std())
    grooves = 1.6 * folds(rng)
    return np.stack([_map_of(height + grooves), _map_of(grooves - height)])


def _map_of(height: np.ndarray) -> np.ndarray:
    """Slopes and the share of sky light (FORMS, FORMS, 3) float16 of a height field (SIZE, SIZE)."""
    hollow = cv2.GaussianBlur(cv2.Laplacian(height, cv2.CV_32F, ksize=5), (0, 0), 2.5)
    keep = np.exp(-0.45 * np.clip(hollow / hollow.std(), 0, 2.5))
    small = cv2.resize(np.dstack([height_slopes(height), keep]), (FORMS, FORMS), interpolation=cv2.INTER_AREA)
    flat = np.array(FLAT, np.float32)
    return (flat + (np.clip(small, -1.2, 1.2) - flat) * fading(FORMS)).astype(np.float16)


def build_reliefs(path: str | Path, scan_path: str | Path | None = None, count: int = 160, seed: int = 0) -> np.ndarray:
    """Write `count` relief maps to `path` (.npy); returns them (count, SIZE, SIZE, 2). scan_path: see `load_scan`."""
    scan = load_scan(scan_path) if scan_path else None
    maps = np.stack([relief_map(np.random.default_rng([seed, i]), scan) for i in range(count)])
    write_files({Path(path): lambda file: np.save(file, maps)})
    return maps


def build_forms(path: str | Path, count: int = 240, seed: int = 0) -> np.ndarray:
    """Write `count` pairs of maps of forms to `path` (.npy); returns them (count, 2, FORMS, FORMS, 3)."""
    maps = np.stack([forms_maps(np.random.default_rng([seed, 1, i])) for i in range(count)])
    write_files({Path(path): lambda file: np.save(file, maps)})
    return maps
