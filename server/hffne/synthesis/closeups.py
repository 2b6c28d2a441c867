# SPDX-License-Identifier: GPL-3.0-or-later
"""Close-ups: windows of 1 to 6 times the crop's scale, of rendered heads of both families and of fitted photos.

The fine network looks at crops of 256 to 2048 pixels; a window is a part of such a crop. Each sample has the exemplar
of the whole face, as at inference.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.synthesis.array_folder import fill_folder
from hffne.synthesis.avatar_heads import load_avatar_heads
from hffne.synthesis.avatar_render import AvatarRenderer, dressed
from hffne.synthesis.avatar_sampling import HAIR_SHARE, random_colors, random_head
from hffne.synthesis.build import crop_photo, fitted
from hffne.synthesis.face_model import load_face_model
from hffne.synthesis.fit import FittedPhotos
from hffne.synthesis.render import SIZE, HeadView, Renderer, Window, canonical_window, project, to_crop
from hffne.synthesis.sampling import euler, jittered, random_direction, random_shape, random_view, stretched
from hffne.synthesis.shipped_networks import ShippedNetworks
from hffne.synthesis.training_set import TrainingSet
from hffne.synthesis.uv_layout import SIZE as U
from hffne.synthesis.uv_layout import build_layout

RENDERS, PHOTOS = "close_renders", "close_photos"
EXEMPLAR = 64  # pixels along a side of the whole face's exemplar
CLOSEST = 6.0
TEXTURE = 2048  # of the second family's colors
WHOLE = 0.25  # share of windows that are the whole crop
SECOND_FAMILY = 0.6  # share of the renders
_FEATURES = 0.55  # share of windows around a brow, an eye, the nose or the mouth
_ANY_VIEW = 0.3  # share of renders seen from anywhere, the others from the front
_LEAST_PIXELS = 200  # of a photo along a window's side

_COMMON = {
    "kind": ((SIZE, SIZE), np.uint8),
    "position": ((U, U, 3), np.float32),
    "up": ((3,), np.float32),
    "zoom": ((), np.float32),
    "exemplar": ((EXEMPLAR, EXEMPLAR, 3), np.int8),
}
RENDER_FIELDS: dict[str, tuple[tuple[int, ...], Any]] = _COMMON | {
    "normal": ((SIZE, SIZE, 3), np.float16),
    "uv": ((SIZE, SIZE, 2), np.float32),
    "sun": ((SIZE, SIZE), np.uint8),
    "sky": ((SIZE, SIZE), np.uint8),
    "albedo": ((SIZE, SIZE), np.uint8),
    "suns": ((2, 3), np.float32),
    "family": ((), np.uint8),
}
PHOTO_FIELDS: dict[str, tuple[tuple[int, ...], Any]] = _COMMON | {
    "gray": ((SIZE, SIZE), np.uint8),
    "target": ((SIZE, SIZE, 3), np.float16),
    "contrast": ((2,), np.float32),
    "photo": ((), np.int32),
}


def close_window(
    rng: np.random.Generator, whole: Window, points: np.ndarray, landmarks: np.ndarray, closest: float = CLOSEST
) -> tuple[Window, float]:
    """A random part of the crop `whole`, and how many times closer it is.

    points (N, 3): what of the face is seen, projected; landmarks (68, 3) likewise.
    """
    if closest <= 1 or rng.random() < WHOLE:
        return whole, 1.0
    zoom = float(np.exp(rng.uniform(0, np.log(closest))))
    source = landmarks[17:] if rng.random() < _FEATURES else points
    middle = source[rng.integers(len(source)), :2] + rng.normal(0, 0.12, 2) * whole.side / zoom
    reach = whole.side / 2 * (1 - 1 / zoom)
    return (
        Window(
            float(np.clip(middle[0], whole.x - reach, whole.x + reach)),
            float(np.clip(middle[1], whole.y - reach, whole.y + reach)),
            whole.side / zoom,
        ),
        zoom,
    )


def build_closeups(
    shapes: str | Path,
    heads: str | Path,
    output: str | Path,
    renders: int,
    photos: int,
    seed: int = 0,
    processes: int = 1,
    report: Callable[[str], object] = print,
) -> None:
    """Write the close-ups of a training set that ``build.build`` made, unless they are there.

    shapes, heads: folders of both head families; renders, photos: how many of each. Raises HffneError.
    """
    fits = TrainingSet(output).fitted_photos()
    load_avatar_heads(heads, load_face_model(shapes))  # what is missing is told before anything is written
    for kind, count, fields in ((RENDERS, renders, RENDER_FIELDS), (PHOTOS, photos, PHOTO_FIELDS)):
        arguments, note = (kind, shapes, heads, output), f", of {len(fits.paths)} photos"
        fill_folder(Path(output) / kind, fields, _work, arguments, count, seed, processes, report, note)


def _work(
    kind: str, shapes: str | Path, heads: str | Path, output: str | Path, count: int, seed: int, part: int, parts: int
) -> None:
    cv2.setNumThreads(1)
    model, fits = load_face_model(shapes), TrainingSet(output).fitted_photos()
    renderer = Renderer(model, build_layout(model))
    arrays = {path.stem: np.lib.format.open_memmap(path, "r+") for path in (Path(output) / kind).glob("*.npy")}
    if kind == RENDERS:
        family = load_avatar_heads(heads, model, TEXTURE)
        avatars, people = AvatarRenderer(family, model, renderer.layout), family.people(held_out=False)
    else:
        coarse = ShippedNetworks().coarse
    for index in range(part, count, parts):
        rng = np.random.default_rng([seed, 4 if kind == RENDERS else 5, index])
        if kind == PHOTOS:
            sample = close_photo(renderer, fits, index % len(fits.paths), rng, coarse)
        elif rng.random() < SECOND_FAMILY:
            sample = close_avatar(avatars, people, rng)
        else:
            sample = close_render(renderer, fits, rng)
        for name, array in arrays.items():
            array[index] = sample[name]


def close_render(renderer: Renderer, fits: FittedPhotos, rng: np.random.Generator) -> dict[str, Any]:
    """A window of a random face of the first family: the fields of RENDER_FIELDS."""
    shape = stretched(rng, renderer.shape(*random_shape(rng, renderer.model, fits)))
    sample, _, _ = _rendered(renderer, shape, rng)
    return sample | {"albedo": np.zeros((SIZE, SIZE), np.uint8), "family": 0}


def close_avatar(renderer: AvatarRenderer, people: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """The same of the second family; albedo: its own colors."""
    heads = renderer.heads
    shape = random_head(rng, heads, people)
    cards = [heads.hairs[heads.names[k]] for k in people if heads.names[k] in heads.hairs]
    hair = cards[rng.integers(len(cards))] if cards and rng.random() < HAIR_SHARE else None
    bare = shape
    if hair is not None:
        renderer, shape = renderer.with_hair(hair), dressed(shape, hair)
    sample, view, window = _rendered(renderer, shape, rng, bare)
    colors = random_colors(rng, heads, people)
    if rng.random() < 0.7:  # painted pores and wrinkles without relief
        colors = cv2.bilateralFilter(colors, 9, 26, 4)
    return sample | {
        "albedo": renderer.colored(shape, view, window, colors, hair, zoom=sample["zoom"]),
        "family": 1,
    }


def _rendered(
    renderer: Renderer, shape: np.ndarray, rng: np.random.Generator, bare: np.ndarray | None = None
) -> tuple[dict[str, Any], HeadView, Window]:
    view = random_view(rng) if rng.random() < _ANY_VIEW else _frontal(rng)
    posed = project(renderer.layout.sample(shape if bare is None else bare), view)
    whole = jittered(rng, canonical_window(posed, renderer.layout.mask))
    window, zoom = close_window(rng, whole, *_seen(renderer, posed))
    suns = np.stack([random_direction(rng) for _ in range(2)])
    buffers = renderer.buffers(shape, view, window, suns, rng=rng, exact=True)
    small = renderer.buffers(shape, view, whole, occlusion_rays=0, size=EXEMPLAR)["normal"]
    return (
        buffers
        | {
            "position": to_crop(posed, window),
            "suns": suns,
            "up": view.rotation[:, 1],
            "zoom": zoom,
            "exemplar": small,
        },
        view,
        window,
    )


def _frontal(rng: np.random.Generator) -> HeadView:
    turn = euler(rng.normal(0, 18), rng.normal(0, 10), rng.normal(0, 7))
    return HeadView(turn, float(45 * np.exp(rng.uniform(0, 1.8))))


def _seen(renderer: Renderer, posed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points (N, 3) of a projected position map that face the camera, and the landmarks (68, 3)."""
    normal = np.cross(np.gradient(posed, axis=1), np.gradient(posed, axis=0))
    facing = (normal[..., 2] * np.sign(np.median(normal[..., 2])) > 0) & renderer.layout.mask
    rows, columns = np.round(template().landmarks).astype(int).T
    return posed[facing if facing.any() else renderer.layout.mask], posed[rows, columns]


