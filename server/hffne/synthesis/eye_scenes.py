# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures for the eyes network, large enough for lids: the second head family's people with exact normals, and
photos."""

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from hffne.parts import FACE, SKIN
from hffne.photo.crop import CROP, to_gray
from hffne.synthesis.avatar_sampling import gaze, lids_and_mouth
from hffne.synthesis.face_model import LANDMARKS
from hffne.synthesis.fit import MEDIAPIPE_68, FittedPhotos
from hffne.synthesis.parsing_photos import cut, placed_photo
from hffne.synthesis.parsing_scenes import Wardrobe, on_picture, photographed, random_scene
from hffne.synthesis.render import Renderer
from hffne.synthesis.sampling import jittered
from hffne.synthesis.shipped_networks import ShippedNetworks

SIZE = 640  # pixels along a picture's side
_BARE = 0.5  # the share of people without glasses, hats or hands
BARE_SKIN, FEATURE = 1, 2  # of a face on a photo
# The iBUG points that pull, and the grid on which the pull is computed.
_INNER, _COARSE = slice(17, 68), 65
_SURE = 0.7  # how likely skin must be
# The share of people who take after somebody else, and how far (cm) beside the head others follow it.
_MIXED, _REACH = 0.75, 1.5
# Gloss of eyes, and how narrow their highlights are.
_WET, _NARROW = (0.05, 2.0), (40, 600)


def eye_scene(
    wardrobe: Wardrobe,
    chosen: np.ndarray,
    background: np.ndarray,
    shipped: ShippedNetworks,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """One of the `chosen` people: rgb (S, S, 3) uint8 sRGB; normal (S, S, 3) int8, camera space; known (S, S) uint8, 1
    where the person itself is seen; coarse (256, 256, 3) int8, the coarse network's; points (68, 2) float32 in pixels.

    background (S, S, 3) uint8.
    """
    number, other = (int(chosen[k]) for k in rng.integers(len(chosen), size=2))
    person = wardrobe.people[number]
    vertices = person.vertices
    if rng.random() < _MIXED:
        vertices = vertices + float(rng.uniform(0.2, 1.1)) * _toward(wardrobe, number, other)
    if rng.random() < 0.8:
        vertices = gaze(rng, person.balls, vertices)
        near = np.linalg.norm(vertices, axis=1) < 30
        vertices[near] = lids_and_mouth(rng, vertices[near], vertices[person.landmarks])
    scene = random_scene(wardrobe, number, vertices, rng, _BARE)
    scene.things[0].wet = (
        float(np.exp(rng.uniform(*np.log(_WET)))),
        float(np.exp(rng.uniform(*np.log(_NARROW)))),
    )
    shot, rgb, part = photographed(scene, background, rng)
    picture = np.round(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    small = cv2.resize(picture, (CROP, CROP), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return {
        "rgb": picture,
        "normal": np.round(shot.normal * 127).astype(np.int8),
        "known": (np.isin(part, FACE) & (shot.thing == 0)).astype(np.uint8),
        "coarse": np.round(shipped.coarse(to_gray(small)) * 127).astype(np.int8),
        "points": on_picture(scene.marks, scene.view, scene.window, len(background)).astype(np.float32),
    }


def eye_photo(
    renderer: Renderer, fits: FittedPhotos, index: int, shipped: ShippedNetworks, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The same of a photo. normal: its fit's, moved on the picture so that lids, nose and lips lie where the photo's
    landmarks do; known: BARE_SKIN and FEATURE, as the parsing network tells them."""
    photo = placed_photo(renderer, fits, index)
    window = jittered(rng, photo.window)
    picture, matrix = cut(photo.rgb, photo, window, SIZE)
    small = cv2.resize(picture, (CROP, CROP), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    parts = shipped.parts(small)
    skin, face = (
        cv2.resize(share, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR) > _SURE
        for share in (parts[SKIN], parts[list(FACE)].sum(0))
    )
    inverse = cv2.invertAffineTransform(matrix)
    points = fits.landmarks[index][MEDIAPIPE_68, :2] @ inverse[:, :2].T + inverse[:, 2]
    own = on_picture(photo.head[LANDMARKS], photo.view, window, SIZE)
    normal = renderer.buffers(photo.head, photo.view, window, occlusion_rays=0, size=SIZE)["normal"]
    return {
        "rgb": picture,
        "normal": _moved(normal, own, points),
        "known": np.where(skin, BARE_SKIN, face * FEATURE).astype(np.uint8),
        "coarse": np.round(shipped.coarse(to_gray(small)) * 127).astype(np.int8),
        "points": points.astype(np.float32),
    }


def _moved(picture: np.ndarray, own: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A picture (S, S, C) warped so that its iBUG points `own` (68, 2) come to lie at `points` (68, 2)."""
    size = len(picture)
    corners = np.array([[x, y] for x in (0, size - 1) for y in (0, size - 1)], float)
    goal = np.concatenate([points[_INNER], corners])
    away = np.concatenate([own[_INNER] - points[_INNER], np.zeros((4, 2))])
    axis = np.linspace(0, size - 1, _COARSE)
    at = np.stack(np.meshgrid(axis, axis), -1)
    warp = RBFInterpolator(goal, away, kernel="thin_plate_spline", smoothing=1.0)(at.reshape(-1, 2))
    y, x = np.mgrid[:size, :size].astype(np.float32)
    step = (_COARSE - 1) / (size - 1)
    away = cv2.remap(warp.reshape(_COARSE, _COARSE, 2).astype(np.float32), x * step, y * step, cv2.INTER_LINEAR)
    return cv2.remap(picture.astype(np.float32), x + away[..., 0], y + away[..., 1], cv2.INTER_LINEAR).astype(np.int8)


def _toward(wardrobe: Wardrobe, number: int, other: int) -> np.ndarray:
    """What moves a person's vertices (V, 3), where the head is, to another's head; zero far from it."""
    shapes, vertices = wardrobe.heads.shapes, wardrobe.people[number].vertices
    distance, nearest = cKDTree(shapes[number]).query(vertices)
    share = np.exp(-np.square(distance / _REACH))[:, None]
    return np.asarray((shapes[other] - shapes[number])[nearest] * share, np.float32)
