# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the parts of a training set that show dressed people, as .npy files: pictures with the part of every pixel and
its color without light, large ones with normals, and heads from every side with their position maps."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from hffne.photo.crop import CROP
from hffne.photo.pictures import read_picture
from hffne.synthesis.array_folder import Field, fill_folder
from hffne.synthesis.avatar_heads import load_avatar_heads
from hffne.synthesis.avatar_people import load_avatar_people
from hffne.synthesis.avatar_render import AvatarRenderer
from hffne.synthesis.eye_scenes import SIZE as LARGE
from hffne.synthesis.eye_scenes import eye_photo, eye_scene
from hffne.synthesis.face_model import LANDMARKS, load_face_model
from hffne.synthesis.fit import FittedPhotos
from hffne.synthesis.parsing_photos import PhotoParts
from hffne.synthesis.parsing_scenes import SIZE, Wardrobe, person_scene, photo_scene
from hffne.synthesis.posed_people import posed_person
from hffne.synthesis.render import Renderer
from hffne.synthesis.scene import load_skies
from hffne.synthesis.shading_photos import relit_photo
from hffne.synthesis.shipped_networks import ShippedNetworks
from hffne.synthesis.training_set import TrainingSet
from hffne.synthesis.uv_layout import SIZE as U
from hffne.synthesis.uv_layout import build_layout

# Rendered people that training may see, those held out, photos, and photos in another light.
PEOPLE, HELD_OUT_PEOPLE, PHOTOS, RELIT = "parsing_people", "parsing_held_out", "parsing_photos", "relit_photos"
# Large pictures for the eyes network: renders of people, of those held out, and photos.
EYE_PEOPLE, HELD_OUT_EYES, EYE_PHOTOS = "eye_people", "eye_held_out", "eye_photos"
# Heads from every side for the position map network.
POSED, HELD_OUT_POSED = "posed_people", "posed_held_out"
_NUMBERS = {PEOPLE: 6, HELD_OUT_PEOPLE: 7, PHOTOS: 8, RELIT: 9, EYE_PEOPLE: 10, HELD_OUT_EYES: 11, EYE_PHOTOS: 12} | {
    POSED: 13,
    HELD_OUT_POSED: 14,
}
_HELD_OUT = (HELD_OUT_PEOPLE, HELD_OUT_EYES, HELD_OUT_POSED)
_PICTURE: Field = ((SIZE, SIZE, 3), np.uint8)
PHOTO_FIELDS: dict[str, Field] = {"rgb": _PICTURE, "part": ((SIZE, SIZE), np.uint8)}
_EYE_FIELDS: dict[str, Field] = {
    "rgb": ((LARGE, LARGE, 3), np.uint8),
    "normal": ((LARGE, LARGE, 3), np.int8),
    "known": ((LARGE, LARGE), np.uint8),
    "coarse": ((CROP, CROP, 3), np.int8),
    "points": ((68, 2), np.float32),
}
_POSED_FIELDS: dict[str, Field] = {"gray": ((CROP, CROP), np.uint8), "position": ((U, U, 3), np.float16)}
FIELDS: dict[str, dict[str, Field]] = {
    PEOPLE: PHOTO_FIELDS | {"albedo": _PICTURE},
    HELD_OUT_PEOPLE: PHOTO_FIELDS | {"albedo": _PICTURE},
    PHOTOS: PHOTO_FIELDS,
    RELIT: PHOTO_FIELDS | {"albedo": _PICTURE},
    EYE_PEOPLE: _EYE_FIELDS,
    HELD_OUT_EYES: _EYE_FIELDS,
    EYE_PHOTOS: _EYE_FIELDS,
    POSED: _POSED_FIELDS,
    HELD_OUT_POSED: _POSED_FIELDS,
}


