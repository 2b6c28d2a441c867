# SPDX-License-Identifier: GPL-3.0-or-later
"""The one engine of this Blender, and the one task that may run on it. No bpy here."""

import os
import threading

from . import launch
from .client import EngineClient, EngineError, Task

_client = None

# The task of the running or last generate, and how the last one failed; the panel shows them.
task = None
last_error = None

# What builds the face of the last answer, a `system.jobs.Steps`, or None: as long as it works no other may start.
building = None

# Called with the task whenever its progress changes while a caller waits for it.
progress_listeners = []

# The last answer and the request that it answers: redoing with another look needs no engine.
_last_answer = None


def running():
    """Is a face being generated, in the engine or, after it has answered, here?"""
    return (task is not None and not task.over) or (building is not None and not building.over)


def start(python, device, idle_seconds, inside_application, request, model=""):
    """Send `request` (a dict with "type") to the engine, starting one when needed.

    Returns the Task. Raises EngineError when there is no engine to start.
    """
    global task, last_error
    last_error = None
    task = ask_aside(python, device, idle_seconds, inside_application, request, model)
    return task


def ask_aside(python, device, idle_seconds, inside_application, request, model=""):
    """The same for a small question: it hinders no other, and nothing is told of its progress."""
    client = _engine(python, device, model, idle_seconds, inside_application)
    fields = dict(request)
    return client.request(fields.pop("type"), **fields)


def poll(timeout=0.0):
    if _client is not None:
        _client.poll(timeout)


def wait(waiting, on_change=None):
    """Block until the task is over, telling the listeners (and `on_change`) of its progress."""

    def tell(changed):
        if on_change is not None:
            on_change(changed)
        _tell(changed)

    return _client.wait(waiting, on_change=tell)


def cancel():
    """Give up what is running, wherever it is."""
    if task is not None and not task.over:
        _client.cancel(task)
    if building is not None:
        building.cancel()


def give_up(asked):
    """Cancel a task of `ask_aside` that nobody waits for any more; one that is over stays as it is."""
    if not asked.over and _client is not None:
        _client.cancel(asked)


def build(steps):
    """Remember what builds the face, so that `running` and `cancel` know of it."""
    global building
    building = steps
    task.message = "Building the face"
    return steps


def work(steps):
    """The same for work that asks the engine several things, or nothing; `steps` is None where the caller waits for it.

    Its Task is no request of the engine's: it is over, and only tells the panel how far all of it is.
    """
    global task, building, last_error
    last_error = None
    task, building = Task(0, "work", status="done", message="Starting"), steps
    return steps


def fail(error):
    """Remember how it failed, for the panel and for scripts: a dict or an EngineError."""
    global last_error
    last_error = error if isinstance(error, dict) else error.as_dict()


def forget_error():
    global last_error
    last_error = None


def remember(request, answer):
    global _last_answer
    _last_answer = (_key(request), answer)


def forget_answer():
    """The next request goes to the engine, whatever the last one was."""
    global _last_answer
    _last_answer = None


def remembered(request):
    """The last answer when it answers this very request, with the photo unchanged since; else None."""
    key = _key(request)
    if _last_answer is None or key is None or _last_answer[0] != key:
        return None
    return _last_answer[1]


def log():
    return _client.log() if _client is not None else ""


def device():
    """What the engine computes on, for people; "" before it has said hello."""
    hello = _client.hello if _client is not None and _client.alive else None
    return str(hello.get("device_name") or hello.get("device") or "") if hello else ""


def alive():
    return _client is not None and _client.alive


def release(wait=True):
    """Stop the engine, which gives back its memory; the last answer is kept. Else than `wait`, it ends by itself."""
    global _client
    client, _client = _client, None
    if client is None:
        return
    if wait:
        client.close()
    else:
        threading.Thread(target=client.close, name="hffne-release").start()


def close():
    """Stop the engine and forget everything. Safe to call at any time."""
    global _client, task, _last_answer, building
    if building is not None:
        building.cancel()
        building = None
    if _client is not None:
        _client.close()
    _client, task, _last_answer = None, None, None


def _engine(python, device, model, idle_seconds, inside_application):
    global _client
    if not python:
        raise EngineError(
            "engine_not_set",
            "The engine's Python is not set.",
            "Set it in the extension's preferences (Edit > Preferences > Add-ons > HFFNE).",
        )
    wanted = launch.command(python, device, model)
    if _client is not None and _client.stuck:
        _client.close(firmly=True)
    if _client is not None and (not _client.alive or _client.command != wanted):
        _client.close()
        _client = None
    if _client is None:
        _client = EngineClient(wanted, launch.environment(inside_application), idle_seconds)
    _client.idle_seconds = idle_seconds
    return _client


def _key(request):
    try:
        state = os.stat(request["photo"])
        return dict(request), state.st_mtime_ns, state.st_size
    except OSError:
        return None


def _tell(changed):
    for listener in list(progress_listeners):
        listener(changed)
