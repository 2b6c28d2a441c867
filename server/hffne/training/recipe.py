# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipes: all settings of a training run in a JSON file, checked before anything is computed.

A file has the keys of `Recipe`, and under "tasks" a table for each task with the task's own "settings" and whatever
else is not the same for all tasks of the file. Standard library only.
"""

import copy
import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from hffne.errors import ConfigurationError
from hffne.training.settings import TASKS, Count, Drawing, Intervals, Optimizer, Schedule, Settings
from hffne.typed_json import KeyProblem, Range, parsed

FOLDER = Path(__file__).with_name("recipes")
NAMES = (
    *("prn", "coarse", "fine", "parsing", "shading", "eyes", "mouth"),
    *("paper-text", "paper-code", "fnr2r", "compact", "study"),
)
_ALIASES = {"paper": "paper-text"}
_HINT = "Start from a file in server/hffne/training/recipes; training/settings.py describes every key."
# What may change when a run is resumed: nothing of it changes the weights after a given step, but for rounding.
MAY_CHANGE = ("steps", "precision", "keep", "every")


@dataclass(frozen=True)
class Recipe:
    """The settings of one run.

    task           "prn", "coarse", "fine", "parsing", "shading", "eyes", "mouth", "paper-coarse" or "paper-fine"
    settings       the task's own
    model          "compact" or "paper" (the published widths)
    size           the face crop's side in pixels, a multiple of 32
    steps          how many
    batch          samples a step, over all processes
    micro_batch    samples that one forward pass takes. A step is batch / micro_batch of them, shared among the
                   processes; since batch norm and dropout act within one, the result does not depend on the number of
                   processes
    precision      "32-true", "16-mixed", "bf16-mixed", or "bf16-where-fast": bfloat16 where the device computes in it
                   at full speed, else float32. Networks only; losses and weights are float32
    channels_last  the memory order in which convolutions are fastest on a CPU
    optimizer      see settings.Optimizer
    schedule       see settings.Schedule
    average        steps over which the weights are averaged for use (an exponential mean), 0 for the last step's own
    data           how samples are drawn, see settings.Drawing
    every          see settings.Intervals
    keep           steps whose weights are kept in files of their own
    """

    task: str
    settings: Settings
    model: Literal["compact", "paper"]
    size: Annotated[int, Range(least=32, multiple=32)]
    steps: Count
    batch: Count
    micro_batch: Count
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "bf16-where-fast"]
    channels_last: bool
    optimizer: Optimizer
    schedule: Schedule
    average: Annotated[int, Range(least=0)]
    data: Drawing
    every: Intervals
    keep: tuple[Count, ...]

    def as_dict(self) -> dict[str, Any]:
        """The recipe as the content of a recipe file."""
        values = dataclasses.asdict(self)
        task, settings = values.pop("task"), values.pop("settings")
        return values | {"tasks": {task: {"settings": settings}}}

    def without_defaults(self) -> dict[str, Any]:
        """The same without the keys that may be missing from a file and have the value that they then get."""
        values = _without_defaults(self)
        task, settings = values.pop("task"), values.pop("settings")
        return values | {"tasks": {task: {"settings": settings}}}

    def as_json(self) -> str:
        """The recipe as the text of a recipe file, on one line, its keys sorted."""
        return json.dumps(self.as_dict(), sort_keys=True)

    @property
    def digest(self) -> str:
        """A short hash of all settings."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()[:16]

    def changed(self, changes: dict[str, Any]) -> "Recipe":
        """The recipe with other values, e.g. ``{"optimizer.learning_rate": 1e-4}``. Raises ConfigurationError."""
        data = self.as_dict()
        for name, value in changes.items():
            *tables, key = name.split(".")
            table = data["tasks"][self.task] if tables[:1] == ["settings"] else data
            for part in tables:
                table = table[part]
            table[key] = value
        return from_dict(data, self.task, "the recipe")


def read_recipe(wanted: str | Path, task: str) -> Recipe:
    """The recipe of a task: a built-in one by its name (see NAMES), or a file. Raises ConfigurationError."""
    name = _ALIASES.get(str(wanted), str(wanted))
    path = FOLDER / f"{name}.json" if name in NAMES else Path(wanted)
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError:
        raise ConfigurationError(
            f"There is no recipe '{path}'.", hint=f"Name a file or one of: {', '.join(NAMES)}."
        ) from None
    except ValueError as error:
        raise ConfigurationError(f"'{path}' is not valid JSON: {error}.", hint=_HINT) from None
    return from_dict(data, task, f"'{path}'")


