# SPDX-License-Identifier: GPL-3.0-or-later
"""The base mesh: UV position map, projection, unwrapping."""
