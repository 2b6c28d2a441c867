# SPDX-License-Identifier: GPL-3.0-or-later
"""A training set of the ellipsoid head in the layout of `synthesis.build`: 22 renders and close-ups, 3 "photos"."""

from types import SimpleNamespace

import numpy as np

from ellipsoid_model import ellipsoid_model
from hffne.parts import PARTS
from hffne.synthesis import build, close_reliefs, closeups, fit, parsing_set, relief_maps, render, sampling, textures
from hffne.synthesis.uv_layout import build_layout


def build_tiny_set(folder):
    """Write the set to an empty folder."""
    model = ellipsoid_model()
    renderer = render.Renderer(model, build_layout(model))
    fits = SimpleNamespace(identity=np.zeros((3, fit.IDENTITIES), np.float32), expression=np.zeros((3, 10), np.float32))
    rng = np.random.default_rng(0)
    samples = [sampling.rendered_sample(renderer, fits, np.random.default_rng([1, i])) for i in range(22)]
    for kind, count, fields in (("renders", 22, build.FIELDS), ("photos", 3, build.PHOTO_FIELDS)):
        (folder / kind).mkdir()
        for name in fields:
            values = (
                [rng.integers(0, 255, (256, 256), np.uint8)] * count
                if name == "gray"
                else [s[name] for s in samples[:count]]
            )
            np.save(folder / kind / f"{name}.npy", np.stack(values).astype(fields[name][1]))
    (folder / "textures").mkdir()
    np.save(folder / "textures" / "gray.npy", rng.integers(90, 180, (3, textures.SIZE, textures.SIZE), np.uint8))
    relief_maps.build_reliefs(folder / "reliefs.npy", count=2)
    relief_maps.build_forms(folder / "form_pairs.npy", count=2)
    close_reliefs.build_close_reliefs(folder, close_reliefs.load_heights(None, None), count=1)
    close = [closeups.close_render(renderer, fits, np.random.default_rng([2, i])) for i in range(22)]
    photographed = {"gray": samples[0]["kind"] * 60, "contrast": [0.5, 0.2]}
    photos = [
        sample | photographed | {"target": sample["normal"], "photo": i % 3} for i, sample in enumerate(close[:6])
    ]
    for kind, drawn, fields in (
        (closeups.RENDERS, close, closeups.RENDER_FIELDS),
        (closeups.PHOTOS, photos, closeups.PHOTO_FIELDS),
    ):
        (folder / kind).mkdir()
        for name, (_, dtype) in fields.items():
            np.save(folder / kind / f"{name}.npy", np.stack([sample[name] for sample in drawn]).astype(dtype))
    for kind in (parsing_set.PEOPLE, parsing_set.HELD_OUT_PEOPLE, parsing_set.PHOTOS, parsing_set.RELIT):
        (folder / kind).mkdir()
        part = rng.integers(0, len(PARTS), (2, 6, 6), np.uint8).repeat(64, 1).repeat(64, 2)
        np.save(folder / kind / "part.npy", part)
        np.save(folder / kind / "rgb.npy", np.stack([part * 20, 200 - part * 20, part * 10], -1).astype(np.uint8))
        np.save(folder / kind / "albedo.npy", np.full((2, 384, 384, 3), 120, np.uint8))
    for kind in (parsing_set.EYE_PEOPLE, parsing_set.HELD_OUT_EYES, parsing_set.EYE_PHOTOS):
        (folder / kind).mkdir()
        for name, (shape, dtype) in parsing_set.FIELDS[kind].items():
            values = rng.integers(0, 100, (2, *(max(n // 16, 1) if n > 68 else n for n in shape)))
            for axis in (1, 2) if shape[0] > 68 else ():
                values = values.repeat(16, axis)
            np.save(folder / kind / f"{name}.npy", (values * (5 if name == "points" else 1)).astype(dtype))
