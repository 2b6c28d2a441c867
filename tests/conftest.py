# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests share: the one real photo, as pixels and as a file."""

import pytest
import skimage.data
from in_blender import needs_blender
from PIL import Image


def pytest_collection_modifyitems(items):
    # `-m blender` takes the tests that start a Blender, see matrix.py.
    for item in items:
        if any(mark == needs_blender.mark for mark in item.iter_markers("skipif")):
            item.add_marker("blender")


@pytest.fixture(scope="session")
def astronaut():
    """(512, 512, 3) uint8: a public-domain photo with one face; do not write to it."""
    pixels = skimage.data.astronaut()
    pixels.setflags(write=False)
    return pixels


@pytest.fixture(scope="session")
def astronaut_file(astronaut, tmp_path_factory):
    """The same as a lossless file."""
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(astronaut).save(path)
    return path
