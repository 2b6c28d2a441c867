# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces that are computed together share the networks' passes and come out as alone."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

from hffne.batch.faces import faces_of, faces_together
from hffne.batch.settings import BatchSettings
from hffne.errors import NoFaceError
from hffne.lockstep import in_lockstep
from hffne.pipeline import Engine


class Doubling:
    """Networks that double what they get, and tell how many pictures each pass had."""

    def __init__(self, most=100):
        self.passes, self.most = [], most

    def _passed(self, step, pictures):
        self.passes.append((step, len(pictures)))
        if len(pictures) > self.most:
            raise MemoryError
        return pictures * 2

    def position_map(self, gray):
        return np.repeat(self._passed("position_map", gray)[..., None], 3, -1)

    def coarse(self, gray):
        return self._passed("coarse", gray)

    def parts(self, rgb):
        return self._passed("parts", rgb).transpose(0, 3, 1, 2)

    def gain(self, rgb):
        return self._passed("gain", rgb)

    def eyes(self, rgb, coarse):
        return self._passed("eyes", rgb) + coarse

    def fine_together(self, grays, exemplars, areas):
        return list(self._passed("fine", np.stack(grays)))


def face(number, looks, side=8):
    """A task that looks at a photo several times; its results tell which photo it was."""

    def task(networks):
        picture = np.full((side, side), number, np.float32)
        color = np.repeat(picture[..., None], 3, -1)
        # Of another size, so that only the step tells that it is the first.
        large = np.full((2, 2 * side, 2 * side), number, np.float32)
        for _ in range(looks):
            assert networks.position_map(large).shape == (*large.shape, 3)
        assert networks.parts(color).shape == (3, side, side)
        assert (networks.gain(color) == 2 * number).all()
        assert (networks.coarse(picture) == 2 * number).all() and networks.coarse(picture).shape == picture.shape
        eyes = networks.eyes(color[None], color[None])
        assert eyes.shape == (1, side, side, 3) and (eyes == 3 * number).all()
        return float(networks.fine(picture, color, (slice(number, number + 4), slice(0, 4))).mean())

    return task


def test_equal_steps_share_a_pass_and_each_face_gets_its_own_result():
    networks = Doubling()
    assert in_lockstep(networks, [face(0, 1), face(1, 3), face(2, 1)]) == [0, 2, 4]
    # The second face is looked at more often, and the others wait for it.
    passes = [("position_map", 6), ("position_map", 2), ("position_map", 2), ("parts", 3)]
    assert networks.passes[:4] == passes
    assert sorted(networks.passes[4:]) == [("coarse", 3), ("coarse", 3), ("eyes", 3), ("fine", 3), ("gain", 3)]


def test_other_sizes_do_not_share_a_pass():
    networks = Doubling()
    assert in_lockstep(networks, [face(1, 1), face(2, 1, 16), face(3, 1)]) == [2, 4, 6]
    assert [count for step, count in networks.passes if step == "fine"] == [2, 1]


def test_what_does_not_fit_into_memory_is_halved():
    networks = Doubling(most=2)
    assert in_lockstep(networks, [face(number, 1) for number in range(5)]) == [0, 2, 4, 6, 8]
    # Each face's position map needs two pictures.
    assert networks.passes[:6] == [("position_map", count) for count in (10, 4, 2, 2, 6, 2)]
    (error,) = in_lockstep(Doubling(most=1), [face(1, 1)])
    assert isinstance(error, MemoryError)


def test_a_face_that_fails_does_not_hold_up_the_others():
    def fails(networks):
        networks.position_map(np.zeros((1, 8, 8), np.float32))
        raise NoFaceError("none")

    first, second, third = in_lockstep(Doubling(), [fails, face(1, 1), lambda networks: "at once"])
    assert isinstance(first, NoFaceError) and (second, third) == (2, "at once")


class Counting:
    """The real networks, and how often each was called."""

    def __init__(self, networks):
        self.networks, self.calls = networks, []

    def __getattr__(self, name):
        self.calls.append(name)
        return getattr(self.networks, name)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """The astronaut, two of her on one picture, a photo without a face and a file that is none."""
    folder = tmp_path_factory.mktemp("photos")
    astronaut = skimage.data.astronaut()
    dark = (astronaut[:, ::-1] * 0.6).astype(np.uint8)
    for name, picture in {
        "one": astronaut,
        "two": np.hstack([astronaut, dark]),
        "none": skimage.data.coffee(),
    }.items():
        Image.fromarray(np.ascontiguousarray(picture)).save(folder / f"{name}.png")
    (folder / "text.png").write_text("no photo")
    return [folder / f"{name}.png" for name in ("none", "two", "one", "text")]


@pytest.mark.once
@pytest.mark.usefixtures("one_thread")
def test_faces_of_one_photo_and_of_several_are_computed_together(photos):
    engine, settings = Engine("cpu", size=256), BatchSettings({"size": 256}, face="all", compress=False)
    alone = [next(faces_of(engine, photos[2], settings)), *faces_of(engine, photos[1], settings)]
    engine.networks = Counting(engine.networks)
    made = faces_together(engine, photos, settings, 3)
    assert [getattr(one, "code", None) for one in made] == ["no_face", None, None, "not_a_photo"]
    assert [engine.networks.calls.count(name) for name in ("parts", "coarse", "eyes", "fine_together")] == [1, 1, 1, 1]
    together = [*made[2], *made[1]]
    assert [facts["face"] for facts, _ in together] == [0, 0, 1]
    for (facts, files), (others, other) in zip(alone, together, strict=True):
        assert np.abs(np.subtract(facts.pop("landmarks"), others.pop("landmarks"))).max() < 0.1 and facts == others
        one, two = (np.load(io.BytesIO(each[".npz"])) for each in (files, other))
        both = one["mask"] & two["mask"]
        assert both.sum() > 0.99 * max(one["mask"].sum(), two["mask"].sum()) > 5000
        apart = np.linalg.norm(one["normal"][both] - two["normal"][both].astype(float), axis=1)
        assert np.degrees(apart).mean() < 0.01 and np.degrees(np.percentile(apart, 99.9)) < 0.2
    # What shares a pass does not depend on time.
    again = faces_together(engine, photos, settings, 3)
    assert [files for _, files in [*again[2], *again[1]]] == [files for _, files in together]
