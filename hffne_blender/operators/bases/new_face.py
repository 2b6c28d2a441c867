# SPDX-License-Identifier: GPL-3.0-or-later
"""From the engine's answer to a face object, for the work of `background.InBackground`."""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import bpy

from ...engine.client import Answer
from ...numeric.received_face import ReceivedFace
from ...scene import face
from . import placement


def build(
    context: bpy.types.Context, answer: Answer, use_color: bool
) -> Generator[str | Callable[[], Any], Any, tuple[bpy.types.Object, ReceivedFace]]:
    """(object, asset) in slices; the scene changes in the last one only. Raises ReceivedFaceError for an unusable answer."""
    yield "Building the face"
    asset = yield partial(ReceivedFace.from_answer, *answer)
    # The user may have gone on working while the engine did.
    obj = yield from face.build_steps(asset, partial(placement.collection, context), use_color)
    return obj, asset
