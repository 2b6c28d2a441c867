# SPDX-License-Identifier: GPL-3.0-or-later
"""Figure 4: the position map's base mesh under several lights, with its own normals and with the estimated ones."""

from typing import TYPE_CHECKING

from hffne.evaluation.contact_sheet import LIGHTS, Row, normal_picture, shaded_picture
from hffne.figures.face import crop_picture, turned_view

if TYPE_CHECKING:
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine

YAWS = (0, 35)  # degrees by which the mesh is turned
ALL_LIGHTS = (*LIGHTS, (0.0, 0.9, 0.35))


def rows(engine: "Engine", photo: "Photo", face: "Face", label: str, merged: bool = True) -> list[Row]:
    """One row per yaw: photo, estimated normals, and the base mesh under each light, without and with these normals.

    merged: False takes the fine network's normals, the paper's N.
    """
    estimate = engine.normals(photo, face, merged=merged)
    textures = engine.build(photo, estimate, texture_size=512).textures
    rows: list[Row] = []
    for yaw in YAWS:
        base, detailed, mask = turned_view(estimate, textures, yaw)
        tiles = [("photo", crop_picture(photo, estimate)), ("normal", normal_picture(detailed, mask))]
        for kind, normal in (("base", base), ("ours", detailed)):
            tiles += [
                (f"{kind}, light {number}", shaded_picture(normal, light, mask))
                for number, light in enumerate(ALL_LIGHTS, 1)
            ]
        rows.append((f"{label}  turned by {yaw} degrees" if yaw else label, tiles))
    return rows