def close_photo(
    renderer: Renderer,
    fits: FittedPhotos,
    index: int,
    rng: np.random.Generator,
    coarse: Callable[[np.ndarray], np.ndarray],
) -> dict[str, Any]:
    """A window of a photo, with the coarse network's normals as target: the fields of PHOTO_FIELDS."""
    rotation, scale, shape, origin, gray = fitted(renderer, fits, index)
    view = HeadView(rotation, None)
    posed = project(renderer.layout.sample(shape), view)
    whole = jittered(rng, canonical_window(posed, renderer.layout.mask))
    closest = min(CLOSEST, whole.side * scale / _LEAST_PIXELS)
    window, zoom = close_window(rng, whole, *_seen(renderer, posed), closest)
    buffers = renderer.buffers(shape, view, window, occlusion_rays=0)
    crop = crop_photo(gray, origin, scale, whole) / np.float32(255)
    normal = coarse(crop)
    # The window's square on the whole crop.
    left, top = to_crop(np.array([window.x - window.side / 2, window.y + window.side / 2, 0.0]), whole)[:2] + 0.5
    step = 1 / zoom
    at = (np.arange(SIZE, dtype=np.float32) + 0.5) * np.float32(step) - 0.5
    x, y = np.meshgrid(at + np.float32(left), at + np.float32(top))
    target = normalize(cv2.remap(normal, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    small = normalize(cv2.resize(normal, (EXEMPLAR, EXEMPLAR), interpolation=cv2.INTER_AREA))
    return buffers | {
        "gray": crop_photo(gray, origin, scale, window),
        "target": target,
        "contrast": [crop.mean(), crop.std()],
        "photo": index,
        "position": to_crop(posed, window),
        "up": rotation[:, 1],
        "zoom": zoom,
        "exemplar": np.round(small * 127),
    }
