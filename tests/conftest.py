# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests share: the one real photo, as pixels and as a file."""

import pytest
import skimage.data
from PIL import Image

from blender_process import needs_blender
from paths import SUPPORT


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


@pytest.fixture(scope="session")
def fake_engine(tmp_path_factory):
    """A folder that, first on the Python path, makes `python -m hffne serve` the fake engine."""
    folder = tmp_path_factory.mktemp("fake")
    (folder / "hffne").mkdir()
    (folder / "hffne" / "__init__.py").touch()
    (folder / "hffne" / "__main__.py").write_text(
        f"import runpy\nrunpy.run_path({str(SUPPORT / 'fake_engine.py')!r}, run_name='__main__')\n"
    )
    return folder
