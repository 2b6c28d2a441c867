# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a scene that are changed for a time and restored: one way for every bake and render.

What a scene, a file or a studio's start-up file has set must not reach the result: whatever a bake or a render depends
on is set, and set back afterwards.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import bpy

# (owner, name of a property, value)
Setting = tuple[Any, str, Any]


class CyclesMissing(RuntimeError):
    """The render engine Cycles is switched off."""

    def __init__(self) -> None:
        super().__init__("Cycles is switched off: switch on the add-on Cycles Render Engine in Blender's preferences.")


def cycles_of(scene: bpy.types.Scene) -> Any:
    """The Cycles settings of a scene. Raises CyclesMissing where that add-on is switched off."""
    cycles = getattr(scene, "cycles", None)
    if cycles is None:
        raise CyclesMissing
    return cycles


def change(settings: Iterable[Setting]) -> Callable[[], None]:
    """Set properties in their order; returns a function that restores them in the opposite order.

    Raises what Blender raises for an impossible value, and then has restored what was set before it.
    """
    before: list[Setting] = []

    def restore() -> None:
        while before:
            owner, name, value = before.pop()
            # Another file was opened, the owner removed, or the former value is not possible any more.
            with contextlib.suppress(ReferenceError, AttributeError, TypeError, ValueError, RuntimeError):
                setattr(owner, name, value)

    try:
        for owner, name, value in settings:
            kept = getattr(owner, name)
            setattr(owner, name, value)
            before.append((owner, name, kept))
    except BaseException:
        restore()
        raise
    return restore


@contextlib.contextmanager
def changed(settings: Iterable[Setting]) -> Iterator[None]:
    """`change` for the time of a `with`."""
    restore = change(settings)
    try:
        yield
    finally:
        restore()


@contextlib.contextmanager
def own_scene(name: str, frame_of: bpy.types.Scene | None = None) -> Iterator[bpy.types.Scene]:
    """A new scene with Blender's own defaults, at the frame of another one, for the time of a `with`."""
    scene = bpy.data.scenes.new(name)
    try:
        if frame_of is not None:
            # No frame_set: that would evaluate every object's animation.
            scene.frame_current, scene.frame_subframe = frame_of.frame_current, frame_of.frame_subframe
        yield scene
    finally:
        bpy.data.scenes.remove(scene)
