# SPDX-License-Identifier: GPL-3.0-or-later
"""Several faces at once: equal steps of their computations go through a network together.

Each face is computed by a thread of its own, by the same code as a single one. A call of a network waits until all
threads wait for one or have ended; then the calls of the earliest step are one pass. So what shares a pass depends on
the faces and their order, never on time, and the same faces give the same bytes.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from hffne.crop_levels import Area
    from hffne.models import Models

Result = TypeVar("Result")

# In the order in which a face needs them, so that a face that was looked at more often is waited for.
_STEPS = ("position_map", "parts", "coarse", "eyes", "mouth", "fine", "gain")


def in_lockstep(networks: "Models", tasks: "Sequence[Callable[[SharedNetworks], Result]]") -> list[Result | Exception]:
    """What each task returns, or the exception that it raised; each is given the networks to use."""
    meeting = _Meeting(networks, len(tasks))
    results: list[Result | Exception] = [RuntimeError("The task did not end.")] * len(tasks)

    def work(number: int) -> None:
        try:
            results[number] = tasks[number](SharedNetworks(meeting, number))
        except Exception as error:
            results[number] = error
        finally:
            meeting.leave()

    # Daemons, so that a program that is ended does not wait for them.
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@dataclass
class _Call:
    """A call of a network that waits: its step, what must be equal to share a pass, and what came of it."""

    step: str
    key: tuple[Any, ...]
    arguments: tuple[Any, ...]
    result: Any = None
    error: Exception | None = None


class _Meeting:
    """Where the threads' calls wait for one another."""

    def __init__(self, networks: "Models", count: int) -> None:
        self._networks, self._running = networks, count
        self._waiting: dict[int, _Call] = {}
        self._changed = threading.Condition()

    def ask(self, number: int, call: _Call) -> Any:
        """The answer to the call of thread `number`. Raises what the network raises."""
        with self._changed:
            self._waiting[number] = call
            self._go_on()
            self._changed.wait_for(lambda: number not in self._waiting)
        if call.error is not None:
            raise call.error
        return call.result

    def leave(self) -> None:
        """A thread asks for nothing any more."""
        with self._changed:
            self._running -= 1
            self._go_on()

    def _go_on(self) -> None:
        """When all threads wait, answer those that wait for the earliest step."""
        if not self._waiting or len(self._waiting) < self._running:
            return
        step, key = min((_STEPS.index(call.step), call.key) for call in self._waiting.values())
        chosen = [n for n, call in sorted(self._waiting.items()) if (_STEPS.index(call.step), call.key) == (step, key)]
        self._answer([self._waiting[number] for number in chosen])
        for number in chosen:
            del self._waiting[number]
        self._changed.notify_all()

    def _answer(self, calls: list[_Call]) -> None:
        """One pass for all calls. Where it fails, most of all for want of memory, halves of them are tried."""
        try:
            results = _PASSES[calls[0].step](self._networks, [call.arguments for call in calls])
        except Exception as error:
            if len(calls) == 1:
                calls[0].error = error
                return
        else:
            for call, result in zip(calls, results, strict=True):
                call.result = result
            return
        middle = len(calls) // 2
        self._answer(calls[:middle])
        self._answer(calls[middle:])


class SharedNetworks:
    """The functions of `models.Models` for one of the threads."""

    def __init__(self, meeting: _Meeting, number: int) -> None:
        self._meeting, self._number = meeting, number

    def position_map(self, gray: np.ndarray) -> np.ndarray:
        """See `models.Models`, as for the others."""
        return self._ask("position_map", gray.shape[-2:], gray)

    def coarse(self, gray: np.ndarray) -> np.ndarray:
        """See `models.Models`."""
        return self._ask("coarse", gray.shape[-2:], gray)

    def fine(self, gray: np.ndarray, exemplar: np.ndarray, area: "Area | None" = None) -> np.ndarray:
        """See `models.Models`. Areas share a pass where they have the same extent."""
        extent = tuple(lines.stop - lines.start for lines in area or ())
        return self._ask("fine", (*gray.shape, *extent), gray, exemplar, area)

    def parts(self, rgb: np.ndarray) -> np.ndarray:
        """See `models.Models`."""
        return self._ask("parts", rgb.shape[-3:], rgb)

    def gain(self, rgb: np.ndarray) -> np.ndarray:
        """See `models.Models`."""
        return self._ask("gain", rgb.shape[-3:], rgb)

    def eyes(self, rgb: np.ndarray, coarse: np.ndarray) -> np.ndarray:
        """See `models.Models`."""
        return self._ask("eyes", rgb.shape[-3:], rgb, coarse)

    def mouth(self, rgb: np.ndarray, coarse: np.ndarray) -> np.ndarray:
        """See `models.Models`."""
        return self._ask("mouth", rgb.shape[-3:], rgb, coarse)

    def _ask(self, step: str, key: tuple[int, ...], *arguments: Any) -> Any:
        return self._meeting.ask(self._number, _Call(step, key, arguments))


def _joined(name: str, own: int) -> "Callable[[Models, list[tuple[np.ndarray, ...]]], list[np.ndarray]]":
    """A pass of a function of Models that takes arrays with any number of leading axes before `own` axes each."""

    def compute(networks: "Models", calls: "list[tuple[np.ndarray, ...]]") -> list[np.ndarray]:
        shapes = [call[0].shape[:-own] for call in calls]
        arrays = [
            np.concatenate([array.reshape(-1, *array.shape[-own:]) for array in arrays])
            for arrays in zip(*calls, strict=True)
        ]
        out = getattr(networks, name)(*arrays)
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
        return [part.reshape(*shape, *out.shape[1:]) for part, shape in zip(np.split(out, ends), shapes, strict=True)]

    return compute


def _fine(networks: "Models", calls: "list[tuple[np.ndarray, np.ndarray, Area | None]]") -> list[np.ndarray]:
    grays, exemplars, areas = zip(*calls, strict=True)
    return networks.fine_together(grays, exemplars, areas)


_PASSES: "dict[str, Callable[[Models, list[Any]], list[np.ndarray]]]" = {
    "position_map": _joined("position_map", 2),
    "parts": _joined("parts", 3),
    "coarse": _joined("coarse", 2),
    "eyes": _joined("eyes", 3),
    "mouth": _joined("mouth", 3),
    "gain": _joined("gain", 3),
    "fine": _fine,
}
