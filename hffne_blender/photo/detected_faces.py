# SPDX-License-Identifier: GPL-3.0-or-later
"""The faces that the engine has detected on the chosen photo, with a thumbnail of each for the panel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import bpy
import bpy.utils.previews
import numpy as np

# identifier, name, description, icon, number
Item = tuple[str, str, str, int, int]

THUMBNAIL = 128  # pixels
BOX_COLOR = (1.0, 0.75, 0.1)
# The crop around a face, in geometric means of its box's sides, and how many times larger than the fine network's
# crop it may be before a larger crop shows more (the engine's photo.crop and photo.detail_size).
_CROP_OVER_BOX, _ENOUGH = 1.45, 1.2
# The largest crop that the engine takes by itself, and without a GPU.
_LARGEST_DETAIL, _LARGEST_ON_CPU = 2048, 1024
# The panel's choice before the faces are known.
_LARGEST: list[Item] = [("1", "1", "The largest face", 0, 1)]


class ChosenPhoto(Protocol):
    """The properties of the panel's settings that say which photo is chosen."""

    source: str
    photo: str
    image: bpy.types.Image | None


class HFFNE_DetectedFace(bpy.types.PropertyGroup):
    """One detected face."""

    box: bpy.props.FloatVectorProperty(name="Box", description="x, y, width, height in the photo's pixels", size=4)
    score: bpy.props.FloatProperty(name="Score", description="Confidence of the detector, from 0 to 1")


@dataclass
class Detection:
    """What is known of the photo's faces besides `window_manager.hffne_faces`.

    photo    the key of the photo that they belong to, or None
    awaited  the key of the photo whose faces are looked for, or ""
    message  why there are none, or ""
    icons    the icon of each face, in order; 0 where the engine has sent no thumbnail
    overview the icon of the whole photo with the faces' boxes; 0 where the engine has sent no picture
    items    of the panel's choice; Blender needs them to stay alive
    previews Blender's collection of the thumbnails; None while the extension is disabled
    """

    photo: str | None = None
    awaited: str = ""
    message: str = ""
    icons: list[int] = field(default_factory=list)
    overview: int = 0
    items: list[Item] = field(default_factory=list)
    previews: Any = None


state = Detection()


def key(chosen: ChosenPhoto) -> str:
    """The key of what is chosen: the photo's path, or the open image; "" for nothing."""
    if chosen.source == "IMAGE":
        return image_key(chosen.image.name) if chosen.image is not None else ""
    return chosen.photo


def image_key(name: str) -> str:
    """The key of an open image."""
    return f"image {name}"


def clear(context: bpy.types.Context, of: str | None = None, message: str = "") -> None:
    """Forget the faces; `message` says why there are none on the photo with the key `of`."""
    state.photo, state.message, state.overview = of, message, 0
    manager: Any = context.window_manager
    manager.hffne_faces.clear()
    state.items.clear()
    state.icons.clear()
    if state.previews is not None:
        state.previews.clear()


def show(context: bpy.types.Context, of: str, answer: tuple[Mapping[str, Any], Mapping[str, np.ndarray]]) -> int:
    """Take the engine's answer (message, arrays) to `faces` for the photo with the key `of`; the number of faces."""
    reply, arrays = answer
    faces = reply["faces"]
    clear(context, of, "" if faces else "No face was found on this photo.")
    manager: Any = context.window_manager
    for number, face in enumerate(faces, 1):
        item = manager.hffne_faces.add()
        item.box, item.score = face["box"], face["score"]
        pictures = arrays.get("thumbnails")
        state.icons.append(
            _icon(str(number), pictures[number - 1] if pictures is not None and number <= len(pictures) else None)
        )
        text = "The largest face" if number == 1 else f"Face {number} of {len(faces)}, the largest first"
        state.items.append((str(number), str(number), text, 0, number))
    if faces and "overview" in arrays:
        boxes = [face["box"] for face in faces]
        state.overview = _icon("overview", with_boxes(arrays["overview"], reply["photo_size"], boxes))
    return len(faces)


