# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that is done step by step, so that Blender's window stays responsive (see `operators.bases.background`)."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")

# What a generator yields: a text for the status bar, a request to the engine (its Answer comes back), or a function
# without arguments that never touches Blender's data (its result comes back).
Step = str | dict[str, Any] | Callable[[], Any]
StepGenerator = Generator[Step, Any, ResultT]
