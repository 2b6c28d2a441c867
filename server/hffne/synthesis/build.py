# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the training set: fits of the photos, textures, rendered buffers and photo buffers, as .npy files.

Every sample has its own random generator (seed, index), so the result does not depend on the number of processes.
"""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from hffne.errors import NoPhotosError
from hffne.geometry.grids import blur
from hffne.geometry.vectors import normalize
from hffne.output import write_files
from hffne.photo.formats import FORMAT_NAMES
from hffne.photo.load import find_photos
from hffne.photo.pictures import read_picture
from hffne.synthesis.array_folder import Field
from hffne.synthesis.face_model import load_face_model
from hffne.synthesis.face_profiling import profiled_photo, random_profile_turn
from hffne.synthesis.fit import MEDIAPIPE_68, FittedPhotos, detect_landmarks, fit_photos, label_offsets
from hffne.synthesis.landmark_mesh import mesh_normals
from hffne.synthesis.landmark_residuals import LandmarkResiduals
from hffne.synthesis.photo_split import sound_fits, training_photos
from hffne.synthesis.refine import refine
from hffne.synthesis.render import SIZE, HeadView, Renderer, Window, canonical_window, project, to_crop
from hffne.synthesis.sampling import jittered, rendered_sample
from hffne.synthesis.textures import TextureLifter
from hffne.synthesis.training_set import FITS, TrainingSet
from hffne.synthesis.uv_layout import CENTER, build_layout, write_template
from hffne.synthesis.uv_layout import SIZE as U

# The share of the difference between the landmark mesh's normals and a fit's that is added in the low band (sigma in
# pixels). Chosen, like the fits' weights, by how much of the photos' light the normals explain (163 photos; R2, and in
# the band of 3 to 16 px): 0 0.651 (0.572), 0.2 0.653 (0.575), 0.3 0.653 (0.576), 0.5 0.653 (0.574), 1 0.644 (0.558).
MESH_SHARE, MESH_SIGMA = 0.3, 6.0

FIELDS: dict[str, Field] = {
    "normal": ((SIZE, SIZE, 3), np.int8),
    "uv": ((SIZE, SIZE, 2), np.float16),
    "kind": ((SIZE, SIZE), np.uint8),
    "sun": ((SIZE, SIZE), np.uint8),
    "sky": ((SIZE, SIZE), np.uint8),
    "position": ((U, U, 3), np.float16),
    "suns": ((2, 3), np.float32),
    "up": ((3,), np.float32),
}
PHOTO_FIELDS: dict[str, Field] = {name: FIELDS[name] for name in ("normal", "kind", "position", "up")} | {
    "gray": ((SIZE, SIZE), np.uint8)
}


def build(
    shapes: str | Path,
    photos: str | Path,
    output: str | Path,
    renders: int = 8000,
    crops: int = 2,
    turns: int = 2,
    seed: int = 0,
    processes: int = 1,
    report: Callable[[str], object] = print,
) -> None:
    """Write the training set to `output`. Finished parts are kept, so that an interrupted build can be continued.

    shapes: folder of ict_facekit.npz; photos: folder; renders: how many; crops, turns: how many of each photo, as it is
    and with the head turned aside (`face_profiling`). Raises HffneError.
    """
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    model = load_face_model(shapes)
    paths = training_photos(find_photos(photos))
    if not paths:
        raise NoPhotosError(f"'{photos}' holds no photos.", hint=f"Photos can be {FORMAT_NAMES}.")
    if not (output / FITS).exists():
        landmarks, found = detect_landmarks(paths, report)
        fits = fit_photos(model, landmarks, report)
        # The engine ships this file as geometry/uv_template.npz.
        offsets = label_offsets(model, fits, landmarks[:, MEDIAPIPE_68, :2])
        fitted = sound_fits(FittedPhotos(**vars(fits), paths=[str(paths[i]) for i in found], landmarks=landmarks))
        places = LandmarkResiduals(Renderer(model, build_layout(model)), fitted).texels[MEDIAPIPE_68]
        write_template(model, output / "uv_template.npz", offsets, measured=places)
        refined = vars(refine(model, fitted, report))
        write_files({output / FITS: lambda file: np.savez(file, **refined)})
    counts = {"textures": (1,), "renders": (renders,), "photos": (crops, turns)}
    for kind, amount in counts.items():
        folder = output / kind
        if (folder / "done").exists():
            continue
        folder.mkdir(exist_ok=True)
        arguments = [(kind, shapes, output, amount, seed, part, processes) for part in range(processes)]
        total = _create_arrays(kind, folder, amount, TrainingSet(output).fitted_photos())
        report(f"{kind}: {total}")
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            pool.starmap(_work, arguments)
        (folder / "done").touch()


def _create_arrays(kind: str, folder: Path, amount: tuple[int, ...], fits: FittedPhotos) -> int:
    """Create the empty arrays of a part of the set; returns the number of samples.

    kind: "textures", "renders" or "photos"; amount: the number of renders, or the numbers of samples per photo.
    """
    fields: dict[str, Field]
    if kind == "textures":
        from hffne.synthesis.textures import SIZE as T

        count, fields = len(fits.paths), {"gray": ((T, T), np.uint8)}
    elif kind == "renders":
        count, fields = amount[0], FIELDS
    else:
        count, fields = sum(amount) * len(fits.paths), PHOTO_FIELDS
    for name, (shape, dtype) in fields.items():
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, (count, *shape))
    return count


def _work(
    kind: str, shapes: str | Path, output: Path, amount: tuple[int, ...], seed: int, part: int, parts: int
) -> None:
    """Make every `parts`th sample of a part of the set, from number `part` on, in a process of its own."""
    cv2.setNumThreads(1)
    model, fits = load_face_model(shapes), TrainingSet(output).fitted_photos()
    arrays = {p.stem: np.lib.format.open_memmap(p, "r+") for p in (output / kind).glob("*.npy")}
    count = len(next(iter(arrays.values())))
    if kind == "textures":
        lifter = TextureLifter(model)
    else:
        renderer = Renderer(model, build_layout(model))
    residuals = LandmarkResiduals(renderer, fits) if kind == "photos" else None
    for index in range(part, count, parts):
        rng = np.random.default_rng([seed, {"textures": 0, "renders": 1, "photos": 2}[kind], index])
        if kind == "textures":
            gray = read_picture(fits.paths[index])
            sample = {
                "gray": lifter.lift(
                    gray,
                    fits.identity[index],
                    fits.expression[index],
                    fits.rotation[index],
                    fits.scale[index],
                    fits.translation[index],
                )
            }
        elif kind == "renders":
            sample = rendered_sample(renderer, fits, rng)
        else:
            make_sample = photo_sample if index < amount[0] * len(fits.paths) else profile_sample
            sample = make_sample(renderer, fits, index % len(fits.paths), rng, residuals)
        for name, value in sample.items():
            if name in arrays:
                arrays[name][index] = value


def photo_sample(
    renderer: Renderer,
    fits: FittedPhotos,
    index: int,
    rng: np.random.Generator,
    residuals: LandmarkResiduals | None = None,
) -> dict[str, np.ndarray]:
    """A real photo's jittered crop with the buffers of its fit.

    residuals: what the position map shows of the person beyond the fit; None for the fit alone.
    """
    rotation, scale, shape, origin, gray = fitted(renderer, fits, index)
    view = HeadView(rotation, None)
    window = jittered(rng, canonical_window(project(renderer.layout.sample(shape), view), renderer.layout.mask))
    buffers = renderer.buffers(shape, view, window, occlusion_rays=0)
    unit, corner = _crop_frame(origin, scale, window)
    points = fits.landmarks[index] * [1, 1, -1]  # toward the viewer
    mesh, area = mesh_normals((points - [*corner, 0]) / unit, SIZE)
    normal = _joined(buffers["normal"].astype(np.float32) / 127, mesh, area)
    return buffers | {
        "normal": np.round(normal * 127).astype(np.int8),
        "up": rotation[:, 1],
        "gray": crop_photo(gray, origin, scale, window),
        "position": _position(renderer, shape, view, window, residuals, index),
    }


def _joined(fit: np.ndarray, mesh: np.ndarray, area: np.ndarray) -> np.ndarray:
    """A fit's normals (S, S, 3), moved by MESH_SHARE toward the mesh's in the low band, where both are known."""
    both = area & fit.any(2)
    broad = blur(mesh - fit, MESH_SIGMA, both)
    return np.where(fit.any(2, keepdims=True), normalize(fit + MESH_SHARE * both[..., None] * broad), 0)


def profile_sample(
    renderer: Renderer,
    fits: FittedPhotos,
    index: int,
    rng: np.random.Generator,
    residuals: LandmarkResiduals | None = None,
) -> dict[str, np.ndarray]:
    """The same as `photo_sample` with the head turned aside."""
    rotation, scale, shape, origin, gray = fitted(renderer, fits, index)
    turn = random_profile_turn(rng, rotation)
    view = HeadView(turn @ rotation, None)
    window = jittered(rng, canonical_window(project(renderer.layout.sample(shape), view), renderer.layout.mask))
    other = read_picture(fits.paths[rng.integers(len(fits.paths))])
    background = cv2.GaussianBlur(cv2.resize(other[: len(other) // 3], (SIZE, SIZE)), (0, 0), rng.uniform(1, 6))
    picture = profiled_photo(
        gray, shape @ rotation.T, renderer.model.triangles, origin, scale, turn, window, window.side, background
    )
    buffers = renderer.buffers(shape, view, window, occlusion_rays=0)
    position = _position(renderer, shape, view, window, residuals, index, turn)
    return buffers | {"gray": picture, "up": view.rotation[:, 1], "position": position}


def _position(
    renderer: Renderer,
    shape: np.ndarray,
    view: HeadView,
    window: Window,
    residuals: LandmarkResiduals | None,
    index: int,
    turn: np.ndarray | None = None,
) -> np.ndarray:
    """A photo's position map (U, U, 3) float16 in crop pixels; turn (3, 3): by which its head was turned aside."""
    points = project(renderer.layout.sample(shape), view)
    if residuals is not None:
        moved = residuals.displacement(index)
        points = points + (moved if turn is None else moved @ turn.T)
    return to_crop(points, window).astype(np.float16)


