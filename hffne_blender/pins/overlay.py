# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn over a viewport while pins are edited: the photo, the face's outline and landmarks, and the pins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ..numeric.received_face import PhotoCamera
from ..scene import built_shape, camera, photo_source
from ..scene.access import mesh_of
from . import photo_region, stored
from .pinned_face import PinnedFace
from .stored import Pin

# Colors (RGBA): of the outline, of the landmarks and their lines, of a pin, its rim and its mirror image.
OUTLINE, MARK, PIN = (0.35, 0.85, 1.0, 0.9), (0.35, 0.85, 1.0, 0.65), (1.0, 0.55, 0.1, 1.0)
RIM, MIRRORED = (0.0, 0.0, 0.0, 0.8), (1.0, 0.55, 0.1, 0.4)
# Of the points that pins over other photos hold.
ELSEWHERE = (0.75, 0.75, 0.75, 0.7)
# Radii in pixels at the interface's usual size.
PIN_RADIUS, MARK_RADIUS = 5.0, 2.0
# The landmarks' lines: chin, brows, nose, eyes, lips; iBUG order, closed or not.
LINES = ((range(17), False), (range(17, 22), False), (range(22, 27), False), (range(27, 31), False),
         (range(31, 36), False), (range(36, 42), True), (range(42, 48), True), (range(48, 60), True),
         (range(60, 68), True))  # fmt: skip


@dataclass
class _State:
    """What the file does not hold: the parts of a face's photos, and the pins being dragged with the object's name."""

    photos: dict[tuple[object, ...], tuple[tuple[float, float, float], np.ndarray]]
    textures: dict[tuple[object, ...], Any]
    dragged: tuple[str, Sequence[Pin]] | None = None
    known: tuple[object, PinnedFace] | None = None


_state = _State({}, {})


def square_of(seen_by: PhotoCamera) -> tuple[float, float, float]:
    """The square of the photo that is shown: center x and y and side, in its pixels."""
    crop = seen_by["crop"]
    return crop["center_x"], crop["center_y"], 1.5 * crop["side"]


def set_photo(obj: bpy.types.Object, square: tuple[float, float, float], picture: np.ndarray) -> None:
    """Keep the shown photo of a face: its square (`square_of`) and pixels (W, W, 3) uint8 sRGB, row 0 at the top."""
    # Those of one face are enough, and the textures take memory of the graphics card.
    for kept in (_state.photos, _state.textures):
        for other in [other for other in kept if other[:-1] != _key(obj)[:-1]]:
            del kept[other]
    _state.photos[_key(obj)] = square, picture
    _state.textures.pop(_key(obj), None)


def has_photo(obj: bpy.types.Object) -> bool:
    """Whether the photo of a face that is shown is known in this session."""
    return _key(obj) in _state.photos


def _key(obj: bpy.types.Object) -> tuple[object, ...]:
    """What says which face of which file this is, and which of its photos is shown."""
    return obj.name, obj.get(photo_source.PATH), obj.get(camera.PROPERTY), camera.shown(obj)["photo"]


def set_dragged(name: str, pins: Sequence[Pin] | None) -> None:
    """Draw these pins instead of the stored ones of the face `name`; None: the stored ones again."""
    _state.dragged = None if pins is None else (name, pins)


def face_of(obj: bpy.types.Object) -> PinnedFace:
    """The face with its pins as they are stored; kept until they change."""
    key = (_key(obj), obj.get(stored.PROPERTY), len(mesh_of(obj).vertices))
    if _state.known is None or _state.known[0] != key:
        _state.known = key, PinnedFace(obj)
    return _state.known[1]


