# SPDX-License-Identifier: GPL-3.0-or-later
"""Colors without light: a photo's even light, scenes with known albedo, the gain on a crop and in the textures."""

import numpy as np
import pytest
import torch

from hffne.evaluation import albedo as evaluation
from hffne.geometry.face_parts import MARGIN, WIDE, FaceParts
from hffne.geometry.unlit import DARK, centered, without_light
from hffne.geometry.vectors import normalize
from hffne.maps.albedo import albedo
from hffne.networks.parsing import ParsingNetwork
from hffne.networks.shading import ShadingNetwork
from hffne.photo.colors import encoded, to_linear, to_srgb
from hffne.synthesis.even_light import BRIGHTEST, DARKEST, basis, fit_light
from hffne.training.start import start
from hffne.weights.store import save_weights


def light_from(direction, ambient=0.35):
    """A distant lamp and a sky, as nine numbers a channel, a warm one."""
    coefficients = np.zeros((9, 3))
    coefficients[0] = ambient + 0.25
    coefficients[1:4] = 0.5 * np.asarray(direction)[:, None]
    return coefficients * np.array([1.1, 1.0, 0.85])


def test_the_light_is_found_and_divided_out():
    generator = np.random.default_rng(2)
    normal = normalize(generator.normal(size=(6000, 3)) * [1, 0.5, 1] - [0, 0.8, 0]).astype(np.float32)
    skin = np.array([0.5, 0.33, 0.25]) * generator.normal(1, 0.05, (6000, 1))
    lit = basis(normal) @ light_from((0.6, -0.6, 0.5)) / 0.6
    color = skin * np.maximum(lit, 0.05)
    # One in twelve is a mole or stubble, darker by half.
    moles = generator.random(6000) < 0.08
    color[moles] *= 0.5
    light = fit_light(normal, color, np.ones(6000))
    left = (color / light.shading(normal))[~moles].mean(1)
    before = color[~moles].mean(1)
    bright = light.shading(normal)[~moles].mean(1)
    usable = (bright > DARKEST * 1.5) & (bright < BRIGHTEST * 0.9)
    assert usable.mean() > 0.6
    assert before[usable].std() / before[usable].mean() > 0.2
    assert left[usable].std() / left[usable].mean() < 0.1
    # The mole stays a mole.
    gone = (color / light.shading(normal))[moles].mean() / (color / light.shading(normal))[~moles].mean()
    assert 0.4 < gone < 0.6


def test_with_nothing_seen_the_light_is_even():
    light = fit_light(np.zeros((0, 3), np.float32), np.zeros((0, 3)), np.zeros(0))
    assert np.allclose(light.shading(np.float32([[0, -1, 0], [1, 0, 0]])), 1, atol=0.05)


def test_colors_keep_their_values():
    color = np.random.default_rng(3).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    assert np.array_equal(to_srgb(to_linear(color)), color)
    linear = np.linspace(-0.1, 1.1, 500_000, dtype=np.float32)
    assert np.array_equal(to_srgb(linear), np.floor(encoded(linear) * np.float32(255) + np.float32(0.5)))
    assert (
        np.abs(without_light(color / np.float32(255), np.zeros((WIDE, WIDE, 3), np.float32)) * 255 - color).max() < 0.01
    )


