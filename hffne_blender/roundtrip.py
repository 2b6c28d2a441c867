# SPDX-License-Identifier: GPL-3.0-or-later
"""The former place and names of `commands.roundtrip`, for trial scripts that were written for them."""

from .commands.roundtrip import _normal_emitter as _emit_normals
from .commands.roundtrip import angles, compare, rendered_normals
from .commands.roundtrip import render_pixels as _render
from .commands.roundtrip import set_up as _set_up

__all__ = ["_emit_normals", "_render", "_set_up", "angles", "compare", "rendered_normals"]
