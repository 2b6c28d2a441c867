# SPDX-License-Identifier: GPL-3.0-or-later
"""Random changes as cameras, phones and detectors cause them. Gray pictures (S, S) float32 in 0..1."""

import cv2
import numpy as np

from hffne.geometry.vectors import normalize
from hffne.photo.pictures import decode_picture


class Move:
    """A random rotation, scale and shift of a crop in its plane, as detectors vary."""

    def __init__(self, rng: np.random.Generator) -> None:
        angle = np.radians(np.clip(rng.normal(0, 14), -50, 50))
        self.scale = np.exp(rng.normal(0, 0.09))
        self.turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])  # x right, y down
        self.shift = rng.normal(0, 0.06, 2)  # in halves of the crop

    def picture(self, picture: np.ndarray, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
        """A picture (S, S) or (S, S, C), moved; beyond the crop its border continues, or zero with BORDER_CONSTANT."""
        center = (len(picture) - 1) / 2
        matrix = np.zeros((2, 3))
        matrix[:, :2] = self.turn * self.scale
        matrix[:, 2] = center + self.shift * (len(picture) / 2) - matrix[:, :2] @ [center, center]
        return cv2.warpAffine(picture, matrix, picture.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=border)

    def normals(self, normal: np.ndarray) -> np.ndarray:
        """Normals (S, S, 3), y up, moved and turned with the picture."""
        moved = self.picture(normal)
        rotation = np.eye(3, dtype=np.float32)
        rotation[:2, :2] = self.turn * [[1, -1], [-1, 1]]
        moved = moved @ rotation.T
        return normalize(moved)

    def positions(self, position: np.ndarray) -> np.ndarray:
        """A position map (U, U, 3) in -1..1 of the crop, y down."""
        moved = position * np.float32(self.scale)
        moved[..., :2] = moved[..., :2] @ self.turn.T.astype(np.float32) + self.shift.astype(np.float32)
        return moved


def expose(rng: np.random.Generator, gray: np.ndarray) -> np.ndarray:
    """Random exposure only."""
    return np.clip(gray * rng.uniform(0.7, 1.1), 0, 1).astype(np.float32)


def degrade(rng: np.random.Generator, gray: np.ndarray) -> np.ndarray:
    """Random exposure, contrast, blur, low resolution, noise and JPEG; of three pictures in ten the exposure only."""
    if rng.random() < 0.3:
        return expose(rng, gray)
    size = len(gray)
    if rng.random() < 0.5:  # a smooth fall-off of light over the frame
        x, y = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
        gray = gray * np.exp(rng.normal(0, 0.25) * x + rng.normal(0, 0.25) * y).astype(np.float32)
    gray = np.clip(gray, 0, 1) ** np.exp(rng.normal(0, 0.3)) * rng.uniform(0.6, 1.15) + rng.normal(0, 0.03)
    gray = gray.astype(np.float32)
    if rng.random() < 0.25:
        gray = cv2.GaussianBlur(gray, (0, 0), rng.uniform(0.4, 2.2))
    if rng.random() < 0.2:
        small = int(size * rng.uniform(0.2, 0.7))
        gray = cv2.resize(
            cv2.resize(gray, (small, small), interpolation=cv2.INTER_AREA), (size, size), interpolation=cv2.INTER_LINEAR
        )
    if rng.random() < 0.5:
        gray = gray + rng.normal(0, rng.uniform(0, 0.05), gray.shape).astype(np.float32)
    gray = np.clip(gray, 0, 1)
    if rng.random() < 0.3:
        _, code = cv2.imencode(
            ".jpg", (gray * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        )
        gray = decode_picture(code).astype(np.float32) / 255
    return gray


def occlude(rng: np.random.Generator, gray: np.ndarray) -> np.ndarray:
    """Something in front of the face (hair, a hand, a microphone); the true normals stay as they are."""
    size = len(gray)
    if rng.random() < 0.4:
        return _hair(rng, gray)
    layer: np.ndarray = np.zeros((size, size), np.float32)
    center = rng.uniform(0, size, 2)
    if rng.random() < 0.5:
        axes = (int(rng.uniform(0.05, 0.22) * size), int(rng.uniform(0.05, 0.3) * size))
        cv2.ellipse(layer, tuple(map(int, center)), axes, rng.uniform(0, 180), 0, 360, (1.0,), -1)
    else:
        end = center + rng.normal(0, 0.5, 2) * size
        cv2.line(layer, tuple(map(int, center)), tuple(map(int, end)), (1.0,), int(rng.uniform(0.01, 0.1) * size) + 1)
    layer = cv2.GaussianBlur(layer, (0, 0), 1.0)
    tone = rng.uniform(0, 1) + 0.1 * cv2.resize(rng.normal(size=(9, 9)).astype(np.float32), (size, size))
    return gray * (1 - layer) + np.clip(tone, 0, 1) * layer


def _hair(rng: np.random.Generator, gray: np.ndarray) -> np.ndarray:
    """Strands that hang over the face from one side, as far as its middle or not at all."""
    size = len(gray)
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    lean, bend = rng.normal(0, 0.35), rng.normal(0, 0.3)
    across = rng.choice([-1, 1]) * (axis[None] - lean * axis[:, None] - bend * axis[:, None] ** 2)
    noise = rng.normal(size=(size, 2 * size)).astype(np.float32)
    strands = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.4, 1.5) * size / 128, sigmaY=size / 8)
    # The strands follow the edge.
    columns = ((across + 2) / 4 * (2 * size - 1)).astype(np.float32)
    rows = np.broadcast_to(np.arange(size, dtype=np.float32)[:, None], columns.shape)
    strands = cv2.remap(strands / strands.std(), columns, np.ascontiguousarray(rows), cv2.INTER_LINEAR)
    layer = np.clip((across - rng.uniform(0.0, 0.7) + rng.uniform(0, 0.12) * strands) * size / 6, 0, 1)
    tone = np.clip(rng.uniform(0, 0.7) * np.exp(rng.uniform(0.1, 0.5) * strands), 0, 1)
    return (gray * (1 - layer) + tone * layer).astype(np.float32)


def cut_frame(rng: np.random.Generator, gray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A photo that ends inside the crop; as in the product, its border pixels fill the rest.

    Returns the picture (S, S), and a mask (S, S), 1 where it shows the photo itself.

    Faces that fill the frame, so that it cuts cheeks and forehead, are common (passports, data sets of faces). There
    the outline is missing, which shows best how round a face is: a network that has not seen many of them flattens the
    cheeks.
    """
    size = len(gray)
    margins = rng.uniform(0.1, 0.3) + rng.normal(0, 0.03, 4) if rng.random() < 0.6 else rng.normal(0.05, 0.07, 4)
    left, top, right, bottom = (margins.clip(0) * size).astype(int)
    inside = np.zeros((size, size), np.float32)
    inside[top : size - bottom, left : size - right] = 1
    inner = gray[top : size - bottom, left : size - right]
    return cv2.copyMakeBorder(inner, top, bottom, left, right, cv2.BORDER_REPLICATE), inside