def with_boxes(picture: np.ndarray, photo_size: Sequence[float], boxes: Iterable[Sequence[float]]) -> np.ndarray:
    """A photo's picture with the frames of the faces' boxes, transparent beside the photo: (P, P, 4) uint8.

    picture     (P, P, 3) uint8 sRGB: the whole photo in the middle
    photo_size  width and height in pixels
    boxes       x, y, width, height in the photo's pixels
    """
    side = len(picture)
    scale = side / max(photo_size)
    # The photo's upper left corner on the picture.
    corner = (side - np.array(photo_size, float) * scale) / 2
    framed = np.zeros((side, side, 4), np.uint8)
    left, top = np.ceil(corner).astype(int)
    whole = np.s_[top : side - top, left : side - left]
    framed[whole][..., :3], framed[whole][..., 3] = picture[whole], 255
    for x, y, width, height in boxes:
        left, top = np.clip(np.rint(corner + (x * scale, y * scale)), 0, side - 1).astype(int)
        right, bottom = np.clip(np.rint(corner + ((x + width) * scale, (y + height) * scale)), 1, side).astype(int)
        inside = framed[top + 1 : bottom - 1, left + 1 : right - 1].copy()
        framed[top:bottom, left:right] = np.rint(np.array([*BOX_COLOR, 1]) * 255)
        framed[top + 1 : bottom - 1, left + 1 : right - 1] = inside
    return framed


def of(context: bpy.types.Context) -> list[HFFNE_DetectedFace]:
    """The faces of the photo with the key `state.photo`, the largest first."""
    manager: Any = context.window_manager
    return list(manager.hffne_faces)


def useful_texture_size(width: float) -> int:
    """The side of the textures whose texels are about as large as the pixels of a face `width` pixels wide."""
    # The outer corners of the eyes are 0.65 of the face's width apart, and 0.27 of the side of a head's textures.
    return int(2 ** np.clip(np.round(np.log2(max(width, 1) * 0.65 / 0.27)), 8, 13))


def useful_detail(width: float, height: float, device: str = "") -> int:
    """The largest Detail that Auto takes for a sharp face with a box of these pixels on the engine's device."""
    side = _CROP_OVER_BOX * float(np.sqrt(max(width, 1) * max(height, 1)))
    largest = _LARGEST_ON_CPU if device == "cpu" else _LARGEST_DETAIL
    return next((size for size in (256, 512, 1024) if side <= size * _ENOUGH and size <= largest), largest)


def choices(self: bpy.types.PropertyGroup, context: bpy.types.Context | None) -> list[Item]:
    """The items of the panel's choice."""
    return state.items or _LARGEST


def icons() -> list[int]:
    """The icon of each face, in order; 0 where the engine has sent no thumbnail."""
    return list(state.icons)


def photo_icon(path: str) -> int:
    """The icon of a photo's file, which Blender reads beside the user; it needs no engine. 0 where there is none."""
    name = f"photo {path}"
    entry = state.previews.get(name) or state.previews.load(name, path, "IMAGE")
    return int(entry.icon_id)


def _icon(name: str, picture: np.ndarray | None) -> int:
    """The icon of a picture (H, W, 3 or 4) uint8 sRGB under a name; 0 for None."""
    if picture is None:
        return 0
    entry = state.previews.new(name)
    rgba = np.ones((*picture.shape[:2], 4), np.float32)
    rgba[..., : picture.shape[2]] = picture[::-1] / 255
    for kind in ("icon", "image"):
        setattr(entry, f"{kind}_size", picture.shape[1::-1])
        getattr(entry, f"{kind}_pixels_float").foreach_set(rgba.ravel())
    return entry.icon_id


def register() -> None:
    """Register the property `window_manager.hffne_faces`."""
    bpy.utils.register_class(HFFNE_DetectedFace)
    manager: Any = bpy.types.WindowManager
    properties: Any = bpy.props
    manager.hffne_faces = properties.CollectionProperty(type=HFFNE_DetectedFace)
    state.previews = bpy.utils.previews.new()


def unregister() -> None:
    """Remove the property and the thumbnails."""
    bpy.utils.previews.remove(state.previews)
    state.previews, state.photo, state.awaited, state.message, state.overview = None, None, "", "", 0
    state.items.clear()
    state.icons.clear()
    manager: Any = bpy.types.WindowManager
    del manager.hffne_faces
    bpy.utils.unregister_class(HFFNE_DetectedFace)
