# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with photos, done to a good one: (H, W, 3) uint8 sRGB in, uint8 out.

Each takes the photo and the face's 68 landmarks (68, 2) in its pixels (iBUG order), whose width sets all sizes. The
face stays where it is, so the good photo's normals remain the aim; only `small` gives a smaller photo, as a whole.
"""

import cv2
import numpy as np

SMALL = 64  # pixels: how wide the smallest face is


def overexposed(rgb, marks):
    """One and a half stops too bright; the lights are cut off."""
    return _exposed(rgb, 2.8)


def underexposed(rgb, marks):
    """Three stops too dark, with a sensor's noise, and not brightened since."""
    return noisy(_exposed(rgb, 1 / 8), marks, 2.0)


def small(rgb, marks):
    """The face 64 pixels wide."""
    scale = SMALL / _width(marks)
    size = (max(24, round(rgb.shape[1] * scale)), max(24, round(rgb.shape[0] * scale)))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if scale < 1 else rgb


def blurred(rgb, marks):
    """Out of focus: a sigma of 1.5 % of the face's width."""
    return cv2.GaussianBlur(rgb, (0, 0), 0.015 * _width(marks))


def shaken(rgb, marks):
    """Moved by 6 % of the face's width in one direction while the shutter was open."""
    length = max(3, round(0.06 * _width(marks)))
    kernel = np.eye(length, dtype=np.float32) / length
    return cv2.filter2D(rgb, -1, kernel, borderType=cv2.BORDER_REPLICATE)


def noisy(rgb, marks, deviation=14.0):
    """A sensor's noise at little light."""
    noise = np.random.default_rng(0).normal(0, deviation, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


def jpeg(rgb, marks):
    """JPEG of quality 15."""
    code = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 15])[1]
    return np.ascontiguousarray(cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1])


def gray(rgb, marks):
    """Black and white."""
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)


def sepia(rgb, marks):
    """An old print: brown, with little contrast."""
    level = 40 + 0.75 * gray(rgb, marks)[..., :1].astype(np.float32)
    return np.clip(level * np.float32([1.08, 0.95, 0.75]), 0, 255).astype(np.uint8)


def glasses(rgb, marks):
    """Dark frames and slightly tinted lenses before the eyes."""
    return _glasses(rgb, marks, 0.12)


def sunglasses(rgb, marks):
    """Frames with dark lenses."""
    return _glasses(rgb, marks, 0.93)


def beard(rgb, marks):
    """A dark full beard, painted: strands of hair over the jaw, the chin and the upper lip."""
    return _hair(rgb, _beard_area(rgb.shape, marks), 0.9)


def fringe(rgb, marks):
    """Dark hair over the forehead, down to the brows."""
    marks = np.asarray(marks, np.float64)
    up = marks[17:27].mean(0) - marks[8]
    line = marks[17:27] + up * 0.06
    outline = np.concatenate([line, (line + up * 0.45)[::-1]])
    area = cv2.fillPoly(np.zeros(rgb.shape[:2], np.float32), [np.round(outline).astype(np.int32)], 1.0)
    return _hair(rgb, area, 0.95)


def hand(rgb, marks):
    """Something of the skin's color before one half of the mouth and the chin."""
    width = _width(marks)
    middle = marks[48] * 0.5 + marks[5] * 0.5
    area = cv2.ellipse(
        np.zeros(rgb.shape[:2], np.float32),
        tuple(int(v) for v in np.round(middle)),
        (int(0.16 * width), int(0.3 * width)),
        20,
        0,
        360,
        1.0,
        -1,
    )
    area = cv2.GaussianBlur(area, (0, 0), 0.01 * width)[..., None]
    color = np.median(rgb[_inside(rgb.shape, marks)], axis=0) * 0.85
    return np.round(rgb * (1 - area) + color * area).astype(np.uint8)


CASES = {
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


def _width(marks):
    return float(np.linalg.norm(np.asarray(marks)[16, :2] - np.asarray(marks)[0, :2]))


def _exposed(rgb, gain):
    level = np.clip((rgb / np.float32(255)) ** 2.2 * gain, 0, 1)
    return np.round(level ** (1 / 2.2) * 255).astype(np.uint8)


def _glasses(rgb, marks, tint):
    marks = np.asarray(marks, np.float64)
    left, right = marks[36:42].mean(0), marks[42:48].mean(0)
    apart = np.linalg.norm(right - left)
    thick = max(1, round(0.05 * apart))
    lenses, frames = np.zeros(rgb.shape[:2], np.float32), np.zeros(rgb.shape[:2], np.float32)
    turn = float(np.degrees(np.arctan2(*(right - left)[::-1])))
    rims = []
    for eye, ear in ((left, 0), (right, 16)):
        # As wide as the eye looks: lenses turn aside with the face.
        eye_width = np.linalg.norm(np.ptp(marks[36:42] if ear == 0 else marks[42:48], axis=0))
        axes = (max(2, round(0.85 * eye_width)), max(2, round(0.7 * eye_width)))
        place = tuple(int(v) for v in np.round(eye))
        cv2.ellipse(lenses, place, axes, turn, 0, 360, 1.0, -1)
        cv2.ellipse(frames, place, axes, turn, 0, 360, 1.0, thick, cv2.LINE_AA)
        side = (right - left) / max(apart, 1e-6) * axes[0]
        rims.append((eye - side, eye + side))
        near = eye - side if ear == 0 else eye + side
        cv2.line(frames, _pixel(near), _pixel(marks[ear] + (near - marks[ear]) * 0.1), 1.0, thick, cv2.LINE_AA)
    cv2.line(frames, _pixel(rims[0][1]), _pixel(rims[1][0]), 1.0, thick, cv2.LINE_AA)
    dark = np.maximum(lenses * tint, np.clip(frames, 0, 1) * 0.95)[..., None]
    return np.round(rgb * (1 - dark) + 25 * dark).astype(np.uint8)


def _pixel(point):
    return tuple(int(v) for v in np.round(point))


def _inside(shape, marks):
    hull = cv2.convexHull(np.round(np.asarray(marks)[:, :2]).astype(np.int32))
    return cv2.fillConvexPoly(np.zeros(shape[:2], np.uint8), hull, 1) > 0


def _beard_area(shape, marks):
    marks = np.asarray(marks, np.float64)[:, :2]
    upper = np.array([marks[35], marks[33], marks[31]])
    outline = np.concatenate(
        [marks[2:15], marks[14:13:-1] * 0.4 + marks[35:36] * 0.6, upper, marks[2:3] * 0.4 + marks[31:32] * 0.6]
    )
    area = cv2.fillPoly(np.zeros(shape[:2], np.float32), [np.round(outline).astype(np.int32)], 1.0)
    lips = np.round(marks[48:60]).astype(np.int32)
    return cv2.fillPoly(area, [lips], 0.0)


def _hair(rgb, area, cover):
    """Strands, mostly downward, over a soft-edged area (H, W)."""
    width = max(4.0, float(np.sqrt(area.sum())))
    noise = np.random.default_rng(0).normal(0, 1, rgb.shape[:2]).astype(np.float32)
    strands = cv2.GaussianBlur(noise, (0, 0), sigmaX=max(0.5, 0.005 * width), sigmaY=max(1.0, 0.05 * width))
    strands = 38 + 26 * strands / max(float(strands.std()), 1e-6)
    soft = cv2.GaussianBlur(area, (0, 0), 0.02 * width)[..., None] * cover
    color = np.clip(strands, 5, 140)[..., None] * np.float32([1.0, 0.85, 0.7])
    return np.round(rgb * (1 - soft) + color * soft).astype(np.uint8)
