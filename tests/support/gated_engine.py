# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine without networks that a test can hold between two stages."""

import threading

import numpy as np

from engine_client import TIMEOUT
from hffne.errors import Cancelled


class BuiltFace:
    """Stands in for hffne.textured_face.TexturedFace."""

    def as_message(self):
        return {"units": "m"}, {"normal": np.ones((4, 4, 3), np.float32), "color": np.zeros((4, 4, 3), np.uint8)}


class GatedEngine:
    """Stands in for pipeline.Engine; a generate waits at `gate` between two stages, and raises `failure` there."""

    device, device_name, model = "cpu", "a stand-in", "compact"
    failure = None

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Event()

    def normals(self, photo, face, report=None, cancelled=None):
        report("coarse", 0.3, "Halfway")
        self.began.set()
        assert self.gate.wait(TIMEOUT)
        if cancelled():
            raise Cancelled
        if self.failure:
            raise self.failure
        return "estimate"

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
        assert estimate == "estimate"
        report("unwrap", 0.7, "Nearly there")
        return BuiltFace()

    def build_multi_photo(
        self,
        views,
        texture_size=1024,
        grid=128,
        report=None,
        cancelled=None,
        maps=(),
        base="mask",
        lod="full",
        field=None,
    ):
        assert [estimate for _, estimate in views] == ["estimate"] * len(views)
        self.merged = len(views)
        return BuiltFace()
