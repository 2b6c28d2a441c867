# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are, for the tests: folders, and the face on the photo that they use."""

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
DATA = TESTS / "data"
SUPPORT = TESTS / "support"
CASES = TESTS / "in_blender"
# The face on scikit-image's astronaut photo: x, y, width, height in pixels.
ASTRONAUT_FACE = (179, 63, 91, 111)