def from_dict(data: Any, task: str, name: str) -> Recipe:
    """A recipe from the content of its file. Raises ConfigurationError that names the first wrong key.

    name: what the error message calls the file.
    """
    tasks = data.get("tasks") if isinstance(data, dict) else None
    if not isinstance(tasks, dict):
        raise ConfigurationError(f"{name} must be a table with a table 'tasks'.", hint=_HINT)
    for key in tasks:
        if key not in TASKS:
            raise ConfigurationError(f"{name}: tasks.{key} is not a task; tasks: {', '.join(TASKS)}.", hint=_HINT)
    if task not in tasks:
        raise ConfigurationError(
            f"{name} has no task '{task}', only: {', '.join(tasks)}.", hint="Name another recipe with --recipe."
        )
    own = tasks[task]
    if not isinstance(own, dict):
        raise ConfigurationError(f"{name}: tasks.{task} must be a table.", hint=_HINT)
    merged = _merged({key: value for key, value in data.items() if key != "tasks"}, own)
    if "task" in merged:
        raise ConfigurationError(f"{name}: task is not a key that is known here.", hint=_HINT)
    try:
        settings = parsed(TASKS[task], merged.pop("settings", {}), "settings")
        common = parsed(_common(), merged)
    except KeyProblem as problem:
        where = f"tasks.{task}.{problem.path}" if _within(own, problem.path) else problem.path
        raise ConfigurationError(f"{name}: {where} {problem.text}.", hint=_HINT) from None
    recipe = Recipe(task, settings, **{f.name: getattr(common, f.name) for f in dataclasses.fields(common)})
    _check(recipe, name)
    return recipe


def _check(recipe: Recipe, name: str) -> None:
    """Raise ConfigurationError where two keys do not go together."""
    if recipe.batch % recipe.micro_batch:
        raise ConfigurationError(
            f"{name}: micro_batch is {recipe.micro_batch}, but batch {recipe.batch} is not a multiple.", hint=_HINT
        )
    if recipe.model == "paper" and not recipe.task.startswith("paper-"):
        raise ConfigurationError(
            f"{name}: model is 'paper', but the task {recipe.task} has a compact network only.", hint=_HINT
        )
    if recipe.task == "prn" and recipe.size != 128:
        raise ConfigurationError(
            f"{name}: size is {recipe.size}, but the network of task prn takes 128 only.", hint=_HINT
        )
    if recipe.task == "coarse" and recipe.size % 64:
        raise ConfigurationError(f"{name}: size is {recipe.size}, but task coarse needs a multiple of 64.", hint=_HINT)
    if getattr(recipe.settings, "exemplar", "") == "unpaired" and recipe.micro_batch == 1:
        raise ConfigurationError(
            f"{name}: settings.exemplar is 'unpaired', but with a micro_batch of 1 there is no other face.", hint=_HINT
        )
    patch = getattr(recipe.settings, "patch", 0)
    if patch > recipe.size:
        raise ConfigurationError(f"{name}: settings.patch is {patch}, but size is only {recipe.size}.", hint=_HINT)


def _common() -> type[Any]:
    """The part of Recipe that is the same for all tasks, as a dataclass."""
    known = [f for f in dataclasses.fields(Recipe) if f.name not in ("task", "settings")]
    return dataclasses.make_dataclass("Common", [(f.name, f.type) for f in known], frozen=True)


def _without_defaults(table: Any) -> dict[str, Any]:
    """A dataclass as a table, without the fields that have their defaults."""
    out: dict[str, Any] = {}
    for field in dataclasses.fields(table):
        value = getattr(table, field.name)
        if field.default is dataclasses.MISSING or value != field.default:
            out[field.name] = _without_defaults(value) if dataclasses.is_dataclass(value) else value
    return out


def _merged(common: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The common keys with a task's own in their place, table by table."""
    out = copy.deepcopy(common)
    for key, value in own.items():
        both = isinstance(out.get(key), dict) and isinstance(value, dict)
        out[key] = _merged(out[key], value) if both else value
    return out


def _within(table: Any, path: str) -> bool:
    """Whether a path of keys begins in a task's own table, and is not only missing from it."""
    keys = path.split("[")[0].split(".")
    if keys[0] == "settings":
        return True
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            return False
        table = table[key]
    return True
