# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user sees; it only reads state and calls operators."""

import bpy

from .batch_panel import HFFNE_PT_batch, HFFNE_UL_batch
from .character_panel import HFFNE_PT_character
from .detail_panel import HFFNE_PT_detail, HFFNE_PT_look
from .panel import HFFNE_PT_face, HFFNE_PT_result

CLASSES = (
    HFFNE_PT_face,
    HFFNE_PT_result,
    HFFNE_PT_detail,
    HFFNE_PT_look,
    HFFNE_PT_character,
    HFFNE_UL_batch,
    HFFNE_PT_batch,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
