# SPDX-License-Identifier: GPL-3.0-or-later
"""The one engine process of this Blender and what runs on it, as one object: `state`. No bpy here."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..system.errors import ExtensionError
from ..system.jobs import Steps
from . import launch
from .client import EngineClient, EngineError
from .install_work import Work
from .task import Answer, Task


def _no_task() -> Task:
    return Task(0, "none", status="done")


@dataclass
class SessionState:
    """What the extension knows about its engine; operators change it, panels show it."""

    # The running or last generate (or other work); before the first one a task that is over.
    task: Task = field(default_factory=_no_task)
    # How the last task failed, as ExtensionError.as_dict, or None.
    last_error: dict[str, Any] | None = None
    # The steps that build the face of the last answer, or None: until they are over nothing else may start.
    building: Steps | None = None
    # Called with the task whenever its progress changes while a caller waits for it.
    progress_listeners: list[Callable[[Task], object]] = field(default_factory=list)
    # The engine's process, or None while there is none.
    client: EngineClient | None = None
    # The last answer and the request (photo unchanged) that it answers, to build it again without the engine.
    last_answer: tuple[object, Answer] | None = None
    # The running or last installation or check of the engine, or None.
    installation: Work | None = None


state = SessionState()


def running() -> bool:
    """Whether a face is being generated, in the engine or, after its answer, in this process."""
    return not state.task.over or (state.building is not None and not state.building.over)


def installing() -> bool:
    """Whether the engine is being installed or checked."""
    return state.installation is not None and not state.installation.over


def start(
    python: str,
    device: str,
    idle_seconds: float | None,
    inside_application: bool,
    message: dict[str, Any],
    model: str = "",
    weights: str = "",
    coarse: str = "",
) -> Task:
    """The same as `request`, as the main task: `state.task`."""
    state.last_error = None
    state.task = request(python, device, idle_seconds, inside_application, message, model, weights, coarse)
    return state.task


def request(
    python: str,
    device: str,
    idle_seconds: float | None,
    inside_application: bool,
    message: dict[str, Any],
    model: str = "",
    weights: str = "",
    coarse: str = "",
) -> Task:
    """Send a request (a dict with "type") to the engine beside the main task, starting an engine when needed.

    Raises EngineError when there is no engine to start.
    """
    client = _engine(launch.command(python, device, model, weights, coarse), idle_seconds, inside_application)
    fields = dict(message)
    return client.request(fields.pop("type"), **fields)


def poll(timeout: float = 0.0) -> None:
    """Take in what the engine has sent, waiting up to `timeout` seconds for the first message."""
    if state.client is not None:
        state.client.poll(timeout)


def wait(task: Task, on_change: Callable[[Task], object] | None = None) -> Task:
    """Block until the task is over; its progress goes to the listeners and to `on_change`."""

    def notify(changed: Task) -> None:
        if on_change is not None:
            on_change(changed)
        for listener in list(state.progress_listeners):
            listener(changed)

    if state.client is None:
        return task
    return state.client.wait(task, on_change=notify)


def cancel() -> None:
    """Cancel what is running, in the engine or in this process."""
    if not state.task.over and state.client is not None:
        state.client.cancel(state.task)
    if state.building is not None:
        state.building.cancel()


def abandon(task: Task) -> None:
    """Cancel a task of `request` that nothing waits for any more; one that is over stays as it is."""
    if not task.over and state.client is not None:
        state.client.cancel(task)


def work(steps: Steps | None) -> Steps | None:
    """Register work that sends the engine some requests, or none, so that `running` and `cancel` cover it.

    `steps` is None where the caller waits for the end. The work's task is no request: it is over, and only
    carries the progress of the whole for the panel.
    """
    state.last_error = None
    state.task, state.building = Task(0, "work", status="done", message="Starting"), steps
    return steps


def fail(error: Mapping[str, Any] | ExtensionError) -> None:
    """Keep how the last task failed, for the panel and for scripts."""
    known = error if isinstance(error, ExtensionError) else ExtensionError.from_dict(error)
    state.last_error = known.as_dict()


def forget_error() -> None:
    """Clear the last error."""
    state.last_error = None


def remember(request: dict[str, Any], answer: Answer) -> None:
    """Keep an answer for `remembered`."""
    state.last_answer = (_key(request), answer)


def forget_answer() -> None:
    """Make the next request go to the engine, whatever the last one was."""
    state.last_answer = None


def remembered(request: dict[str, Any]) -> Answer | None:
    """The last answer when it answers this very request, with the photo unchanged since; else None."""
    key = _key(request)
    if state.last_answer is None or key is None or state.last_answer[0] != key:
        return None
    return state.last_answer[1]


def log() -> str:
    """The end of the engine's log as text, "" without an engine."""
    return state.client.log() if state.client is not None else ""


def device() -> str:
    """The name of the device that the engine computes on, or "" before the engine has answered."""
    hello = state.client.hello if state.client is not None and state.client.alive else None
    return str(hello.get("device_name") or hello.get("device") or "") if hello else ""


def device_kind() -> str:
    """The engine's device as torch names it, such as "cpu" or "cuda:0"; "" before the engine has answered."""
    hello = state.client.hello if state.client is not None and state.client.alive else None
    return str(hello.get("device") or "") if hello else ""


def alive() -> bool:
    """Whether an engine process runs."""
    return state.client is not None and state.client.alive


def release(wait: bool = True) -> None:
    """Stop the engine, which frees its memory; the last answer is kept. Without `wait` a thread waits for its end."""
    client, state.client = state.client, None
    if client is None:
        return
    client.close(wait=wait)


def close() -> None:
    """Stop the engine and forget tasks and answers. Safe to call at any time."""
    if state.building is not None:
        state.building.cancel()
        state.building = None
    if state.client is not None:
        # Whatever it does is not needed any more; asked politely it may take seconds, on the main thread.
        state.client.close(firmly=True)
    state.client, state.task, state.last_answer = None, _no_task(), None


def _engine(wanted: list[str], idle_seconds: float | None, inside_application: bool) -> EngineClient:
    """The running engine when it has this command line, else a new one."""
    python = wanted[0]
    if not python:
        raise EngineError(
            "engine_not_set",
            "The engine's Python is not set.",
            "Set it in the extension's preferences (Edit > Preferences > Add-ons > HFFNE).",
        )
    if launch.refusal(python):
        raise EngineError("engine_not_set", launch.refusal(python), "Set it in the extension's preferences.")
    client = state.client
    if client is not None and client.stuck:
        client.close(firmly=True, wait=False)
    if client is not None and (not client.alive or client.command != wanted):
        client.close(wait=False)
        client = None
    if client is None:
        client = EngineClient(wanted, launch.environment(inside_application), idle_seconds)
    state.client = client
    client.idle_seconds = idle_seconds
    return client


def _key(request: dict[str, Any]) -> object | None:
    try:
        stat = os.stat(request["photo"])
        return dict(request), stat.st_mtime_ns, stat.st_size
    except OSError:
        return None
