# SPDX-License-Identifier: GPL-3.0-or-later
"""Figure 7: the face under a target light, by the estimated normals and an albedo (Lambertian reflectance).

The albedo is the data set's (ICT-3DRFE), or for any other photo its own colors with its light divided out.
"""

import cv2
import numpy as np

from hffne.evaluation.contact_sheet import error_picture, normal_picture
from hffne.evaluation.metrics import angles
from hffne.geometry.vectors import normalize
from hffne.maps.lighting import to_linear, to_srgb
from hffne.maps.registry import make_maps

AMBIENT = 0.12


def lambertian(normal, light):
    """Linear light (H, W) that a matte surface returns: normals (H, W, 3), light toward a distant source, any length."""
    light = np.asarray(light, np.float32)
    return AMBIENT + (1 - AMBIENT) * np.clip(normal @ (light / np.linalg.norm(light)), 0, None)


def relit(albedo, normal, light, mask):
    """(H, W, 3) uint8 sRGB: albedo (H, W, 3) uint8 sRGB under the light; black outside of mask (H, W) 0..1."""
    return to_srgb(to_linear(albedo) * (lambertian(normal, light) * mask)[..., None])


def rows(engine, photo, face, label, lights):
    """One row of a photo: photo, normal, albedo, then shading and relighting under each light (x, y, z)."""
    estimate = engine.normals(photo, face)
    textures = engine.build(photo, estimate, texture_size=512).textures
    parts = make_maps({"relight"}, photo, estimate, textures)
    albedo, size = parts["photo_albedo"], parts["photo_albedo"].shape[0]
    normal = normalize(cv2.resize(parts["photo_normal"], (size, size), interpolation=cv2.INTER_CUBIC))
    mask = cv2.resize(parts["photo_mask"], (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
    shown = np.round(albedo * mask[..., None]).astype(np.uint8)
    tiles = [("photo", parts["photo_color"]), ("normal", normal_picture(normal, mask > 0.5)), ("albedo", shown)]
    return [(label, tiles + _under(lights, albedo, normal, mask))]


def dataset_rows(engine, photo, face, item, lights):
    """Two rows of a face of ICT-3DRFE (datasets.ict3drfe.Item): by our normals, and by its own."""
    _, albedo, truth, mask = item.read()
    normal, _, _ = engine.normals(photo, face).on_photo(mask.shape)
    error = error_picture(angles(normal, truth), mask)
    soft = mask.astype(np.float32)
    made = []
    for kind, seen in (("ours", normal), ("truth", truth)):
        tiles = [("photo", photo.rgb), ("normal", normal_picture(seen, mask)), ("albedo", albedo)]
        tiles += _under(lights, albedo, seen, soft)
        made.append((f"{item.name}  {kind}", tiles + ([("error 0-40 deg", error)] if kind == "ours" else [])))
    return made


def _under(lights, albedo, normal, mask):
    white = np.full_like(albedo, 255)
    tiles = []
    for number, light in enumerate(lights, 1):
        tiles += [
            (f"shading {number}", relit(white, normal, light, mask)),
            (f"relit {number}", relit(albedo, normal, light, mask)),
        ]
    return tiles
