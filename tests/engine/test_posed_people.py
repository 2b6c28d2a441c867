# SPDX-License-Identifier: GPL-3.0-or-later
"""People from every side: their position maps lie on what the picture shows."""

import cv2
import numpy as np

from avatar_standins import write_heads
from hffne.geometry.uv import template
from hffne.parts import SKIN
from hffne.photo.crop import CROP
from hffne.synthesis.avatar_heads import load_avatar_heads
from hffne.synthesis.avatar_people import AvatarPerson
from hffne.synthesis.avatar_render import AvatarRenderer
from hffne.synthesis.parsing_scenes import Wardrobe
from hffne.synthesis.posed_people import posed_person
from hffne.synthesis.uv_layout import build_layout

BACKGROUND = 255


def person(heads, number):
    """One that is nothing but a head, with a piece of it for a hand."""
    colors, parts = np.full((64, 64, 3), 90, np.uint8), np.full((64, 64), SKIN, np.uint8)
    hand = heads.triangles[:60]
    return AvatarPerson(
        heads.names[number],
        heads.shapes[number],
        heads.triangles,
        heads.uv,
        np.zeros(len(heads.uv), np.uint8),
        [colors],
        [parts],
        heads.landmarks,
        {"left": hand, "right": hand},
        heads.balls,
    )


def test_position_maps_lie_on_the_heads_seen_from_every_side(tmp_path):
    cv2.setNumThreads(1)
    model = write_heads(tmp_path / "heads", ["A", "B"])
    heads = load_avatar_heads(tmp_path / "heads", model, 16)
    skies = np.zeros((1, 9, 3), np.float32)
    skies[0, 0] = 1
    people = [person(heads, number) for number in range(2)]
    wardrobe = Wardrobe(AvatarRenderer(heads, model, build_layout(model)), heads, people, skies)
    plain = np.full((CROP, CROP, 3), BACKGROUND, np.uint8)
    rim = template().mask & ~cv2.erode(template().mask.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    aside, shown = [], []
    for seed in range(24):
        sample = posed_person(wardrobe, np.array([0, 1]), plain, np.random.default_rng(seed))
        assert sample["gray"].shape == (CROP, CROP) and sample["gray"].dtype == np.uint8
        position = sample["position"].astype(np.float32)
        assert np.isfinite(position).all()
        x, y = np.clip(np.round(position[rim][:, :2]), 0, CROP - 1).astype(int).T
        shown.append((sample["gray"][y, x] < BACKGROUND - 3).mean())
        out = position[template().mask][:, :3].mean(0) - position[rim].mean(0)
        aside.append(np.degrees(np.arctan2(out[0], out[2])))
    assert np.mean(shown) > 0.9
    assert min(aside) < -60 and max(aside) > 60 and np.mean(np.abs(aside) > 90) > 0.05
