# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for hffne.pipeline in an engine process of the fault tests: the same stages, no networks."""

import fake_face

LARGEST, CROP, STEP = 2048, 256, 32


class Asset:
    def __init__(self, name, size, grid, maps):
        self.answer = fake_face.answer(name, size, grid, True, maps)

    def as_message(self):
        message, arrays = self.answer
        return {key: value for key, value in message.items() if key not in ("type", "id", "arrays")}, arrays


class Engine:
    model = "compact"

    def __init__(self, device=None, model="compact"):
        self.device, self.device_name = "cpu", "A Stand-in"

    def normals(self, photo, face, report=None, cancelled=None, size=CROP):
        for number, stage in enumerate(("prn", "coarse", "fine", "band_merge")):
            report(stage, 0.1 + 0.1 * number, stage)

    def build(
        self,
        photo,
        estimate,
        texture_size=1024,
        grid=128,
        report=None,
        cancelled=None,
        maps=(),
        base="mask",
        lod="full",
        field=None,
    ):
        for number, stage in enumerate(("unwrap", "maps", "mesh")):
            report(stage, 0.7 + 0.1 * number, stage)
        return Asset(photo.path.stem, texture_size, grid, maps)

    def build_multi_photo(self, views, *options, **more):
        return self.build(*views[0], *options, **more)
