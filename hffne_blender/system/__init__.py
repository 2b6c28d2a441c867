# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs the standard library only: files, processes, work in slices. No bpy, no numpy."""
