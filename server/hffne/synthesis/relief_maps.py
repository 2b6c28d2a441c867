# SPDX-License-Identifier: GPL-3.0-or-later
"""Relief to put on rendered faces: broad forms that the shape model lacks, a real scan's normal map in random
mixtures, and procedural skin.

A relief map is (S, S, 2): the slopes along the texture's right and up, so that
``n' ~ n + slope_x * tangent + slope_y * bitangent``. It covers the position map's -1..1. A map of forms has a
third channel: the share of sky light that its hollows keep.
"""

from pathlib import Path

import cv2
import numpy as np

from hffne.errors import PhotoNotReadableError

SIZE = 384
FORMS = 192
FLAT = (0, 0, 1)  # a map of forms where there are none
# Where the scan's normal map (Lee Perry-Smith, Infinite-Realities, CC BY 3.0) lies in our layout, as fractions
# of its side: the middle of the eye line, and how far one unit of our coordinates reaches.
SCAN_MIDDLE, SCAN_EYE_ROW, SCAN_UNIT = 0.5, 0.292, (0.267, 0.287)
EYE_HEIGHT = 0.26  # v of the eyes in our layout


def load_scan(path):
    """Slopes (S, S, 2) of a head scan's tangent-space normal map, resampled to our layout, unit deviation."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise PhotoNotReadableError(f"'{path}' is not a readable normal map.")
    normal = picture[..., ::-1].astype(np.float32) / 127.5 - 1
    slopes = normal[..., :2] / np.clip(normal[..., 2:], 0.3, 1)
    side = len(picture)
    grid = ((np.arange(SIZE) + 0.5) / SIZE * 2 - 1).astype(np.float32)
    u, v = np.meshgrid(grid, -grid)
    columns = (SCAN_MIDDLE + u * SCAN_UNIT[0]) * side - 0.5
    rows = (SCAN_EYE_ROW - (v - EYE_HEIGHT) * SCAN_UNIT[1]) * side - 0.5
    slopes = cv2.remap(slopes, columns, rows, cv2.INTER_CUBIC)
    slopes -= cv2.GaussianBlur(slopes, (0, 0), 16)  # what is broader than wrinkles belongs to the shape
    return np.clip(slopes / slopes.std(), -4, 4)


def _slopes(height):
    """Slopes of a height field in texels: a surface rising to the right leans to the left."""
    return np.stack(
        [-cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8)], -1
    )


def _texel(point):
    return (np.asarray(point) * [1, -1] + 1) / 2 * SIZE


def _groove(height, points, width, depth):
    """Cut a tapered groove along points (N, 2) in layout coordinates."""
    line = np.zeros_like(height)
    path = np.round(_texel(points) * 16).astype(np.int32)
    taper = np.sin(np.linspace(0.15, np.pi - 0.15, len(path) - 1)) ** 0.7
    for start, end, strength in zip(path[:-1], path[1:], taper):
        cv2.line(line, tuple(map(int, start)), tuple(map(int, end)), float(strength), 1, cv2.LINE_AA, shift=4)
    line = cv2.GaussianBlur(line, (0, 0), width)
    ridge = cv2.GaussianBlur(line, (0, 0), width * 1.6)
    height -= depth * width * (line * 2.5 * width - ridge * 1.2 * width)


def _wiggle(rng, count, amount):
    noise = cv2.GaussianBlur(rng.normal(size=(count, 1)).astype(np.float32), (1, 0), 0.1, sigmaY=count / 8)
    return amount * noise[:, 0] / (noise.std() + 1e-6)


def wrinkles(rng, age):
    """Height field of the usual folds, `age` in 0..1 for how many and how deep."""
    height = np.zeros((SIZE, SIZE), np.float32)
    t = np.linspace(0, 1, 24)

    def deep():
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


def folds(rng):
    """Height field of the folds that most faces have, broader than wrinkles: lids, nose to mouth, lips, chin."""
    height = np.zeros((SIZE, SIZE), np.float32)
    t = np.linspace(0, 1, 24)

    def cut(u, v, chance, widths, depth):
        """The same fold on both sides, for faces are nearly even; in the middle it is one."""
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


def skin(rng):
    """Height field of pores, bumps, moles and stubble."""
    height = np.zeros((SIZE, SIZE), np.float32)
    for low, high, strength in ((1.0, 2.2, 0.35), (2.0, 5.0, 0.35), (4.0, 10.0, 0.4)):
        noise = rng.normal(size=(SIZE, SIZE)).astype(np.float32)
        band = cv2.GaussianBlur(noise, (0, 0), low) - cv2.GaussianBlur(noise, (0, 0), high)
        place = cv2.resize(rng.uniform(0, 1, (6, 6)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        height += band / band.std() * np.clip(place, 0, 1) * rng.uniform(0, strength) * low * 0.4
    for _ in range(rng.poisson(3)):
        x, y = rng.uniform(0, SIZE, 2)
        mole = np.zeros_like(height)
        cv2.circle(mole, (int(x), int(y)), int(rng.uniform(2, 5)), 1.0, -1)
        height += cv2.GaussianBlur(mole, (0, 0), 1.5) * rng.uniform(0.5, 2)
    if rng.random() < 0.3:  # stubble on the jaw
        dots = (rng.random((SIZE, SIZE)) < 0.03).astype(np.float32)
        v = 1 - (np.arange(SIZE) + 0.5) / SIZE * 2
        dots *= np.clip((-0.15 - v) * 5, 0, 1)[:, None]
        height += cv2.GaussianBlur(dots, (0, 0), 1.2) * rng.uniform(2, 6)
    return height


def _fading(size):
    """1, and (size, size, 1) down to 0 at the border: on the scalp, where a map ends, it must not end with an edge."""
    ramp = np.arange(size, dtype=np.float32) + 0.5
    ramp = np.minimum(ramp, ramp[::-1]) / (size / 12)
    return np.minimum(np.minimum.outer(ramp, ramp), 1)[..., None]


def relief_map(rng, scan=None):
    """One random relief map (S, S, 2) float16."""
    slopes = _slopes(wrinkles(rng, rng.random() ** 1.5)) + _slopes(skin(rng))
    if scan is not None:
        warped = scan[:, ::-1] * [-1, 1] if rng.random() < 0.5 else scan
        shift = cv2.GaussianBlur(rng.normal(size=(SIZE, SIZE, 2)).astype(np.float32), (0, 0), 40)
        grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), -1).astype(np.float32)
        warped = cv2.remap(
            warped.astype(np.float32),
            grid + shift / shift.std() * 5,
            None,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        fine = warped - cv2.GaussianBlur(warped, (0, 0), rng.uniform(2, 4))
        slopes = slopes + fine * rng.uniform(0, 0.25) + (warped - fine) * rng.uniform(0, 0.3)
    return (np.clip(slopes, -1.5, 1.5) * _fading(SIZE)).astype(np.float16)


# Where faces differ most from the shape model's smooth ones: brows and sockets, nose wings, mouth, chin.
_LIVELY = (((0.2, 0.36), 0.16), ((0.25, 0.24), 0.12), ((0.1, -0.08), 0.1), ((0.22, -0.38), 0.12), ((0.0, -0.55), 0.12))


def forms_maps(rng):
    """Two random maps of forms of 4 to 45 mm (2, FORMS, FORMS, 3) float16: brow ridges, sockets, folds, bags, corners.

    What one raises the other hollows, but for the folds, which are grooves in both.
    """
    grid = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    u, v = np.meshgrid(grid, -grid)
    lively = 0.5 + sum(np.exp(-((np.abs(u) - x) ** 2 + (v - y) ** 2) / (2 * r * r)) for (x, y), r in _LIVELY)
    height = np.zeros((SIZE, SIZE), np.float32)
    for sigma in (6.0, 10.0, 16.0, 24.0, 36.0, 54.0):
        noise = cv2.GaussianBlur(
            rng.normal(size=(SIZE, SIZE)).astype(np.float32), (0, 0), sigma, sigmaY=sigma * np.exp(rng.normal(0, 0.4))
        )
        band = noise - cv2.GaussianBlur(noise, (0, 0), sigma * 2)
        height += band / np.std(_slopes(band)) * rng.uniform(0.2, 1) * np.float32(lively)
    even = rng.uniform(0, 1) ** 0.3  # most faces are nearly the same on both sides
    height = height * (1 - even / 2) + height[:, ::-1] * (even / 2)
    height *= np.float32(rng.uniform(0.1, 0.6) / _slopes(height).std())
    grooves = 1.6 * folds(rng)
    return np.stack([_map_of(height + grooves), _map_of(grooves - height)])


def _map_of(height):
    """Slopes and the sky's share (FORMS, FORMS, 3) float16 of a height map (SIZE, SIZE)."""
    hollow = cv2.GaussianBlur(cv2.Laplacian(height, cv2.CV_32F, ksize=5), (0, 0), 2.5)
    keep = np.exp(-0.45 * np.clip(hollow / hollow.std(), 0, 2.5))
    small = cv2.resize(np.dstack([_slopes(height), keep]), (FORMS, FORMS), interpolation=cv2.INTER_AREA)
    flat = np.float32(FLAT)
    return (flat + (np.clip(small, -1.2, 1.2) - flat) * _fading(FORMS)).astype(np.float16)


def build_reliefs(path, scan_path=None, count=160, seed=0):
    """Write `count` relief maps to `path` (.npy); returns them."""
    scan = load_scan(scan_path) if scan_path else None
    maps = np.stack([relief_map(np.random.default_rng([seed, i]), scan) for i in range(count)])
    np.save(Path(path), maps)
    return maps


def build_forms(path, count=240, seed=0):
    """Write `count` pairs of maps of forms to `path` (.npy); returns them (count, 2, FORMS, FORMS, 3)."""
    maps = np.stack([forms_maps(np.random.default_rng([seed, 1, i])) for i in range(count)])
    np.save(Path(path), maps)
    return maps