def fitted(
    renderer: Renderer, fits: FittedPhotos, index: int
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray, np.ndarray]:
    """A photo's fit: rotation (3, 3), pixels per cm, head (V, 3), the photo's pixel of its center, gray (H, W)."""
    rotation, scale = fits.rotation[index].astype(np.float32), float(fits.scale[index])
    shape = renderer.shape(fits.identity[index], fits.expression[index])
    origin = fits.translation[index] + scale * (rotation @ CENTER)[:2] * [1, -1]
    return rotation, scale, shape, origin, read_picture(fits.paths[index])


def _crop_frame(origin: np.ndarray, scale: float, window: Window) -> tuple[float, np.ndarray]:
    """Photo pixels per crop pixel, and the photo's pixel (2,) of the crop's first pixel."""
    unit = window.side * scale / SIZE
    return unit, (origin + np.array([window.x, -window.y]) * scale - window.side * scale / 2 + 0.5 * unit)


def crop_photo(gray: np.ndarray, origin: np.ndarray, scale: float, window: Window) -> np.ndarray:
    """The window (cm around `origin` px at `scale` px per cm) of a gray photo, (S, S) uint8."""
    unit, (left, top) = _crop_frame(origin, scale, window)
    if unit > 1.5:
        gray = cv2.GaussianBlur(gray, (0, 0), unit * 0.4)
    matrix = np.array([[unit, 0, left], [0, unit, top]], np.float32)
    return cv2.warpAffine(
        gray, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
