# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's camera and frame range while our cameras use them, and how they come back."""

import json
from typing import Any

import bpy

from ..scene import stored
from .place import MARK

# Custom property of a scene, a JSON text: "camera", the name of its own camera or ""; "frames", its own first and last
# frame; "given", those that were set instead; "entered", true where a viewport was led into the view of our camera.
PROPERTY = "hffne_own_settings"


def set_camera(scene: bpy.types.Scene, camera: bpy.types.Object) -> None:
    """Make a camera of ours the scene's."""
    own = _own(scene)
    if scene.camera is None or scene.camera.get(MARK) is None:
        own["camera"] = scene.camera.name if scene.camera is not None else ""
    scene.camera = camera
    scene[PROPERTY] = json.dumps(own)


def set_entered(scene: bpy.types.Scene) -> None:
    """Note that a viewport was led into the view of our camera: it leaves it when the scene's own comes back."""
    scene[PROPERTY] = json.dumps(_own(scene) | {"entered": True})


def set_frames(scene: bpy.types.Scene, first: int, last: int) -> None:
    """Set the scene's frame range."""
    own, now = _own(scene), [scene.frame_start, scene.frame_end]
    if own.get("given") != now:
        own["frames"] = now
    scene.frame_start, scene.frame_end = own["given"] = [first, last]
    scene[PROPERTY] = json.dumps(own)


def can_restore(scene: bpy.types.Scene) -> bool:
    """Whether the camera or the frames are still those that we set."""
    own = _own(scene)
    return ("camera" in own and _is_ours(scene.camera)) or _frames_are_given(scene, own)


def restore(scene: bpy.types.Scene) -> bool:
    """Bring the scene's own camera and frames back; what the user has changed since stays.

    Returns whether viewports have to leave the camera's view, as we had led them there or there is no camera now.
    """
    own, ours = _own(scene), _is_ours(scene.camera)
    if "camera" in own and ours:
        camera = scene.objects.get(str(own["camera"]))
        scene.camera = camera if camera is not None and camera.type == "CAMERA" else None
    if _frames_are_given(scene, own):
        # The first frame is never after the last one.
        scene.frame_end = max(own["frames"])
        scene.frame_start, scene.frame_end = own["frames"]
    if scene.get(PROPERTY) is not None:
        del scene[PROPERTY]
    return scene.camera is None or (ours and "entered" in own)


def _is_ours(camera: bpy.types.Object | None) -> bool:
    return camera is not None and camera.get(MARK) is not None


def _frames_are_given(scene: bpy.types.Scene, own: dict[str, Any]) -> bool:
    return "frames" in own and own.get("given") == [scene.frame_start, scene.frame_end]


def _own(scene: bpy.types.Scene) -> dict[str, Any]:
    """What is stored on the scene, without what is not of its kind."""
    found = stored.json_of(scene, PROPERTY)
    if not isinstance(found, dict):
        return {}
    kinds = {"camera": str, "entered": bool}
    own: dict[str, Any] = {name: found[name] for name, kind in kinds.items() if isinstance(found.get(name), kind)}
    ranges = {name: found.get(name) for name in ("frames", "given")}
    if all(_is_range(value) for value in ranges.values()):
        own |= ranges
    return own


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(v) is int and 0 <= v < 2**20 for v in value)
