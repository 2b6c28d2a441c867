# SPDX-License-Identifier: GPL-3.0-or-later
"""Only the version: it stands in the extension's manifest, and nowhere else."""

import re
from pathlib import Path

from setuptools import setup

_MANIFEST = Path(__file__).with_name("addon_manifest.toml").read_text(encoding="utf-8")

setup(version=re.search(r'^version\s*=\s*"([^"]+)"', _MANIFEST, re.MULTILINE).group(1))
