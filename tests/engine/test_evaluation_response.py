# SPDX-License-Identifier: GPL-3.0-or-later
"""The response to a change of shape: engines that show a known part of it, on renders of an ellipsoid."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from hffne.cli.main import main
from hffne.evaluation import response


class RecordedFaces:
    """HeldOutFaces that store the last rendered face."""

    def __init__(self, faces):
        self.faces = faces

    def face(self, *arguments):
        self.last = self.faces.face(*arguments)
        return self.last


class PartEngine:
    """Shows the true normals of the first face, and on the same crop `share` of their change."""

    def __init__(self, recorded, share):
        self.recorded, self.share = recorded, share

    def normals(self, photo, face):
        return self._estimate(self.recorded.last.normal)

    def normals_on(self, photo, crop):
        return self._estimate(crop + self.share * (self.recorded.last.normal - crop))

    def _estimate(self, normal):
        return SimpleNamespace(crop=normal, on_photo=lambda shape: (normal, normal, np.ones(shape[:2], bool)))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_response_is_the_part_of_the_change_that_is_shown(held_out_faces, share):
    recorded = RecordedFaces(held_out_faces)
    results = response.evaluate(PartEngine(recorded, share), recorded, 1, lambda text: None)
    assert len(results) == len(response.LIGHTS) * len(response.WAVELENGTHS)
    for result in results:
        row = result.as_dict()
        assert row["response"] == pytest.approx(share, abs=1e-3)
        assert row["correlation"] == pytest.approx(float(share > 0), abs=1e-3)
        assert 0.005 < row["change"] < response.SLOPE  # the ellipsoid is too coarse for short waves
    assert f"| {share:.2f} |" in response.table(results)
    assert len(json.loads(json.dumps(response.as_dict(results)))["forms"]) == len(results)


def test_waves_have_the_given_length_and_slope():
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
