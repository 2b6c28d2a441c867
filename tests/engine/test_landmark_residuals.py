# SPDX-License-Identifier: GPL-3.0-or-later
"""The residuals of fits: what is a person's own moves the position map, what all photos share does not."""

import cv2
import numpy as np
import pytest

from ellipsoid_model import ellipsoid_model
from hffne.geometry.base_shape import surface_texels
from hffne.synthesis import build, fit, landmark_mesh, render
from hffne.synthesis.landmark_residuals import COUNT, LandmarkResiduals
from hffne.synthesis.sampling import euler
from hffne.synthesis.uv_layout import CENTER, build_layout, landmark_texels

PEOPLE, SCALE, MIDDLE = 12, 10.0, 150.0
OFFSET = np.array([0.4, -0.3])  # cm, of every photo's landmarks


@pytest.fixture(scope="module")
def heads():
    return render.Renderer(ellipsoid_model(), build_layout(ellipsoid_model()))


@pytest.fixture(scope="module")
def texels():
    """Where the stand-in's landmarks lie, spread over the middle of the map: (P, 2)."""
    inside = np.argwhere(surface_texels())
    inside = inside[np.hypot(*(inside - 63.5).T) < 50]
    return inside[np.linspace(0, len(inside) - 1, COUNT).astype(int)]


def widths():
    """How much wider than their fits the people are, the last turned aside; zero on average."""
    return np.linspace(-1, 1, PEOPLE)


def fitted(heads, texels, path="", yaw=0.0):
    """Photos whose fits are all the mean head, though the people are wider or narrower."""
    turns = np.stack([np.eye(3)] * PEOPLE)
    turns[-1] = euler(yaw, 0, 0)
    landmarks = np.zeros((PEOPLE, 478, 3), np.float32)
    for k, width in enumerate(widths()):
        shape = heads.shape(np.eye(fit.IDENTITIES, dtype=np.float32)[0] * width, np.zeros(10, np.float32))
        seen = (heads.layout.sample(shape) @ turns[k].T)[tuple(texels.T)][:, :2] + OFFSET
        landmarks[k, :COUNT, :2] = seen * [1, -1] * SCALE + MIDDLE
    origin = np.stack([SCALE * (turn @ CENTER)[:2] * [1, -1] for turn in turns])
    return fit.FittedPhotos(
        identity=np.zeros((PEOPLE, fit.IDENTITIES), np.float32),
        expression=np.zeros((PEOPLE, 10), np.float32),
        rotation=turns,
        scale=np.full(PEOPLE, SCALE),
        translation=MIDDLE - origin,
        residual=np.zeros(PEOPLE),
        paths=[str(path)] * PEOPLE,
        landmarks=landmarks,
    )


def true_move(heads, width):
    """By how much each texel of a person lies beside the fit, (U, U, 3) cm."""
    deltas = heads.model.identity_deltas[0]
    return heads.layout.sample(deltas) * width


def test_a_persons_own_width_moves_the_map(heads, texels):
    residuals = LandmarkResiduals(heads, fitted(heads, texels))
    middle = np.hypot(*(np.indices((128, 128)) - 63.5)) < 40
    for k in (0, 3, PEOPLE - 1):
        found, truth = residuals.displacement(k)[middle], true_move(heads, widths()[k])[middle]
        slope = (found[:, 0] * truth[:, 0]).sum() / np.square(truth[:, 0]).sum()
        assert 0.6 < slope < 1.05
        assert np.abs(found[:, 1]).max() < 0.35 * np.abs(truth[:, 0]).max() and not found[:, 2].any()


def test_what_all_photos_share_moves_nothing(heads, texels):
    """The landmarks' common offset is where they are defined, not the people's shape."""
    fits = fitted(heads, texels)
    fits.landmarks[:] = fits.landmarks[PEOPLE // 2]
    residuals = LandmarkResiduals(heads, fits)
    assert np.abs(residuals.displacement(0)).max() < 1e-3


def test_the_hidden_side_of_a_turned_head_stays(heads, texels):
    fits = fitted(heads, texels, yaw=70)
    fits.landmarks[-1, :, 0] += 20  # pixels, so 2 cm: on the hidden side it would be a guess
    moved = np.abs(LandmarkResiduals(heads, fits).displacement(PEOPLE - 1)[..., 0])
    shown, hidden = moved[54:74, 20:50], moved[54:74, 100:115]
    if fits.rotation[-1][2, 0] > 0:
        shown, hidden = moved[54:74, 78:108], moved[54:74, 13:28]
    assert shown.mean() > 0.6 > 0.2 > hidden.mean()


def test_photos_of_a_set_have_them(heads, texels, tmp_path, monkeypatch):
    """A wide person's position map is wider than the fit's, at the same pose and crop; also with the head turned."""
    monkeypatch.setattr(landmark_mesh, "triangles", lambda: np.array([[0, 1, 2]]))  # MediaPipe's own is not needed
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.full((300, 300), 120, np.uint8))
    fits = fitted(heads, texels, path)
    residuals, wide = LandmarkResiduals(heads, fits), PEOPLE - 1
    for make in (build.photo_sample, build.profile_sample):
        plain, own = (
            make(heads, fits, wide, np.random.default_rng(3), which)["position"].astype(np.float32)
            for which in (None, residuals)
        )
        change = (own - plain)[64]
        assert np.abs(change[:, 1]).max() < 2
        along = np.linalg.norm(change, axis=1) * np.sign(change[:, 0] if make is build.photo_sample else 1)
        assert np.abs(along[[30, 97]]).min() > 3 and np.abs(along[64]) < 2
        if make is build.photo_sample:
            assert along[30] < 0 < along[97] and np.abs(change[:, 2]).max() < 1
        else:
            assert np.abs(change[[30, 97], 2]).max() > 1


def test_labels_places_in_the_map_are_found(heads, texels):
    """Each landmark's place is found to a texel, though all of them lie beside it by the same offset."""
    fits = fitted(heads, texels)
    places = LandmarkResiduals(heads, fits).texels
    middle = np.hypot(*(texels - 63.5).T) < 35
    expected = texels + [-OFFSET[1] / 0.155, OFFSET[0] / 0.155]  # about 0.155 cm are a texel in the middle
    assert np.abs(places - expected)[middle].mean() < 1


def test_measured_places_move_eyes_and_mouth_symmetrically(heads):
    model, layout = heads.model, heads.layout
    plain = landmark_texels(model, layout)
    measured = plain + np.random.default_rng(0).normal(0, 1, (68, 2))
    moved = landmark_texels(model, layout, measured=measured)
    change = np.abs(moved - plain).max(1)
    expected = [36, 39, 42, 45, 48, 51, 54, 57]
    assert change[expected].min() > 0.01 and change[np.setdiff1d(range(68), expected)].max() == 0
    for left, right in ((36, 45), (39, 42), (48, 54)):
        assert moved[left] == pytest.approx(moved[right] * [1, -1] + [0, 127], abs=1e-3)
    assert moved[51, 1] == pytest.approx(63.5, abs=1e-3)
