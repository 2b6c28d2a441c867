# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos with the part of every pixel as far as landmarks, the person's outline and colors tell it.

Landmarks bound brows, eyes, lips and mouth; MediaPipe's segmentation tells the person from the background (both
training tools only); colors tell skin from hair and cloth (GrabCut, Rother et al. 2004, and a mixture of Gaussians).
What is not certain is UNKNOWN. Things before the face that photos happen to show are left UNKNOWN at best; those with
names like "Glasses" are left to the rendered ones.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np

from hffne.parts import BACKGROUND, BROWS, CLOTH, EYES, HAIR, LIPS, MOUTH, SKIN, UNKNOWN
from hffne.photo.pictures import read_picture
from hffne.synthesis.fit import FittedPhotos
from hffne.synthesis.parsing_scenes import SIZE, wide
from hffne.synthesis.render import HeadView, Renderer, Window, canonical_window, project
from hffne.synthesis.sampling import jittered
from hffne.synthesis.uv_layout import CENTER

# Outlines among MediaPipe's points.
# fmt: off
_OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
         150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
_LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
_MOUTH = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191]
_EYES = ([33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
         [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466])
_BROWS = ([70, 63, 105, 66, 107, 55, 65, 52, 53, 46], [300, 293, 334, 296, 336, 285, 295, 282, 283, 276])
_CHEEKS = ([50, 101, 118, 117, 205, 187], [280, 330, 347, 346, 425, 411])
# fmt: on
# Below each eye down to the cheek, and across the bridge of the nose.
_UNDER_EYES = (
    [226, 110, 22, 232, 245, 6, 198, 126, 142, 36, 50, 116],
    [446, 339, 252, 452, 465, 6, 420, 355, 371, 266, 280, 345],
)
_EDGY = 0.05  # the share of edges there from which there may be glasses
_NOSE_BASE, _NOSE_ROOT, _CHIN, _FOREHEAD = 2, 168, 152, 10
# How unlike skin (see `_distance`) a fringe is; the share of a brow's surroundings from which it may hide the brow.
_UNLIKE, _HIDDEN = 2.0, 0.25
_SOLID, _AIR = 0.8, 0.15  # MediaPipe's probability of a person from and up to which it is believed


class PhotoParts:
    """Crops of fitted photos with their parts."""

    def __init__(self, renderer: Renderer, fits: FittedPhotos) -> None:
        import mediapipe

        self._renderer, self._fits = renderer, fits
        self._person = mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)

    def crop(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """rgb (SIZE, SIZE, 3) and part (SIZE, SIZE) uint8 of a photo's wider crop, with the fit: head (V, 3), view,
        window (see `parsing_scenes.photo_scene`)."""
        photo = placed_photo(self._renderer, self._fits, index)
        window = wide(jittered(rng, photo.window))
        rgb, matrix = cut(photo.rgb, photo, window, SIZE)
        inverse = cv2.invertAffineTransform(matrix)
        points = self._fits.landmarks[index][:, :2] @ inverse[:, :2].T + inverse[:, 2]
        everywhere = np.full(photo.rgb.shape[:2], 255, np.uint8)
        inside = cut(everywhere, photo, window, SIZE, cv2.BORDER_CONSTANT)[0] > 127
        part = labeled(rgb, points.astype(np.float32), self._person.process(rgb).segmentation_mask, inside)
        return {"rgb": rgb, "part": part, "head": photo.head, "view": photo.view, "window": window}


class PlacedPhoto(NamedTuple):
    """A fitted photo: rgb (H, W, 3) uint8; head (V, 3) in cm and view, its fit; the crop's window; origin (2,): the
    photo's pixel of the head's center; scale: pixels per cm."""

    rgb: np.ndarray
    head: np.ndarray
    view: HeadView
    window: Window
    origin: np.ndarray
    scale: float


def placed_photo(renderer: Renderer, fits: FittedPhotos, index: int) -> PlacedPhoto:
    """The photo of this number with its fit."""
    rotation, scale = fits.rotation[index].astype(np.float32), float(fits.scale[index])
    head = renderer.shape(fits.identity[index], fits.expression[index])
    origin = fits.translation[index] + scale * (rotation @ CENTER)[:2] * [1, -1]
    view = HeadView(rotation, None)
    window = canonical_window(project(renderer.layout.sample(head), view), renderer.layout.mask)
    rgb = read_picture(fits.paths[index], cv2.IMREAD_COLOR)[..., ::-1]
    return PlacedPhoto(rgb, head, view, window, origin, scale)


def cut(
    picture: np.ndarray, photo: PlacedPhoto, window: Window, size: int, border: int = cv2.BORDER_REPLICATE
) -> tuple[np.ndarray, np.ndarray]:
    """The window of a picture of a photo's size, and the matrix (2, 3) from its pixels to the photo's."""
    scale = photo.scale
    unit = window.side * scale / size
    left, top = photo.origin + np.array([window.x, -window.y]) * scale - window.side * scale / 2 + 0.5 * unit
    if unit > 1.5:
        picture = cv2.GaussianBlur(picture, (0, 0), unit * 0.4)
    matrix = np.array([[unit, 0, left], [0, unit, top]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(np.ascontiguousarray(picture), matrix, (size, size), flags=flags, borderMode=border), matrix


def labeled(rgb: np.ndarray, points: np.ndarray, person: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The parts (S, S) uint8 of a photo; points (478, 2): MediaPipe's; person (S, S) 0..1: probability of a person;
    inside (S, S) bool: what the photo shows."""
    size = len(rgb)

    def filled(outline: list[int]) -> np.ndarray:
        area = np.zeros((size, size), np.uint8)
        cv2.fillPoly(area, [np.round(points[outline] * 16).astype(np.int32)], (1,), shift=4)
        return area > 0

    def merged(outlines: tuple[list[int], ...]) -> np.ndarray:
        return filled(outlines[0]) | filled(outlines[1])

    oval = filled(_OVAL)
    lips, mouth, eyes, brows, cheeks = filled(_LIPS), filled(_MOUTH), merged(_EYES), merged(_BROWS), merged(_CHEEKS)
    up = points[_FOREHEAD] - points[_CHIN]
    height = max(float(np.linalg.norm(up)), 1.0)
    up = up / height
    y, x = np.mgrid[:size, :size].astype(np.float32)
    along = (
        (x - points[_CHIN, 0]) * up[0] + (y - points[_CHIN, 1]) * up[1]
    ) / height  # 0 at the chin, 1 at the forehead
    solid, air = person > _SOLID, person < _AIR
    tone = np.median(rgb[cheeks].astype(np.float32), axis=0) if cheeks.any() else np.full(3, 128.0)
    like = _distance(rgb, tone)
    features = lips | mouth | eyes | brows
    skin = _skin(rgb, oval, features, solid, air, like)
    below = along < _along(points, _NOSE_BASE, up, height)
    part = np.full((size, size), UNKNOWN, np.uint8)
    part[air] = BACKGROUND
    # Skin above the forehead may be fair hair, far beside the face another person.
    near = cv2.distanceTransform((~oval).astype(np.uint8), cv2.DIST_L2, 5) / height
    likely = oval | ((near < 0.3) & (along < 0.6))
    part[skin & ~air & likely] = SKIN
    part[oval & below & ~features] = SKIN  # a beard is the face's
    rest = solid & ~skin & ~cv2.dilate(oval.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    hair, cloth = _hair_and_cloth(rgb, rest, along)
    part[hair], part[cloth] = HAIR, CLOTH
    # A beard goes on under the chin; whether what is beside it is hair, cloth or beard is not known.
    part[hair & (near < 0.12) & (along < 0.35)] = UNKNOWN
    if _is_gray(rgb):  # without hue gray hair and gray skin are alike
        part[~oval & ~air] = UNKNOWN
    part[oval & ~features & _framed(rgb, points, eyes, height)] = UNKNOWN
    part[lips], part[mouth], part[brows], part[eyes] = LIPS, MOUTH, BROWS, EYES
    fringe = _fringe(solid & ~skin & (like > _UNLIKE) & (along > _along(points, _NOSE_ROOT, up, height)), hair)
    part[fringe & ~brows] = HAIR
    for outline in _BROWS:
        brow = filled(outline)
        above = cv2.dilate(brow.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & ~brows
        if (fringe & above).sum() > _HIDDEN * above.sum():  # the brow may be seen or not
            part[brow] = UNKNOWN
    # Borders are where each of these is least exact.
    edges = cv2.morphologyEx(part, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    part[edges & ~features & ~fringe] = UNKNOWN
    part[~inside] = UNKNOWN
    return part


def _fringe(other: np.ndarray, hair: np.ndarray) -> np.ndarray:
    """(S, S) bool: what of `other`, pixels of a forehead that are not like skin, hangs together with the hair."""
    _, number = cv2.connectedComponents((other | hair).astype(np.uint8), connectivity=8)
    hanging = np.unique(number[hair])
    return other & ~hair & np.isin(number, hanging[hanging > 0])


def _is_gray(rgb: np.ndarray) -> bool:
    return float(np.ptp(rgb.astype(np.float32), axis=2).mean()) < 8


def _framed(rgb: np.ndarray, points: np.ndarray, eyes: np.ndarray, height: float) -> np.ndarray:
    """(S, S) bool: edges round the eyes of a photo that may show glasses."""
    size = len(rgb)
    away = cv2.distanceTransform((~eyes).astype(np.uint8), cv2.DIST_L2, 5) / height
    logs = np.log(rgb.astype(np.float32).mean(2) + 10)
    edges = np.abs(logs - cv2.GaussianBlur(logs, (0, 0), max(0.025 * height, 1.0))) > 0.1
    # Under the eyes and between them bare skin has hardly an edge.
    bare = np.zeros((size, size), np.uint8)
    for outline in _UNDER_EYES:
        cv2.fillPoly(bare, [np.round(points[outline]).astype(np.int32)], (1,))
    zone = (bare > 0) & (away > 0.05)
    if not zone.any() or edges[zone].mean() < _EDGY:
        return np.zeros((size, size), bool)
    return (away < 0.22) & (cv2.dilate(edges.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _along(points: np.ndarray, number: int, up: np.ndarray, height: float) -> float:
    return float((points[number] - points[_CHIN]) @ up) / height


def _distance(rgb: np.ndarray, tone: np.ndarray) -> np.ndarray:
    """How far colors (S, S, 3) are from a tone (3,); 1 is still the same skin."""
    logs = np.log(rgb.astype(np.float32) + 10) - np.log(tone + 10)
    light = logs.mean(2)
    chroma = logs - light[..., None]
    return np.sqrt(np.square(light / 0.55) + np.square(chroma / 0.14).sum(2))


def _skin(
    rgb: np.ndarray, oval: np.ndarray, features: np.ndarray, solid: np.ndarray, air: np.ndarray, like: np.ndarray
) -> np.ndarray:
    """(S, S) bool: bare skin of the face, the ears and the neck."""
    state = np.where(solid & (like < 1.2), cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    inner = cv2.erode(oval.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    state[inner & ~features & (like < 1.6)] = cv2.GC_FGD
    state[features] = cv2.GC_PR_BGD
    state[air | (solid & (like > 3) & ~oval)] = cv2.GC_BGD
    if not (state == cv2.GC_FGD).any() or not (state == cv2.GC_BGD).any():
        return inner
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    small = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    state = np.ascontiguousarray(state[::2, ::2])
    cv2.grabCut(small, state, (0, 0, 1, 1), background, foreground, 3, cv2.GC_INIT_WITH_MASK)
    found = ((state == cv2.GC_FGD) | (state == cv2.GC_PR_FGD)).astype(np.float32)
    skin = cv2.resize(found, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    return skin & (like < 2.2)


def _hair_and_cloth(rgb: np.ndarray, rest: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(S, S) bool each, of the person's pixels `rest` that are not skin; along: height, 0 at the chin, 1 at the
    forehead's top."""
    top, low = rest & (along > 0.8), rest & (along < -0.35)
    hair, cloth = rest & (along > 0.45), rest & (along < -0.45)
    between = rest & ~hair & ~cloth
    if top.sum() < 200 or low.sum() < 200 or not between.any():
        return hair & (top.sum() >= 200), cloth
    lab = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), (0, 0), 1.5).reshape(-1, 3).astype(np.float64)
    rng = np.random.default_rng(0)
    scores = []
    for area in (top, low):
        at = np.flatnonzero(area)
        model = cv2.ml.EM.create()
        model.setClustersNumber(3)
        model.setTermCriteria((cv2.TERM_CRITERIA_MAX_ITER, 12, 0.1))
        model.trainEM(lab[rng.choice(at, min(len(at), 1500), replace=False)])
        scores.append(_likelihood(model, lab[np.flatnonzero(between)]))
    # Higher up hair is more likely.
    odds = scores[0] - scores[1] + 8 * (along[between] - 0.0)
    hair, cloth = hair.copy(), cloth.copy()
    where = np.flatnonzero(between)
    hair.reshape(-1)[where[odds > 2]] = True
    cloth.reshape(-1)[where[odds < -2]] = True
    return hair, cloth


def _likelihood(model: Any, rows: np.ndarray) -> np.ndarray:
    """Logarithms (N,) of a mixture's density at rows (N, 3)."""
    means, weights = model.getMeans(), model.getWeights()[0]
    total = np.full(len(rows), -np.inf)
    for mean, covariance, weight in zip(means, model.getCovs(), weights, strict=True):
        covariance = covariance + 4 * np.eye(3)
        offset = rows - mean
        distance = (offset @ np.linalg.inv(covariance) * offset).sum(1)
        total = np.logaddexp(total, np.log(max(weight, 1e-9)) - 0.5 * (distance + np.log(np.linalg.det(covariance))))
    return total
