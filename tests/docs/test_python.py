# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/python.md, run one after the other in a new Python."""

import re
import subprocess
import sys

import cv2
import numpy as np
from PIL import Image

from paths import ROOT

TEXT = (ROOT / "docs" / "python.md").read_text("utf-8")


def test_the_examples_run(astronaut, tmp_path):
    Image.fromarray(astronaut).save(tmp_path / "photo.jpg", quality=95)
    examples = re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)
    assert len(examples) == 4
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(examples)], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "not_a_photo" in done.stdout and "<FaceNormals 512 x 512" in done.stdout and "['height']" in done.stdout
    picture = cv2.imread(str(tmp_path / "normal.png"), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (512, 512, 3) and picture.dtype == np.uint16
