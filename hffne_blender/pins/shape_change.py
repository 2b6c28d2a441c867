# SPDX-License-Identifier: GPL-3.0-or-later
"""A face's mesh and all its shape keys moved by its pins, while they are dragged and for good."""

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from ..scene import built_shape
from ..scene.access import mesh_of, read_array, write_array
from ..scene.shape_keys import PHOTO
from . import stored
from .pinned_face import PinnedFace
from .stored import Pin


class ShapeChange:
    """A change of a face's pins that has begun: show it as often as the pins move, then keep or undo it.

    face    the face as it was when the change began
    points  (V, 3) the face as on the photo, as it is shown now
    """

    def __init__(self, obj: bpy.types.Object) -> None:
        self.face = PinnedFace(obj)
        self._obj = obj
        self._engines = built_shape.is_engines(obj)
        self._started = built_shape.points(obj)
        self._before = self.face.displacement(self.face.pins)
        self.points = self._started
        mesh = mesh_of(obj)
        keys = mesh.shape_keys
        self._shapes: list[tuple[Any, np.ndarray, bool]] = [(mesh.vertices, read_array(mesh.vertices, "co", 3), False)]
        if keys is not None:
            self._shapes += [
                (key.points, read_array(key.points, "co", 3), key == keys.reference_key or key.name == PHOTO)
                for key in keys.key_blocks
            ]
        # Keys without effect now are moved at the end.
        self._shown = [keys is None, *([k.value != 0 for k in keys.key_blocks] if keys is not None else [])]

    def show(self, pins: Sequence[Pin], whole: bool = False) -> None:
        """Move the face as some pins ask; whole: also the shape keys that have no effect now."""
        moved = self.face.displacement(pins) - self._before
        self.points = self._started + moved
        for (owner, points, always), shown in zip(self._shapes, self._shown, strict=True):
            if whole or always or shown:
                write_array(owner, "co", points + moved)
        self._update()

    def keep(self, pins: Sequence[Pin]) -> None:
        """Move the face for good and store the pins."""
        # The uncorrected shape is kept with the first pin, before anything moves.
        self._restore()
        stored.store(self._obj, pins)
        self.show(pins, whole=True)
        if self._engines:
            built_shape.store(self._obj)

    def undo(self) -> None:
        """Give the face the shape that it had."""
        self._restore()
        self._update()

    def _restore(self) -> None:
        for owner, points, _ in self._shapes:
            write_array(owner, "co", points)
        self.points = self._started

    def _update(self) -> None:
        mesh_of(self._obj).update()
        self._obj.update_tag(refresh={"DATA"})
