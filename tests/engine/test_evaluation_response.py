# SPDX-License-Identifier: GPL-3.0-or-later
"""The response to a change of form: engines that show a known part of it, on renders of an ellipsoid."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from hffne.cli.main import main
from hffne.evaluation import response


class Watched:
    """A studio that remembers what it rendered last."""

    def __init__(self, studio):
        self.studio = studio

    def face(self, *arguments):
        self.last = self.studio.face(*arguments)
        return self.last


class PartEngine:
    """Shows the true normals of a first look, and on the same crop `share` of how they have changed."""

    def __init__(self, watched, share):
        self.watched, self.share = watched, share

    def normals(self, photo, face):
        return self._estimate(self.watched.last.normal)

    def normals_on(self, photo, crop):
        return self._estimate(crop + self.share * (self.watched.last.normal - crop))

    def _estimate(self, normal):
        return SimpleNamespace(crop=normal, on_photo=lambda shape: (normal, normal, np.ones(shape[:2], bool)))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_response_is_the_part_of_the_change_that_is_shown(studio, share):
    watched = Watched(studio)
    results = response.evaluate(PartEngine(watched, share), watched, 1, lambda text: None)
    assert len(results) == len(response.LIGHTS) * len(response.WAVELENGTHS)
    for result in results:
        told = result.as_dict()
        assert told["response"] == pytest.approx(share, abs=1e-3)
        assert told["correlation"] == pytest.approx(float(share > 0), abs=1e-3)
        assert 0.005 < told["change"] < response.SLOPE  # the ellipsoid is too coarse for short waves
    assert f"| {share:.2f} |" in response.table(results)
    assert len(json.loads(json.dumps(response.as_dict(results)))["forms"]) == len(results)


def test_waves_are_as_long_and_steep_as_they_say():
    x = np.linspace(-5, 5, 2001)
    flat = np.stack([x, np.zeros_like(x), np.ones_like(x)], 1)
    height = response.waves(5.0)(flat)[:, 2]
    slope = np.gradient(height, x)
    assert np.abs(slope).max() == pytest.approx(response.SLOPE, rel=0.01)
    assert height[::1000] == pytest.approx([height[1000]] * 3)  # 5 cm apart
    assert (flat[:, 2] == 1).all()


def test_it_needs_a_training_set(tmp_path, capsys):
    assert main(["evaluate", "response", str(tmp_path), "--shapes", str(tmp_path)]) != 0
    assert "training set" in capsys.readouterr().err
