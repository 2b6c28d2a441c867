# SPDX-License-Identifier: GPL-3.0-or-later
"""A face that needs no network: a part of an ellipsoid whose normals are known by formula.

It has no symmetry, so that a flipped axis, a transposed matrix, a shifted texel or an inverted green channel change the
result. Numpy only.
"""

import numpy as np

from rotations import tilted

AXES = np.array([0.075, 0.095, 0.110])  # meters along Blender's x, y, z
YAW_SPAN, PITCH_SPAN = np.radians(150), np.radians(130)
CENTER, SCALE, SIZE = (131.0, 119.0), 900.0, 256
CROP = {"center_x": 300.5, "center_y": 260.25, "side": 320.0, "size": SIZE}
PHOTO_SIZE = (640, 512)


def rotation():
    """Object axes to camera axes (3, 3): a head with yaw, pitch and roll."""
    upright = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    return tilted(7, 2) @ tilted(-11, 0) @ tilted(24, 1) @ upright


def surface(u, v):
    """Points (..., 3) of the ellipsoid in object axes."""
    yaw, pitch = (u - 0.5) * YAW_SPAN, (v - 0.5) * PITCH_SPAN
    return np.stack([np.sin(yaw) * np.cos(pitch), -np.cos(yaw) * np.cos(pitch), np.sin(pitch)], -1) * AXES


def layout(points):
    """The inverse of `surface`: (u, v)."""
    unit = points / AXES
    pitch = np.arcsin(np.clip(unit[..., 2], -1, 1))
    yaw = np.arctan2(unit[..., 0], -unit[..., 1])
    return yaw / YAW_SPAN + 0.5, pitch / PITCH_SPAN + 0.5


def in_mask(u, v):
    return (u - 0.52) ** 2 + (v - 0.47) ** 2 < 0.46**2


def normals(points, ripple=0.3):
    """Object-space unit normals with wrinkles that the mesh does not have."""
    smooth = points / AXES**2
    smooth /= np.linalg.norm(smooth, axis=-1, keepdims=True)
    x, y, z = np.moveaxis(points, -1, 0)
    wave = np.stack([np.sin(220 * x + 90 * z), 0.5 * np.sin(170 * y - 60 * x), np.cos(260 * z + 40 * x) + 0.2], -1)
    result = smooth + ripple * wave
    return result / np.linalg.norm(result, axis=-1, keepdims=True)


def predicted(size, ripple=0.3):
    """The engine's exact result: camera-space normals (S, S, 3) on the crop, mask (S, S)."""
    step = (np.arange(size) + 0.5) / size * SIZE - 0.5
    col, row = np.meshgrid(step, step)
    turn = rotation()
    screen = np.stack([(col - CENTER[0]) / SCALE, -(row - CENTER[1]) / SCALE, np.zeros_like(col)], -1)
    start, direction = screen @ turn, turn[2] / AXES
    start_unit = start / AXES
    a = direction @ direction
    b = start_unit @ direction
    c = (start_unit**2).sum(-1) - 1
    root = b**2 - a * c
    points = start + ((-b + np.sqrt(np.maximum(root, 0))) / a)[..., None] * turn[2]
    mask = (root > 0) & in_mask(*layout(points))
    return normals(points, ripple) @ turn.T, mask


