# SPDX-License-Identifier: GPL-3.0-or-later
"""Inspecting a face: lights that show its relief, a turntable, and the photo under a movable light."""
