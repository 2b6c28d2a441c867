# SPDX-License-Identifier: GPL-3.0-or-later
"""The head: a rigged template fitted to a photo's position map, with the photo's detail on its own UVs."""