def maps(names, texture_size):
    """The further maps, by formula too: waves, so that none of them is flat or symmetric."""
    texel = (np.arange(texture_size) + 0.5) / texture_size
    u, v = np.meshgrid(texel, 1 - texel)
    points = surface(u, v)
    wave = (np.sin(31 * u + 4 * v) * np.cos(23 * v)).astype(np.float32)
    made = {}
    if "albedo" in names:
        made["albedo"] = np.stack([170 + 30 * wave, 120 + 20 * wave, 100 + 10 * u], -1).astype(np.uint8)
    if "height" in names:
        made["height"] = 0.0012 * wave
    if "curvature" in names:
        made["curvature"] = 200 * wave
    if "occlusion" in names:
        made["occlusion"] = (50000 + 9000 * wave).astype(np.uint16)
    if "roughness" in names:
        made["roughness"] = (120 + 30 * wave).astype(np.uint8)
    if "seen" in names:
        made["seen"] = (200 + 40 * wave).astype(np.uint8)
    if "bands" in names:
        made["normal_medium"] = normals(points[::2, ::2], 0.15).astype(np.float32)
        made["normal_coarse"] = normals(points[::4, ::4], 0.05).astype(np.float32)
    if "pores" in names:
        made["normal_pores"] = np.rint((normals(points, 0.4) * 0.5 + 0.5) * 65535).astype(np.uint16)
    if "relight" in names:
        normal, mask = predicted(128)
        made["photo_normal"] = normal.astype(np.float32)
        made["photo_mask"] = (mask * 255).astype(np.uint8)
        shade = np.clip(normal @ np.array([0.5, 0.3, 0.8]), 0.1, 1)[..., None]
        made["photo_albedo"] = np.broadcast_to(np.uint8([180, 140, 120]), (128, 128, 3)).copy()
        made["photo_color"] = (made["photo_albedo"] * shade).astype(np.uint8)
    return made


def landmarks():
    """68 UVs spread over the face, none of them a mirror image of another: (68, 2) float32."""
    turn = np.arange(68) * 2.399963
    radius = 0.4 * np.sqrt((np.arange(68) + 0.5) / 68)
    return np.stack([0.52 + radius * np.cos(turn), 0.47 + radius * np.sin(turn)], 1).astype(np.float32)


def answer(name="fake", texture_size=256, grid=48, color=True, names=()):
    """(message, arrays) in the shape of the engine's answer to "generate"; names: of the further maps."""
    step = (np.arange(grid) + 0.5) / grid
    u, v = np.meshgrid(step, 1 - step)
    mask = in_mask(u, v)
    index = np.full(mask.shape, -1)
    index[mask] = np.arange(mask.sum())
    corners = np.stack([index[1:, :-1], index[1:, 1:], index[:-1, 1:], index[:-1, :-1]], -1)
    quads = corners[(corners >= 0).all(-1)]
    vertices = surface(u, v)[mask]

    texel = (np.arange(texture_size) + 0.5) / texture_size
    texel_u, texel_v = np.meshgrid(texel, 1 - texel)
    points = surface(texel_u, texel_v)
    arrays = {
        "vertices": vertices.astype(np.float32),
        "uvs": np.stack([u, v], -1)[mask][quads].astype(np.float32),
        "quads": quads.astype(np.int32),
        "region_weights": np.stack([vertices[:, 2] > 0.03, vertices[:, 2] < -0.03]).astype(np.float32),
        "normal": np.rint((normals(points) * 0.5 + 0.5) * 65535).astype(np.uint16),
        "confidence": np.full((texture_size, texture_size), 65535, np.uint16),
        **maps(names, texture_size),
        "landmarks": landmarks(),
    }
    if color:
        checks = (np.floor(texel_u * 8) + np.floor(texel_v * 8)) % 2
        shade = np.stack([150 + 80 * checks, 120 + 0 * checks, 60 + 150 * texel_v], -1)
        arrays["color"] = shade.astype(np.uint8)
    message = {
        "type": "result",
        "name": name,
        "faces": 1,
        "face": 0,
        "box": [200, 150, 200, 220],
        "photo_size": list(PHOTO_SIZE),
        "texture_size": texture_size,
        "units": "m",
        "camera": {
            "rotation": rotation().tolist(),
            "scale": SCALE,
            "center": list(CENTER),
            "crop": CROP,
            "photo_size": list(PHOTO_SIZE),
        },
        "regions": ["forehead", "jaw"],
        "notices": [],
    }
    return message, arrays
