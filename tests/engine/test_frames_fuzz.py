# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of the frame decoders, with frames by Hypothesis. `python tests/long/fuzz_frames.py` runs for longer."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frame_oracle import DECODERS, check

# Reproducible, and no deadline: a shared machine may pause any one example.
QUICK = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
both = pytest.mark.parametrize("frames", DECODERS, ids=["engine", "client"])

words = st.text(max_size=12)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
messages = st.dictionaries(words.filter(lambda name: name != "arrays"), plain, max_size=5)


@st.composite
def array_sets(draw):
    made = {}
    for name in draw(st.lists(words.filter(bool), max_size=4, unique=True)):
        dtype = np.dtype(draw(st.sampled_from(["f4", "i4", "u2", "u1", "bool"])))
        shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
        count = int(np.prod(shape, dtype=int))
        if dtype.kind == "b":
            made[name] = (np.arange(count) % 2 == 0).reshape(shape)
        else:
            made[name] = np.arange(count).astype(dtype).reshape(shape)
    return made


def encoded(frames, message, arrays):
    head, blocks = frames.encode(message, arrays)
    return head + b"".join(bytes(block) for block in blocks)


@both
@QUICK
@given(st.lists(st.tuples(messages, array_sets()), min_size=1, max_size=3), st.integers(1, 64))
def test_whatever_can_be_sent_comes_back_in_pieces_of_any_size(frames, sent, step):
    found = check(frames, b"".join(encoded(frames, *frame) for frame in sent), step)
    assert len(found) == len(sent)
    for (message, arrays), (told, read) in zip(sent, found, strict=True):
        assert told == message and list(read) == list(arrays)
        for name, array in arrays.items():
            assert read[name].dtype == array.dtype and read[name].shape == array.shape
            assert np.array_equal(read[name], array)


@both
@QUICK
@given(messages, array_sets(), st.data())
def test_a_part_is_never_taken_for_a_whole(frames, message, arrays, data):
    whole = encoded(frames, message, arrays)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert check(frames, whole[:cut]) == []


@both
@QUICK
@given(st.binary(max_size=300), st.integers(1, 64))
def test_any_bytes(frames, data, step):
    check(frames, data, step)


@both
@QUICK
@given(messages, array_sets(), st.data())
def test_damaged_frames(frames, message, arrays, data):
    whole = bytearray(encoded(frames, message, arrays) * 2)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    check(frames, whole)


@both
@QUICK
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "name": plain | words,
                "dtype": st.sampled_from(["f4", "u1", "b1", "O", "f8", 4, None]),
                "shape": st.lists(
                    st.integers(-2, 5) | st.sampled_from([2**31, 2**63, 2**64, True, 1.0, None]), max_size=9
                )
                | plain,
            },
        )
        | plain,
        max_size=4,
    )
    | plain,
    st.binary(max_size=64),
)
def test_lies_in_the_list_of_arrays(frames, listing, payload):
    text = json.dumps({"id": 1, "arrays": listing}).encode()
    head = frames.HEADER.pack(frames.MAGIC, frames.PROTOCOL_VERSION, 0, len(text), len(payload))
    following = encoded(frames, {"id": 2}, {})
    found = check(frames, head + text + payload + following)
    # Good or bad, the frame behind it is read: the lengths were sound.
    assert found[-1] == ({"id": 2}, {})


def test_frames_changed_at_random_give_the_same_from_both(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1] / "long")
    import fuzz_mutations

    found, escaped = fuzz_mutations.run(4_000, 28)
    assert not escaped and found["refused"] > 2_000 and found["whole frames"] > 100
