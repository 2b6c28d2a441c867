# SPDX-License-Identifier: GPL-3.0-or-later
"""Common defects of photos, applied to a good one: (H, W, 3) uint8 sRGB in, uint8 out.

Each function takes the photo and the face's 68 landmarks (68, 2) in its pixels (iBUG order), whose width sets all
sizes. The face stays in place, so that the original photo's normals remain the aim; only `small` returns a smaller
photo.
"""

from collections.abc import Callable

import cv2
import numpy as np

from hffne.photo.pictures import decode_picture

SMALL = 64  # pixels: how wide the smallest face is


def overexposed(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """One and a half stops too bright, with clipped highlights."""
    return _exposed(rgb, 2.8)


def underexposed(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Three stops too dark, with sensor noise."""
    return noisy(_exposed(rgb, 1 / 8), marks, 2.0)


def small(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """The face 64 pixels wide."""
    scale = SMALL / _width(marks)
    size = (max(24, round(rgb.shape[1] * scale)), max(24, round(rgb.shape[0] * scale)))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if scale < 1 else rgb


def blurred(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Out of focus: a sigma of 1.5 % of the face's width."""
    return cv2.GaussianBlur(rgb, (0, 0), 0.015 * _width(marks))


def shaken(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Motion blur of 6 % of the face's width in one direction."""
    length = max(3, round(0.06 * _width(marks)))
    kernel = np.eye(length, dtype=np.float32) / length
    return cv2.filter2D(rgb, -1, kernel, borderType=cv2.BORDER_REPLICATE)


def noisy(rgb: np.ndarray, marks: np.ndarray, deviation: float = 14.0) -> np.ndarray:
    """Sensor noise as in low light; deviation: in 8-bit values."""
    noise = np.random.default_rng(0).normal(0, deviation, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


def jpeg(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """JPEG of quality 15."""
    code = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 15])[1]
    return np.ascontiguousarray(decode_picture(code, cv2.IMREAD_COLOR)[..., ::-1])


def gray(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Black and white."""
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)


def sepia(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """An old print: brown, with little contrast."""
    level = 40 + 0.75 * gray(rgb, marks)[..., :1].astype(np.float32)
    return np.clip(level * np.array([1.08, 0.95, 0.75], np.float32), 0, 255).astype(np.uint8)


def glasses(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Glasses with dark frames and slightly tinted lenses."""
    return _glasses(rgb, marks, 0.12)


def sunglasses(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Glasses with dark lenses."""
    return _glasses(rgb, marks, 0.93)


def beard(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """A dark full beard, painted: strands of hair over the jaw, the chin and the upper lip."""
    return _hair(rgb, _beard_area(rgb.shape, marks), 0.9)


def fringe(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Dark hair over the forehead, down to the brows."""
    marks = np.asarray(marks, np.float64)
    up = marks[17:27].mean(0) - marks[8]
    line = marks[17:27] + up * 0.06
    outline = np.concatenate([line, (line + up * 0.45)[::-1]])
    area = cv2.fillPoly(np.zeros(rgb.shape[:2], np.float32), [np.round(outline).astype(np.int32)], (1.0,))
    return _hair(rgb, area, 0.95)


def hand(rgb: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """A skin-colored shape over one half of the mouth and the chin."""
    width = _width(marks)
    middle = marks[48] * 0.5 + marks[5] * 0.5
    area = cv2.ellipse(
        np.zeros(rgb.shape[:2], np.float32),
        _pixel(middle),
        (int(0.16 * width), int(0.3 * width)),
        20,
        0,
        360,
        (1.0,),
        -1,
    )
    area = cv2.GaussianBlur(area, (0, 0), 0.01 * width)[..., None]
    color = np.median(rgb[_inside(rgb.shape, marks)], axis=0) * 0.85
    return np.round(rgb * (1 - area) + color * area).astype(np.uint8)


CASES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    case.__name__: case
    for case in (
        overexposed,
        underexposed,
        small,
        blurred,
        shaken,
        noisy,
        jpeg,
        gray,
        sepia,
        glasses,
        sunglasses,
        beard,
        fringe,
        hand,
    )
}


def _width(marks: np.ndarray) -> float:
    return float(np.linalg.norm(np.asarray(marks)[16, :2] - np.asarray(marks)[0, :2]))


def _exposed(rgb: np.ndarray, gain: float) -> np.ndarray:
    level = np.clip((rgb / np.float32(255)) ** 2.2 * gain, 0, 1)
    return np.round(level ** (1 / 2.2) * 255).astype(np.uint8)


def _glasses(rgb: np.ndarray, marks: np.ndarray, tint: float) -> np.ndarray:
    marks = np.asarray(marks, np.float64)
    left, right = marks[36:42].mean(0), marks[42:48].mean(0)
    apart = np.linalg.norm(right - left)
    thick = max(1, round(0.05 * apart))
    lenses, frames = np.zeros(rgb.shape[:2], np.float32), np.zeros(rgb.shape[:2], np.float32)
    turn = float(np.degrees(np.arctan2(*(right - left)[::-1])))
    rims = []
    for eye, ear in ((left, 0), (right, 16)):
        # As wide as the eye appears: lenses turn aside with the face.
        eye_width = np.linalg.norm(np.ptp(marks[36:42] if ear == 0 else marks[42:48], axis=0))
        axes = (max(2, round(0.85 * eye_width)), max(2, round(0.7 * eye_width)))
        place = _pixel(eye)
        cv2.ellipse(lenses, place, axes, turn, 0, 360, (1.0,), -1)
        cv2.ellipse(frames, place, axes, turn, 0, 360, (1.0,), thick, cv2.LINE_AA)
        side = (right - left) / max(apart, 1e-6) * axes[0]
        rims.append((eye - side, eye + side))
        near = eye - side if ear == 0 else eye + side
        cv2.line(frames, _pixel(near), _pixel(marks[ear] + (near - marks[ear]) * 0.1), (1.0,), thick, cv2.LINE_AA)
    cv2.line(frames, _pixel(rims[0][1]), _pixel(rims[1][0]), (1.0,), thick, cv2.LINE_AA)
    dark = np.maximum(lenses * tint, np.clip(frames, 0, 1) * 0.95)[..., None]
    return np.round(rgb * (1 - dark) + 25 * dark).astype(np.uint8)


def _pixel(point: np.ndarray) -> tuple[int, int]:
    x, y = np.round(point)
    return int(x), int(y)


def _inside(shape: tuple[int, ...], marks: np.ndarray) -> np.ndarray:
    hull = cv2.convexHull(np.round(np.asarray(marks)[:, :2]).astype(np.int32))
    return cv2.fillConvexPoly(np.zeros(shape[:2], np.uint8), hull, (1,)) > 0


def _beard_area(shape: tuple[int, ...], marks: np.ndarray) -> np.ndarray:
    marks = np.asarray(marks, np.float64)[:, :2]
    upper = np.array([marks[35], marks[33], marks[31]])
    outline = np.concatenate(
        [marks[2:15], marks[14:13:-1] * 0.4 + marks[35:36] * 0.6, upper, marks[2:3] * 0.4 + marks[31:32] * 0.6]
    )
    area = cv2.fillPoly(np.zeros(shape[:2], np.float32), [np.round(outline).astype(np.int32)], (1.0,))
    lips = np.round(marks[48:60]).astype(np.int32)
    return cv2.fillPoly(area, [lips], (0.0,))


def _hair(rgb: np.ndarray, area: np.ndarray, cover: float) -> np.ndarray:
    """Paint hair over an area (H, W) with soft edges; cover: its opacity."""
    width = max(4.0, float(np.sqrt(area.sum())))
    noise = np.random.default_rng(0).normal(0, 1, rgb.shape[:2]).astype(np.float32)
    strands = cv2.GaussianBlur(noise, (0, 0), sigmaX=max(0.5, 0.005 * width), sigmaY=max(1.0, 0.05 * width))
    strands = 38 + 26 * strands / max(float(strands.std()), 1e-6)
    soft = cv2.GaussianBlur(area, (0, 0), 0.02 * width)[..., None] * cover
    color = np.clip(strands, 5, 140)[..., None] * np.array([1.0, 0.85, 0.7], np.float32)
    return np.round(rgb * (1 - soft) + color * soft).astype(np.uint8)
