# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of a head's parts: eyes, lashes and the shadow under the lids over their own UVs."""

import io

import numpy as np
import pytest
from PIL import Image

import fake_head
from hffne_blender.numeric import eye_texture, part_textures, png, soft_edges
from hffne_blender.numeric.head_parts import PartSurface
from hffne_blender.numeric.received_face import ReceivedFace


def received(parts):
    return ReceivedFace.from_answer(*fake_head.answer(texture_size=16, grid=16, parts_wanted=parts))


@pytest.fixture(scope="module")
def pictures():
    """{part: pixels (S, S, 4)}."""
    made = part_textures.encode_parts(received(fake_head.ALL_PARTS))
    return {part: np.asarray(Image.open(io.BytesIO(texture.png))) for part, texture in made.items()}


def colors_at(pixels, ratio, width=0.1):
    """The pixels of the left eyeball whose distance from its axis is `ratio` iris radii, from in front."""
    surface = PartSurface.of(received(fake_head.ALL_PARTS), 1)
    center = np.array(fake_head.PLACES[0][0])
    texels, offset = surface.at_texels(surface.points - center, len(pixels))
    away = np.hypot(offset[:, 0], offset[:, 2]) / fake_head.IRIS_RADIUS
    return pixels.reshape(-1, 4)[texels[(np.abs(away - ratio) < width) & (offset[:, 1] < 0)]]


def test_the_eyeball_is_clear_before_the_iris_and_white_around_it(pictures):
    clear, white = colors_at(pictures["Eye Left"], 0.5), colors_at(pictures["Eye Left"], 1.5)
    assert len(clear) > 100 and clear[:, 3].max() == 0
    assert white[:, 3].min() == 255 and white[:, :3].mean() > 180
    assert np.array_equal(pictures["Eye Left"], pictures["Eye Right"])


def test_an_eye_of_one_part_has_its_iris_painted_in_the_photos_color():
    made = part_textures.encode_parts(received(fake_head.PARTS))
    assert set(made) == {"Eye Left", "Eye Right"} and made["Eye Left"].kind == "eye"
    pixels = np.asarray(Image.open(io.BytesIO(made["Eye Left"].png)))
    iris = colors_at(pixels, 0.6)[:, :3].mean(0) / 255
    assert np.allclose(iris, fake_head.IRIS, atol=0.08)
    assert colors_at(pixels, 0.1)[:, :3].max() < 30 and pixels[..., 3].min() == 255


def test_without_facts_the_eye_looks_ahead():
    message, arrays = fake_head.answer(texture_size=16, grid=16)
    del message["eyes"]
    made = part_textures.encode_parts(ReceivedFace.from_answer(message, arrays))
    pixels = np.asarray(Image.open(io.BytesIO(made["Eye Left"].png)))
    assert colors_at(pixels, 0.1)[:, :3].max() < 30 < colors_at(pixels, 1.8)[:, :3].min()


def test_hairs_are_opaque_lines_and_the_shadow_is_soft(pictures):
    lashes, shadow = pictures["Lashes"][..., 3], pictures["Eye Occlusion"][..., 3]
    assert 0.02 < (lashes > 200).mean() < 0.4 and (lashes == 0).mean() > 0.5
    assert shadow.max() < 200


def test_the_tint_of_the_inner_corner_has_no_edge():
    row, column = np.mgrid[:5, :5]
    points = np.stack([column.ravel() * 0.0025, np.zeros(25), row.ravel() * 0.0025], 1)
    first = (5 * row + column)[:4, :4].ravel()
    triangles = np.concatenate([first[:, None] + [0, 1, 6], first[:, None] + [0, 6, 5]])
    surface = PartSurface(triangles, points[triangles][..., [0, 2]] / 0.01, points)
    opacity = soft_edges.corner_tint(surface)[..., 3]
    rim = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
    assert rim.max() < 6 and 50 < opacity.max() <= 255 * soft_edges.CORNER
    assert np.abs(np.diff(opacity.astype(int), axis=0)).max() < 6


def test_the_picture_does_not_depend_on_where_the_eye_looks():
    """An eye that is turned together with its mesh has the same picture."""
    kept = received(fake_head.PARTS)
    surface, eye = PartSurface.of(kept, 1), kept.head.eyes.left
    turn = np.array([[np.cos(0.4), -np.sin(0.4), 0], [np.sin(0.4), np.cos(0.4), 0], [0, 0, 1]])
    center = np.array(eye.center)
    turned = PartSurface(surface.triangles, surface.uvs, (surface.points - center) @ turn.T + center)
    gaze = tuple((turn @ eye.gaze).tolist())
    one = eye_texture.draw(surface, eye, (0.3, 0.2, 0.1), "eye")
    other = eye_texture.draw(turned, type(eye)(eye.center, eye.radius, eye.iris_radius, gaze), (0.3, 0.2, 0.1), "eye")
    front = np.abs(one.astype(int) - other).max(2)
    # The white's blotches stay where they are in space; the iris turns.
    iris = one[..., :3].max(2) < 120
    assert iris.mean() > 0.1 and np.percentile(front[iris], 99) <= 3


def test_pictures_with_opacity_are_png_files():
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7, 4)).astype(np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png.png_bytes(pixels)))), pixels)
    with pytest.raises(ValueError, match="RGBA"):
        png.png_bytes(pixels[..., :2])
