# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that operators send to the engine."""

from typing import Any

import bpy

from ... import preferences
from ...engine import session
from ...engine.client import Task
from .properties import EngineOptions


def send(context: bpy.types.Context, operator: EngineOptions, request: dict[str, Any]) -> Task:
    """Send a request with the operator's own or the preferences' engine and device.

    Raises EngineError when there is no engine.
    """
    chosen = preferences.get(context)
    device = operator.device or ("" if chosen.device == "auto" else chosen.device)
    idle = chosen.idle_minutes * 60 if chosen.idle_minutes else None
    python = preferences.find_python(context, operator.engine_python)
    model = "" if chosen.model == "compact" else chosen.model
    weights, coarse = preferences.own_networks(context)
    return session.request(python, device, idle, not bpy.app.background, request, model, weights, coarse)
