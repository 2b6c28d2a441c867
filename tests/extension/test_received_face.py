# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's answers of masks and heads as the extension takes them, and wrong ones, which it refuses by name."""

from pathlib import Path

import numpy as np
import pytest

import fake_face
import fake_head
from hffne.service import protocol
from hffne_blender.numeric.checked_arrays import ReceivedFaceError
from hffne_blender.numeric.received_face import ReceivedFace


def head():
    return fake_head.answer(texture_size=16, grid=16)


def test_a_mask_is_all_skin():
    received = ReceivedFace.from_answer(*fake_face.answer(texture_size=16, grid=16))
    assert received.head is None and received.skin.all()
    vertices, uvs = received.texture_corners()
    assert len(vertices) == 4 * len(received.quads) == len(uvs)


def test_a_head_has_parts_keys_and_eyes():
    message, arrays = head()
    protocol.checked_fields(protocol.RESULTS["generate"], message)
    protocol.check_arrays(protocol.RESULTS["generate"], arrays)
    received = ReceivedFace.from_answer(message, arrays)
    own = received.head
    assert own.parts == fake_head.PARTS and own.eyes.iris_color == tuple(fake_head.IRIS)
    assert own.eyes.left.center[0] > 0 > own.eyes.right.center[0]
    assert [name for name, _, _ in own.keys] == list(fake_head.KEYS)
    for _, vertices, deltas in own.keys:
        assert len(vertices) == len(deltas) > 0
    # Triangles have three corners, and only the skin is on the textures.
    vertices, uvs = received.texture_corners()
    assert (received.quads[:, 3] < 0).any() and vertices.min() >= 0
    assert vertices.max() < len(fake_face.answer(texture_size=16, grid=16)[1]["vertices"]) and len(uvs) == len(vertices)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("quads", lambda m, a: a["quads"].__setitem__((0, 1), -1)),
        ("quads", lambda m, a: a["quads"].__setitem__((0, 3), -2)),
        ("quads", lambda m, a: a["quads"].__setitem__((0, 3), len(a["vertices"]))),
        ("UVs", lambda m, a: a["uvs"].__setitem__((0, 0, 0), 1.01)),
        ("uvs", lambda m, a: a["uvs"].__setitem__((0, 0, 0), np.nan)),
        ("uvs", lambda m, a: a.update(uvs=a["uvs"][:, 0])),
        ("neutral", lambda m, a: a.update(neutral=a["neutral"][1:])),
        ("neutral", lambda m, a: a["neutral"].__setitem__((0, 0), np.inf)),
        ("quad_parts", lambda m, a: a.pop("quad_parts")),
        ("parts", lambda m, a: a["quad_parts"].__setitem__(0, 4)),
        ("parts", lambda m, a: a["quad_parts"].fill(1)),
        ("parts", lambda m, a: m.pop("parts")),
        ("parts", lambda m, a: m.update(parts=["Skin", "Eye", "Eye", "Teeth"])),
        ("keys", lambda m, a: m.update(keys=["a", "b", "c" * 70])),
        ("keys", lambda m, a: m.update(keys=["a", "b", ""])),
        ("key_starts", lambda m, a: m.update(keys=["a", "b"])),
        ("key_starts", lambda m, a: a["key_starts"].__setitem__(1, a["key_starts"][2] + 1)),
        ("key_starts", lambda m, a: a["key_starts"].__setitem__(0, 1)),
        ("key_starts", lambda m, a: a["key_starts"].__setitem__(-1, a["key_starts"][-1] - 1)),
        ("key_vertices", lambda m, a: a["key_vertices"].__setitem__(0, -1)),
        ("key_vertices", lambda m, a: a["key_vertices"].__setitem__(0, len(a["vertices"]))),
        ("key_deltas", lambda m, a: a["key_deltas"].__setitem__((0, 0), np.nan)),
        ("key_deltas", lambda m, a: a.update(key_deltas=a["key_deltas"][1:])),
        ("eyes", lambda m, a: m["eyes"].pop("left")),
        ("eyes", lambda m, a: m["eyes"]["left"].update(radius=-1)),
        ("eyes", lambda m, a: m["eyes"]["left"].update(iris_radius=0.5)),
        ("eyes", lambda m, a: m["eyes"]["right"].update(gaze=[0, 0, 0])),
        ("eyes", lambda m, a: m["eyes"]["right"].update(center=[0, float("nan"), 0])),
        ("iris", lambda m, a: m["eyes"].update(iris_color=[2, 0, 0])),
    ],
)
def test_a_wrong_head_is_refused_by_name(name, change):
    message, arrays = head()
    change(message, arrays)
    with pytest.raises(ReceivedFaceError, match=name):
        ReceivedFace.from_answer(message, arrays)


def test_a_head_may_have_neither_keys_nor_eyes():
    message, arrays = head()
    for name in ("keys", "eyes"):
        del message[name]
    for name in ("key_starts", "key_vertices", "key_deltas"):
        del arrays[name]
    own = ReceivedFace.from_answer(message, arrays).head
    assert list(own.keys) == [] and own.eyes is None


def test_messages_changed_at_random_are_refused_or_usable(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1] / "long")
    import fuzz_answers

    found, escaped = fuzz_answers.run(1000, 28)
    assert not escaped and found["refused"] > 500 and found["accepted"] > 30
    assert fuzz_answers.outcome("error", {"code": "x", "message": "half \ud800"}, {}) == "refused"
