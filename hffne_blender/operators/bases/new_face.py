# SPDX-License-Identifier: GPL-3.0-or-later
"""From the engine's answer to a face object, for the work of `background.InBackground`."""

from collections.abc import Callable
from functools import partial

import bpy

from ...character.steps import StepGenerator
from ...engine.client import Answer
from ...numeric.received_face import ReceivedFace
from ...scene import face
from . import placement


def build(
    context: bpy.types.Context,
    answer: Answer,
    use_color: bool,
    collection: Callable[[bpy.types.Context], bpy.types.Collection] = placement.collection,
) -> StepGenerator[tuple[bpy.types.Object, ReceivedFace]]:
    """(object, received face) in slices; the scene changes in the last one only.

    collection  returns the one for the face, called in the last slice before anything is made

    Raises ReceivedFaceError for an answer that is no face.
    """
    yield "Building the face"
    received = yield partial(ReceivedFace.from_answer, *answer)
    # The user may have gone on working while the engine did.
    obj = yield from face.build_steps(received, partial(collection, context), use_color)
    return obj, received