def build_parsing(
    shapes: str | Path,
    heads: str | Path,
    skies: str | Path,
    output: str | Path,
    counts: dict[str, int],
    seed: int = 0,
    processes: int = 1,
    report: Callable[[str], object] = print,
) -> None:
    """Write the pictures for these networks of a training set that ``build.build`` made, unless they are there.

    shapes, heads: folders of both head families; skies: of the environment maps; counts: {one of the
    names above: how many}. Raises HffneError.
    """
    TrainingSet(output).fitted_photos()
    load_skies(skies)  # what is missing is told before anything is written
    load_avatar_heads(heads, load_face_model(shapes), 16)
    for kind, count in counts.items():
        arguments = (kind, shapes, heads, skies, output)
        fill_folder(Path(output) / kind, FIELDS[kind], _work, arguments, count, seed, processes, report)


def _work(
    kind: str,
    shapes: str | Path,
    heads: str | Path,
    skies: str | Path,
    output: str | Path,
    count: int,
    seed: int,
    part: int,
    parts: int,
) -> None:
    cv2.setNumThreads(1)
    model, fits = load_face_model(shapes), TrainingSet(output).fitted_photos()
    layout = build_layout(model)
    family = load_avatar_heads(heads, model, 64)
    wardrobe = Wardrobe(
        AvatarRenderer(family, model, layout), family, load_avatar_people(heads, family, model), load_skies(skies)
    )
    people = family.people(held_out=kind in _HELD_OUT)
    shipped = ShippedNetworks() if kind in (EYE_PEOPLE, HELD_OUT_EYES, EYE_PHOTOS) else None
    photos = Renderer(model, layout)
    labels = PhotoParts(photos, fits) if kind in (PHOTOS, RELIT) else None
    arrays = {name: np.lib.format.open_memmap(Path(output) / kind / f"{name}.npy", "r+") for name in FIELDS[kind]}
    for index in range(part, count, parts):
        rng = np.random.default_rng([seed, _NUMBERS[kind], index])
        if shipped and kind == EYE_PHOTOS:
            sample = eye_photo(photos, fits, index % len(fits.paths), shipped, rng)
        elif shipped:
            sample = eye_scene(wardrobe, people, background(fits, rng, LARGE), shipped, rng)
        elif kind in (POSED, HELD_OUT_POSED):
            sample = posed_person(wardrobe, people, background(fits, rng, CROP), rng)
        elif labels is None:
            sample = person_scene(wardrobe, people, background(fits, rng), rng)
        elif kind == RELIT:
            sample = relit_photo(labels, len(fits.paths), model.triangles, wardrobe.skies, rng)
        else:
            fit = labels.crop(int(rng.integers(len(fits.paths))), rng)
            sample = photo_scene(
                wardrobe,
                fit["rgb"],
                fit["part"],
                fit["head"],
                model.triangles,
                LANDMARKS,
                fit["view"],
                fit["window"],
                rng,
            )
        for name, array in arrays.items():
            array[index] = sample[name]


def background(fits: FittedPhotos, rng: np.random.Generator, size: int = SIZE) -> np.ndarray:
    """(S, S, 3) uint8: a plain color, or the upper corner or all of a photo out of focus."""
    if rng.random() < 0.25:
        color = np.clip(rng.uniform(0, 255) + rng.normal(0, 20, 3), 0, 255)
        slope = np.linspace(-1, 1, size)[:, None, None] * rng.normal(0, 25)
        return np.clip(color + slope + np.zeros((size, size, 1)), 0, 255).astype(np.uint8)
    photo = read_picture(fits.paths[rng.integers(len(fits.paths))], cv2.IMREAD_COLOR)[..., ::-1]
    sharp = rng.random() < 0.4
    if sharp:  # beside the head
        height, width = photo.shape[:2]
        photo = photo[: height // 3, : width // 4] if rng.random() < 0.5 else photo[: height // 3, -width // 4 :]
    picture = cv2.resize(np.ascontiguousarray(photo), (size, size), interpolation=cv2.INTER_LINEAR)
    if not sharp:
        picture = cv2.GaussianBlur(np.roll(picture, rng.integers(size), 1), (0, 0), rng.uniform(8, 30))
    return picture
