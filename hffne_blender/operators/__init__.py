# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators `bpy.ops.hffne.*` for users and scripts; each in a file named after it, what they share in `bases`."""

from typing import Any

import bpy

from .add_lights import HFFNE_OT_add_lights
from .add_turntable import HFFNE_OT_add_turntable
from .apply_to_mesh import HFFNE_OT_apply_to_mesh
from .bake import HFFNE_OT_bake
from .bases import installation, repeat
from .bases.background import InBackground
from .bases.guard import guard
from .batch_add import HFFNE_OT_batch_add
from .batch_edit import HFFNE_OT_batch_edit
from .batch_run import HFFNE_OT_batch_run
from .cancel import HFFNE_OT_cancel
from .cancel_install import HFFNE_OT_cancel_install
from .check_engine import HFFNE_OT_check_engine
from .dismiss_error import HFFNE_OT_dismiss_error
from .edit_pins import HFFNE_OT_edit_pins
from .export_character import HFFNE_OT_export_character
from .export_maps import HFFNE_OT_export_maps
from .find_faces import HFFNE_OT_find_faces
from .generate import HFFNE_OT_generate
from .import_weights import HFFNE_OT_import_weights
from .install_engine import HFFNE_OT_install_engine
from .make_head import HFFNE_OT_make_head
from .mark_as_asset import HFFNE_OT_mark_as_asset
from .merge_photos import HFFNE_OT_merge_photos
from .move_pin import HFFNE_OT_move_pin
from .open_photo import HFFNE_FH_photo, HFFNE_OT_open_photo
from .output_preset_add import HFFNE_OT_output_preset_add
from .paste_photo import HFFNE_OT_paste_photo
from .place_landmarks import HFFNE_OT_place_landmarks
from .project_maps import HFFNE_OT_project_maps
from .release_engine import HFFNE_OT_release_engine
from .relight_photo import HFFNE_OT_relight_photo
from .remove_engine import HFFNE_OT_remove_engine
from .remove_pin import HFFNE_OT_remove_pin
from .render_turntable import HFFNE_OT_render_turntable
from .restore_scene import HFFNE_OT_restore_scene
from .set_detail import HFFNE_OT_set_detail
from .show_detail import HFFNE_OT_show_detail
from .show_help import HFFNE_OT_show_help
from .show_install_log import HFFNE_OT_show_install_log
from .show_log import HFFNE_OT_show_log
from .view_photo import HFFNE_OT_view_photo
from .write_report import HFFNE_OT_write_report

CLASSES: tuple[Any, ...] = (
    HFFNE_OT_open_photo,
    HFFNE_FH_photo,
    HFFNE_OT_paste_photo,
    HFFNE_OT_find_faces,
    HFFNE_OT_release_engine,
    HFFNE_OT_generate,
    HFFNE_OT_cancel,
    HFFNE_OT_view_photo,
    HFFNE_OT_show_detail,
    HFFNE_OT_dismiss_error,
    HFFNE_OT_show_log,
    HFFNE_OT_show_help,
    HFFNE_OT_write_report,
    HFFNE_OT_set_detail,
    HFFNE_OT_export_maps,
    HFFNE_OT_export_character,
    HFFNE_OT_bake,
    HFFNE_OT_add_lights,
    HFFNE_OT_add_turntable,
    HFFNE_OT_render_turntable,
    HFFNE_OT_relight_photo,
    HFFNE_OT_restore_scene,
    HFFNE_OT_mark_as_asset,
    HFFNE_OT_import_weights,
    HFFNE_OT_place_landmarks,
    HFFNE_OT_apply_to_mesh,
    HFFNE_OT_batch_add,
    HFFNE_OT_batch_edit,
    HFFNE_OT_batch_run,
    HFFNE_OT_merge_photos,
    HFFNE_OT_output_preset_add,
    HFFNE_OT_make_head,
    HFFNE_OT_edit_pins,
    HFFNE_OT_move_pin,
    HFFNE_OT_remove_pin,
    HFFNE_OT_project_maps,
    HFFNE_OT_install_engine,
    HFFNE_OT_check_engine,
    HFFNE_OT_remove_engine,
    HFFNE_OT_cancel_install,
    HFFNE_OT_show_install_log,
)
# What runs for F9.
TWINS: tuple[Any, ...] = tuple(
    repeat.twin(cls) for cls in CLASSES if issubclass(cls, InBackground) and "REGISTER" in cls.bl_options
)


def register() -> None:
    """Register the operators."""
    # Blender takes the base of what derives from a registered class to be that class: the twins come first.
    for cls in (*TWINS, *CLASSES):
        guard(cls)
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Stop a running installation and unregister the operators."""
    installation.stop()
    for cls in reversed((*TWINS, *CLASSES)):
        bpy.utils.unregister_class(cls)
