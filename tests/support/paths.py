# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are, for the tests."""

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
DATA = TESTS / "data"
SUPPORT = TESTS / "support"
CASES = TESTS / "in_blender"
