# SPDX-License-Identifier: GPL-3.0-or-later
"""HFFNE: from one photo to high-fidelity face normals and a textured face mesh.

The package imports nothing heavy by itself; take what you need from its modules.
"""

from hffne._version import __version__

__all__ = ["__version__"]
