# SPDX-License-Identifier: GPL-3.0-or-later
"""A face as a character for other programs: its mesh with plain materials, and textures named as they expect."""
