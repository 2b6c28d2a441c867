# SPDX-License-Identifier: GPL-3.0-or-later
"""A head that needs no network: the skin of `fake_face` with two eyeballs and teeth, a neutral shape and shape keys.

Posed, its skin is exactly that of `fake_face`, whose normals are known by formula. The other parts have UVs of their
own that lie over the skin's, and triangles at their poles. Numpy only.
"""

import numpy as np

import fake_face

PARTS = ("Skin", "Eye Left", "Eye Right", "Teeth")
# As a real head has them; the eyeballs then have an iris of its own inside.
ALL_PARTS = (
    *PARTS, "Iris Left", "Iris Right", "Mouth", "Gums and Tongue", "Tear Line", "Eye Blend", "Eye Occlusion", "Lashes",
)  # fmt: skip
KEYS = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")
# Meters: where the eyeballs and the teeth are, and their radii.
PLACES = (((0.03, -0.08, 0.03), 0.012), ((-0.03, -0.08, 0.03), 0.012), ((0.004, -0.07, -0.05), 0.015))
IRIS, IRIS_RADIUS = [0.36, 0.25, 0.16], 0.006
# Of the parts that only ALL_PARTS has.
MORE_PLACES = tuple(
    (center, 0.01)
    for center in (
        (0.03, -0.079, 0.03), (-0.03, -0.079, 0.03), (0, -0.03, -0.05), (0.02, -0.03, -0.05),
        (0.05, -0.03, 0.0), (0.05, -0.03, 0.02), (0.0, -0.03, 0.02), (-0.05, -0.03, 0.0),
    )
)  # fmt: skip


def smile(points):
    """The photo's expression: how far (V, 3) each point of the posed shape lies from the neutral one."""
    width = np.exp(-((points[:, 2] + 0.05) ** 2 + 0.3 * points[:, 0] ** 2) / 0.0008)[:, None]
    return width * np.stack([0.12 * points[:, 0], np.full(len(points), -0.002), np.full(len(points), 0.004)], 1)


def ball(center, radius, rows=6, columns=8):
    """(points, quads with -1 for triangles, UVs of the corners (Q, 4, 2)) of a sphere; poles along -Y and Y."""
    lift, turn = np.pi * np.arange(1, rows) / rows, 2 * np.pi * np.arange(columns) / columns
    ring = np.stack(
        [
            np.outer(np.sin(lift), np.cos(turn)),
            np.repeat(-np.cos(lift)[:, None], columns, 1),
            np.outer(np.sin(lift), np.sin(turn)),
        ],
        -1,
    ).reshape(-1, 3)
    points = np.concatenate([ring, [[0, -1, 0], [0, 1, 0]]]) * radius + center
    first, last = len(ring), len(ring) + 1
    quads, uvs = [], []
    for column in range(columns):
        after = (column + 1) % columns
        left, right = column / columns, (column + 1) / columns
        quads.append([first, column, after, -1])
        uvs.append([[left, 1], [left, 1 - 1 / rows], [right, 1 - 1 / rows], [0, 0]])
        for row in range(rows - 2):
            top, bottom = 1 - (row + 1) / rows, 1 - (row + 2) / rows
            near, far = row * columns, (row + 1) * columns
            quads.append([near + column, far + column, far + after, near + after])
            uvs.append([[left, top], [left, bottom], [right, bottom], [right, top]])
        near = (rows - 2) * columns
        quads.append([near + column, last, near + after, -1])
        uvs.append([[left, 1 / rows], [left, 0], [right, 1 / rows], [0, 0]])
    return points, np.array(quads), np.array(uvs)


def answer(name="fake", texture_size=256, grid=48, color=True, names=(), parts_wanted=PARTS):
    """(message, arrays) in the shape of the engine's answer to "generate" with the base "head"."""
    message, arrays = fake_face.answer(name, texture_size, grid, color, names)
    points, quads, uvs = [arrays["vertices"]], [arrays["quads"]], [arrays["uvs"]]
    parts = [np.zeros(len(arrays["quads"]))]
    for part, (center, radius) in enumerate((*PLACES, *MORE_PLACES)[: len(parts_wanted) - 1], 1):
        own, corners, layout = ball(np.array(center), radius)
        quads.append(np.where(corners < 0, -1, corners + sum(map(len, points))))
        points.append(own)
        uvs.append(layout)
        parts.append(np.full(len(corners), part))
    posed = np.concatenate(points).astype(np.float32)
    skin = len(arrays["vertices"])
    weights = arrays["region_weights"]
    neutral = (posed - smile(posed)).astype(np.float32)
    moves = (
        (neutral[:, 2] < -0.03, (0, 0.004, -0.02)),
        ((np.arange(len(posed)) < skin) & (neutral[:, 0] > 0.01) & (neutral[:, 2] > 0), (0.001, -0.002, -0.009)),
        ((np.arange(len(posed)) < skin) & (neutral[:, 0] < -0.01) & (neutral[:, 2] > 0), (-0.001, -0.002, -0.009)),
    )
    moved = [np.flatnonzero(where) for where, _ in moves]
    arrays |= {
        "vertices": posed,
        "quads": np.concatenate(quads).astype(np.int32),
        "uvs": np.concatenate(uvs).astype(np.float32),
        "region_weights": np.pad(weights, ((0, 0), (0, len(posed) - skin))),
        "neutral": neutral,
        "quad_parts": np.concatenate(parts).astype(np.uint8),
        "key_starts": np.cumsum([0, *map(len, moved)]).astype(np.int32),
        "key_vertices": np.concatenate(moved).astype(np.int32),
        "key_deltas": np.concatenate(
            [np.tile(delta, (len(at), 1)) for at, (_, delta) in zip(moved, moves, strict=True)]
        ).astype(np.float32),
    }
    eyes = {
        side: {"center": list(center), "radius": radius, "iris_radius": IRIS_RADIUS, "gaze": [0.0, -1.0, 0.0]}
        for side, (center, radius) in zip(("left", "right"), PLACES, strict=False)
    }
    message |= {"parts": list(parts_wanted), "keys": list(KEYS), "eyes": {"iris_color": IRIS, **eyes}}
    return message, arrays
