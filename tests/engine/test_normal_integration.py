# SPDX-License-Identifier: GPL-3.0-or-later
"""The base shape takes the forms that the photo's normals show, along the line of sight."""

from dataclasses import replace

import numpy as np
import pytest

from hffne.geometry.base_shape import fit_base_shape
from hffne.geometry.face_parts import MARGIN, FaceParts
from hffne.geometry.grids import fill_gaps
from hffne.geometry.project import project
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.normal_integration import shape_by_normals
from hffne.parts import HAIR, SKIN
from posed_head import position_map, turned

CHEEK = 165.0, 150.0  # on the crop at 256


@pytest.fixture(scope="module", params=[0, 20])
def shape(request):
    return fit_base_shape(position_map(turned(yaw=request.param)))


def bumped(shape, height=0.002, sigma=0.012):
    """The shape with a bump (meters) on a cheek toward the viewer, and the bump (U, U)."""
    at = shape.position_map()[..., :2] - CHEEK
    bump = height * np.exp(-np.square(at).sum(-1) / (2 * (sigma * shape.scale) ** 2)).astype(np.float32)
    return replace(shape, points=shape.points + bump[..., None] * shape.rotation[2].astype(np.float32)), bump


def normals(shape):
    """The crop's normals (256, 256, 3) of a shape, continued beside it."""
    drawn = project(shape.position_map())
    return normalize(fill_gaps(drawn.normal, drawn.mask.astype(np.float32))).astype(np.float32)


def followed(shape, wanted, parts=None):
    """The moves (U, U, 3) of the shape in the crop's pixels as meters."""
    result = shape_by_normals(shape, normals(wanted), project(shape.position_map()), parts or FaceParts.bare())
    return (result.position_map() - shape.position_map()) / shape.scale


def test_a_form_that_the_normals_show_is_in_the_shape(shape):
    wanted, bump = bumped(shape)
    moved = followed(shape, wanted)
    face = template().mask
    assert np.abs(moved[face][:, :2]).max() < 1e-6
    top = moved[..., 2][bump > 0.9 * bump.max()].mean() - moved[..., 2][face & (bump < 0.05 * bump.max())].mean()
    assert 0.6 < top / bump[bump > 0.9 * bump.max()].mean() < 1.1
    assert np.corrcoef(moved[..., 2][face], bump[face])[0, 1] > 0.75


def test_a_shape_with_these_normals_stays(shape):
    assert np.abs(followed(shape, shape)).max() < 5e-5


def test_what_covers_the_face_is_no_form(shape):
    wanted, bump = bumped(shape)
    shares = FaceParts.bare().shares
    around = tuple(slice(int(c) + MARGIN - 35, int(c) + MARGIN + 35) for c in CHEEK[::-1])
    shares[HAIR][around], shares[SKIN][around] = 1, 0
    assert followed(shape, wanted, FaceParts(shares))[..., 2].max() < 0.25 * bump.max()


def test_a_wide_error_of_the_normals_does_not_bend_the_head(shape):
    """As a photometric stereo's, all of whose normals are turned by some degrees."""
    tilt = normals(shape) @ turned(pitch=5).T.astype(np.float32)
    result = shape_by_normals(shape, tilt, project(shape.position_map()), FaceParts.bare())
    moved = (result.position_map() - shape.position_map())[..., 2] / shape.scale
    assert np.abs(moved[template().mask]).max() < 0.005