def draw(context: bpy.types.Context, obj: bpy.types.Object, opacity: float) -> None:
    """Draw over the viewport of a context; nothing where it does not look through the face's photo camera."""
    region = photo_region.of_context(context, obj)
    if region is None or context.preferences is None:
        return
    scale = context.preferences.system.ui_scale or 1.0
    face, points = face_of(obj), built_shape.points(obj)
    dragged = _state.dragged
    pins = dragged[1] if dragged is not None and dragged[0] == obj.name else face.pins
    gpu.state.blend_set("ALPHA")
    if has_photo(obj) and opacity > 0:
        _draw_photo(_key(obj), region, opacity)
    flat = region.of_points(points)
    edges = face.outline(points)
    _lines(flat[edges.ravel()], OUTLINE, 1.2 * scale)
    marks = region.of_points(face.landmarks(points))
    if len(marks):
        for index, closed in LINES:
            line = marks[list(index)]
            follower = np.roll(line, -1, axis=0)
            pairs = np.stack([line, follower], axis=1)
            _lines((pairs if closed else pairs[:-1]).reshape(-1, 2), MARK, scale)
        _discs(marks, MARK_RADIUS * scale, MARK)
    mirrored = [pin.point(points) * (-1, 1, 1) for pin in pins if pin.mirrored]
    if mirrored:
        _discs(region.of_points(np.array(mirrored)), PIN_RADIUS * scale, MIRRORED)
    here = [pin for pin in pins if pin.photo == face.camera["photo"]]
    elsewhere = [pin.point(points) for pin in pins if pin.photo != face.camera["photo"]]
    if elsewhere:
        _discs(region.of_points(np.array(elsewhere)), PIN_RADIUS * scale, ELSEWHERE)
    places = region.of_photo(np.array([pin.at for pin in here]).reshape(-1, 2))
    _discs(places, (PIN_RADIUS + 1.5) * scale, RIM)
    _discs(places, PIN_RADIUS * scale, PIN)
    gpu.state.blend_set("NONE")


def _draw_photo(key: tuple[object, ...], region: photo_region.PhotoRegion, opacity: float) -> None:
    (x, y, side), picture = _state.photos[key]
    if key not in _state.textures:
        _state.textures[key] = _texture(picture)
    low = np.array([x, y]) - side / 2
    # Beside the photo the square is black.
    left, top, right, bottom = np.clip([*low, *(low + side)], 0, [*region.camera["photo_size"]] * 2)
    corners = np.array([[left, bottom], [right, bottom], [right, top], [left, top]])
    shader = gpu.shader.from_builtin("IMAGE_COLOR")
    # Pixel centers are at integers; row 0 of the texture is at the bottom.
    across, down = ((corners - low) / side).T
    content = {
        "pos": _tuples(region.of_photo(corners - 0.5)),
        "texCoord": _tuples(np.stack([across, 1 - down], axis=1)),
    }
    batch = batch_for_shader(shader, "TRIS", content, indices=[(0, 1, 2), (0, 2, 3)])
    shader.bind()
    shader.uniform_sampler("image", _state.textures[key])
    shader.uniform_float("color", (1, 1, 1, opacity))
    batch.draw(shader)


def _texture(picture: np.ndarray) -> Any:
    """A texture of pixels (W, W, 3) uint8 sRGB, row 0 at the top."""
    levels = np.arange(256) / 255
    if bpy.app.version < (5, 0, 0):
        # Until then the shader takes textures for linear and converts them.
        levels = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    size = len(picture)
    pixels = np.ones((size, size, 4), np.float32)
    pixels[..., :3] = levels.astype(np.float32)[picture[::-1]]
    # The stubs lack the arguments.
    types: Any = gpu.types
    buffer = types.Buffer("FLOAT", pixels.size, pixels.ravel())
    return types.GPUTexture((size, size), format="RGBA16F", data=buffer)


def _lines(places: np.ndarray, color: tuple[float, ...], width: float) -> None:
    """Lines between each two of places (2 N, 2)."""
    if not len(places):
        return
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    flat = np.zeros((len(places), 3), np.float32)
    flat[:, :2] = places
    content: Any = {"pos": flat}
    batch = batch_for_shader(shader, "LINES", content)
    shader.bind()
    state: Any = gpu.state
    shader.uniform_float("viewportSize", state.viewport_get()[2:])
    shader.uniform_float("lineWidth", width)
    shader.uniform_float("color", color)
    batch.draw(shader)


def _discs(centers: np.ndarray, radius: float, color: tuple[float, ...], sides: int = 16) -> None:
    if not len(centers):
        return
    angle = np.arange(sides + 1) * 2 * np.pi / sides
    rim = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius
    wedges = np.stack([np.zeros((sides, 2)), rim[:-1], rim[1:]], axis=1)
    places = (centers[:, None, None] + wedges).reshape(-1, 2)
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    batch = batch_for_shader(shader, "TRIS", {"pos": _tuples(places)})
    shader.bind()
    shader.uniform_float("color", color)
    batch.draw(shader)


def _tuples(places: np.ndarray) -> Any:
    return np.ascontiguousarray(places, np.float32)
