# SPDX-License-Identifier: GPL-3.0-or-later
"""A face's detail as a normal map of any mesh: by Blender's baker, or by numpy without a render."""
