# SPDX-License-Identifier: GPL-3.0-or-later
"""Figure 4: the position map's base mesh under several lights, with its own normals and with the estimated ones."""

from hffne.evaluation.contact_sheet import LIGHTS, normal_picture, shaded_picture
from hffne.figures.face import crop_picture, turned_view

VIEWS = (0, 35)  # degrees that the mesh is turned by
ALL_LIGHTS = (*LIGHTS, (0.0, 0.9, 0.35))


def rows(engine, photo, face, label):
    """A row a view: the photo, the estimated normals, the base mesh under each light, and with those normals."""
    estimate = engine.normals(photo, face)
    textures = engine.build(photo, estimate, texture_size=512).textures
    made = []
    for yaw in VIEWS:
        base, detailed, mask = turned_view(estimate, textures, yaw)
        tiles = [("photo", crop_picture(photo, estimate)), ("normal", normal_picture(detailed, mask))]
        for kind, normal in (("base", base), ("ours", detailed)):
            tiles += [
                (f"{kind}, light {number}", shaded_picture(normal, light, mask))
                for number, light in enumerate(ALL_LIGHTS, 1)
            ]
        made.append((f"{label}  turned by {yaw} degrees" if yaw else label, tiles))
    return made
