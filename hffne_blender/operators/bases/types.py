# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of operators, for annotations."""

from typing import TYPE_CHECKING, Literal

# What `execute`, `invoke` and `modal` return.
OperatorResult = set[Literal["RUNNING_MODAL", "CANCELLED", "FINISHED", "PASS_THROUGH", "INTERFACE"]]

if TYPE_CHECKING:
    # A mixin is not an operator of its own: only the class that Blender registers derives from Operator.
    from bpy.types import Operator as OperatorMixin
else:
    OperatorMixin = object
