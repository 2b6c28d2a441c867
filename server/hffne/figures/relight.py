# SPDX-License-Identifier: GPL-3.0-or-later
"""Figure 7: the face under a target light, by the estimated normals and an albedo (Lambertian reflectance).

The albedo is the data set's (ICT-3DRFE), or for any other photo its own colors with the light divided out.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from hffne.evaluation.contact_sheet import Row, error_picture, normal_picture
from hffne.evaluation.metrics import angles
from hffne.geometry.vectors import normalize
from hffne.maps.registry import make_maps
from hffne.photo.colors import to_linear, to_srgb

if TYPE_CHECKING:
    from hffne.datasets.ict3drfe import Ict3drfeFace
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine

AMBIENT = 0.12


def lambertian(normal: np.ndarray, light: Sequence[float]) -> np.ndarray:
    """Linear light (H, W) reflected by a matte white surface with normals (H, W, 3).

    light: toward a distant source, of any length.
    """
    direction = np.asarray(light, np.float32)
    return AMBIENT + (1 - AMBIENT) * np.clip(normal @ (direction / np.linalg.norm(direction)), 0, None)


def relit(albedo: np.ndarray, normal: np.ndarray, light: Sequence[float], mask: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB: albedo (H, W, 3) uint8 sRGB under the light; black outside of mask (H, W) 0..1."""
    return to_srgb(to_linear(albedo) * (lambertian(normal, light) * mask)[..., None])


def rows(
    engine: "Engine", photo: "Photo", face: "Face", label: str, lights: Sequence[Sequence[float]], merged: bool = True
) -> list[Row]:
    """One row for a photo: photo, normal, albedo, then shading and relighting under each light (x, y, z).

    merged: False takes the fine network's normals, the paper's N.
    """
    estimate = engine.delit(photo, engine.normals(photo, face, merged=merged))
    textures = engine.build(photo, estimate, texture_size=512).textures
    parts = make_maps({"relight"}, photo, estimate, textures)
    albedo, size = parts["photo_albedo"], parts["photo_albedo"].shape[0]
    normal = normalize(cv2.resize(parts["photo_normal"], (size, size), interpolation=cv2.INTER_CUBIC))
    mask = cv2.resize(parts["photo_mask"], (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
    shown = np.round(albedo * mask[..., None]).astype(np.uint8)
    tiles = [("photo", parts["photo_color"]), ("normal", normal_picture(normal, mask > 0.5)), ("albedo", shown)]
    return [(label, tiles + _under(lights, albedo, normal, mask))]


def dataset_rows(
    engine: "Engine",
    photo: "Photo",
    face: "Face",
    item: "Ict3drfeFace",
    lights: Sequence[Sequence[float]],
    merged: bool = True,
) -> list[Row]:
    """Two rows for a face of ICT-3DRFE: with our normals (merged: as for `rows`), and with its own."""
    _, albedo, ground_truth, mask = item.read()
    normal, _, _ = engine.normals(photo, face, merged=merged).on_photo(mask.shape)
    error = error_picture(angles(normal, ground_truth), mask)
    soft = mask.astype(np.float32)
    rows: list[Row] = []
    for kind, shown in (("ours", normal), ("ground truth", ground_truth)):
        tiles = [("photo", photo.rgb), ("normal", normal_picture(shown, mask)), ("albedo", albedo)]
        tiles += _under(lights, albedo, shown, soft)
        if kind == "ours":
            tiles.append(("error 0-40 deg", error))
        rows.append((f"{item.name}  {kind}", tiles))
    return rows


def _under(
    lights: Sequence[Sequence[float]], albedo: np.ndarray, normal: np.ndarray, mask: np.ndarray
) -> list[tuple[str, np.ndarray]]:
    """Tiles of shading and relighting under each light."""
    white = np.full_like(albedo, 255)
    tiles = []
    for number, light in enumerate(lights, 1):
        tiles += [
            (f"shading {number}", relit(white, normal, light, mask)),
            (f"relit {number}", relit(albedo, normal, light, mask)),
        ]
    return tiles