@pytest.mark.parametrize("margin", [0, MARGIN])
def test_a_known_shade_is_taken_out_where_it_lies(margin):
    """The left half of a crop and its margin is in the dark."""
    size = 256 + 2 * margin
    skin = np.float32([0.5, 0.33, 0.25])
    light = np.ones((WIDE, WIDE, 1), np.float32)
    light[:, : WIDE // 2] = 0.4
    gain = np.log((skin + DARK) / (skin * light + DARK)).astype(np.float32)
    inner = light[MARGIN - margin : WIDE - MARGIN + margin, MARGIN - margin : WIDE - MARGIN + margin]
    found = to_linear(without_light(encoded(skin * inner), gain, margin))
    assert found.shape == (size, size, 3) and np.abs(found - skin).max() < 2e-3
    color = encoded(skin * light)
    ours = centered(gain + 5, color, FaceParts.bare())
    assert abs(ours[MARGIN : WIDE - MARGIN, MARGIN : WIDE - MARGIN].mean()) < 1e-2  # the exposure stays
    bare = to_linear(without_light(color, ours))
    assert np.ptp(bare.reshape(-1, 3), axis=0).max() < 0.01  # even


def test_a_part_of_the_lights_own_color_stays():
    skin = np.float32([0.5, 0.33, 0.25])
    gain = np.tile(np.float32([-0.2, 0.0, 0.2]), (WIDE, WIDE, 1))  # blue light
    ours = centered(gain, encoded(np.tile(skin, (WIDE, WIDE, 1))), FaceParts.bare())
    assert np.allclose(ours, 0.6 * gain, atol=1e-3)


def test_the_albedo_has_the_textures_detail_and_no_light():
    rng = np.random.default_rng(0)
    paint = np.clip(rng.uniform(0.25, 0.5, (256, 256, 1)) * np.ones(3), 0, 1)
    light = np.linspace(0.3, 1, 256)[None, :, None]
    lit = to_srgb(paint * light)
    small = to_srgb(paint.reshape(64, 4, 64, 4, 3).mean((1, 3)))
    found = to_linear(albedo(lit, small))
    error = np.abs(found - paint)[8:-8, 8:-8]
    assert error.mean() < 0.02 and np.abs(to_linear(lit) - paint).mean() > 0.1
    assert np.corrcoef(found[..., 0].ravel(), paint[..., 0].ravel())[0, 1] > 0.97


def test_the_shading_network_starts_from_the_parsing_networks_weights(tmp_path):
    torch.manual_seed(0)
    parsing = ParsingNetwork()
    save_weights(parsing, tmp_path / "parsing.safetensors", {})
    network = start(ShadingNetwork(), tmp_path / "parsing.safetensors")
    assert torch.allclose(network.stem[0].weight, parsing.stem[0].weight.half().float())
    assert network.eval()(torch.rand(1, 3, 64, 64)).shape == (1, 3, 64, 64)
    save_weights(network, tmp_path / "shading.safetensors", {})
    again = start(ShadingNetwork(), tmp_path / "shading.safetensors")
    assert torch.allclose(again.out.weight, network.out.weight.half().float(), atol=1e-3)


def test_figures_of_colors_without_light():
    rng = np.random.default_rng(0)
    skin = np.float32([0.5, 0.33, 0.25]) * rng.uniform(0.9, 1.1, (40, 40, 1))
    light = np.linspace(0.3, 1, 40)[:, None, None]
    truth, photo, everywhere = to_srgb(skin), to_srgb(skin * light), np.ones((40, 40), bool)
    right = evaluation.compared(encoded(skin * 0.7), photo, truth, everywhere)
    assert right.error < 0.01 and right.color < 0.1  # whatever its exposure is
    assert right.photo_error > 0.2 and right.tone == "fair"
    yellow = evaluation.compared(encoded(skin * [1, 1, 0.6]), photo, truth, everywhere)
    assert yellow.color > 5 and yellow.photo_color < 1
    assert evaluation.compared(photo / 255, photo, truth, everywhere & False) is None
    table = evaluation.table([right, yellow, None])
    assert "2 of 3 pictures" in table and "| fair | 2 |" in table and "| dark" not in table


def test_brightened_skin_takes_the_hue_of_the_other_skin():
    """A shadow on a third of a crop, redder than the skin in the light."""
    skin, red = np.float32([0.5, 0.33, 0.25]), np.float32([0.2, 0.08, 0.06])
    color = np.tile(skin, (WIDE, WIDE, 1))
    color[:, : WIDE // 3] = red
    gain = np.zeros((WIDE, WIDE, 3), np.float32)
    gain[:, : WIDE // 3] = 1.3
    found = to_linear(without_light(encoded(color), centered(gain, encoded(color), FaceParts.bare())))
    light, shadow = found[WIDE // 2, WIDE // 2], found[WIDE // 2, 100]
    assert red[0] / red[1] > 2.4 and shadow[0] / shadow[1] < 2.1 and abs(light[0] / light[1] - 0.5 / 0.33) < 0.02
    before = to_linear(without_light(encoded(color), gain))[WIDE // 2, 100] @ [0.2126, 0.7152, 0.0722]
    after = shadow @ [0.2126, 0.7152, 0.0722] * (0.33 / light[1])
    assert abs(after / before - 1) < 0.05  # as bright as it would be
