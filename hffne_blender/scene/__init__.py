# SPDX-License-Identifier: GPL-3.0-or-later
"""From the engine's arrays to Blender's data-blocks; one kind of thing a module."""
