# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to the engine and its outcome."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

# A message of the engine with its arrays by name.
Answer = tuple[dict[str, Any], dict[str, np.ndarray]]


@dataclass
class Task:
    """One request and its outcome.

    status    "running", "done", "error" or "cancelled"
    progress  0..1
    stage     a short name of the engine's current stage
    message   the same for the user
    answer    (message dict, {name: array}) when done
    error     "code", "message", "hint", "exit_code" and "fatal" when failed, as ExtensionError.as_dict
    """

    id: int
    kind: str
    status: str = "running"
    progress: float = 0.0
    stage: str = ""
    message: str = ""
    answer: Answer | None = field(default=None, repr=False)
    error: dict[str, Any] | None = None

    @property
    def over(self) -> bool:
        """Whether the task has ended: done, failed or cancelled."""
        return self.status != "running"

    @property
    def result(self) -> Answer:
        """The answer of a task that is done. Raises RuntimeError for any other."""
        if self.answer is None:
            raise RuntimeError(f"The task {self.kind!r} has no result: it is {self.status}.")
        return self.answer
