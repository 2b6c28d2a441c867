# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame codec: round trips, and every way in which a frame can be wrong."""

import io
import json
import os
import threading
import tracemalloc

import numpy as np
import pytest

from hffne.service import frames


def packed(text, payload=b"", magic=b"HFNE", version=frames.PROTOCOL_VERSION, reserved=0, lengths=None):
    if not isinstance(text, bytes):
        text = json.dumps(text).encode()
    json_length, payload_length = lengths or (len(text), len(payload))
    return frames.HEADER.pack(magic, version, reserved, json_length, payload_length) + text + payload


def read(data):
    return frames.read_frame(io.BytesIO(data))


def listed(dtype, shape, name="a"):
    return {"arrays": [{"name": name, "dtype": dtype, "shape": shape}]}


def test_everything_that_can_be_sent_comes_back():
    arrays = {
        "normal": np.random.default_rng(0).normal(size=(5, 7, 3)).astype(np.float32),
        "quads": np.arange(-6, 6, dtype=np.int32).reshape(3, 4),
        "deep": np.arange(6, dtype=np.uint16) * 13000,
        "color": np.arange(256, dtype=np.uint8).reshape(16, 16),
        "mask": np.array([[True, False], [False, True]]),
        "empty": np.zeros((0, 3), np.float32),
        "scalar": np.array(2.5, np.float32),
        "turned": np.arange(12, dtype=np.int32).reshape(3, 4).T,
        "foreign order": np.arange(5, dtype=">i4"),
    }
    message = {
        "type": "result",
        "id": 7,
        "text": "Gänsefüßchen 写真 \N{PILE OF POO}",
        "deep": {"a": [1, 2.5, None, True]},
    }
    stream = io.BytesIO()
    frames.write_frame(stream, message, arrays)
    frames.write_frame(stream, {"type": "next"})
    stream.seek(0)
    got, got_arrays = frames.read_frame(stream)
    assert got == message
    assert list(got_arrays) == list(arrays)
    for name, array in arrays.items():
        assert got_arrays[name].dtype == array.dtype.newbyteorder("<"), name
        np.testing.assert_array_equal(got_arrays[name], array, err_msg=name)
        assert got_arrays[name].shape == array.shape
        assert got_arrays[name].flags.c_contiguous and got_arrays[name].flags.writeable, name
    assert frames.read_frame(stream) == ({"type": "next"}, {})
    assert frames.read_frame(stream) is None


def test_layout_on_the_wire():
    stream = io.BytesIO()
    frames.write_frame(stream, {"id": 1}, {"a": np.array([1, 2], np.uint16)})
    text = b'{"id":1,"arrays":[{"name":"a","dtype":"u2","shape":[2]}]}'
    expected = b"HFNE" + b"\x03\x00" + b"\x00\x00" + bytes([len(text), 0, 0, 0]) + b"\x04" + bytes(7)
    assert stream.getvalue() == expected + text + b"\x01\x00\x02\x00"


def test_a_slow_pipe_gives_whole_frames():
    source, sink = os.pipe()
    stream = io.BytesIO()
    array = np.arange(3000, dtype=np.int32)
    frames.write_frame(stream, {"id": 1}, {"a": array})

    def drip():
        data = stream.getvalue()
        for start in range(0, len(data), 701):
            os.write(sink, data[start : start + 701])
        os.close(sink)

    writer = threading.Thread(target=drip)
    writer.start()
    with open(source, "rb", buffering=0) as reader:
        _message, arrays = frames.read_frame(reader)
        assert frames.read_frame(reader) is None
    writer.join()
    np.testing.assert_array_equal(arrays["a"], array)


OUT_OF_STEP = {
    "magic": packed({}, magic=b"HTTP"),
    "reserved": packed({}, reserved=1),
    "json too long": packed({}, lengths=(frames.MAX_JSON_BYTES + 1, 0)),
    "payload too long": packed({}, lengths=(2, frames.MAX_PAYLOAD_BYTES + 1)),
    "header cut": packed({})[:10],
    "json cut": packed({"a": 1})[:-1],
    "payload cut": packed(listed("u1", [4]), b"1234")[:-1],
    "refused payload cut": packed(b"[]", b"1234")[:-1],
}


@pytest.mark.parametrize("name", OUT_OF_STEP)
def test_broken_streams_are_given_up(name):
    with pytest.raises(frames.FrameError) as caught:
        read(OUT_OF_STEP[name])
    assert not caught.value.in_step


IN_STEP = {
    "no json": packed(b"{oops"),
    "no utf-8": packed(b'{"a":"\xff"}'),
    "not an object": packed([1]),
    "NaN": packed(b'{"a":NaN}'),
    "too deep": packed(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
    "arrays no list": packed({"arrays": {"a": 1}}),
    "entry no object": packed({"arrays": [1]}),
    "no name": packed({"arrays": [{"dtype": "u1", "shape": []}]}, b"1"),
    "same name": packed({"arrays": listed("u1", [1])["arrays"] * 2}, b"12"),
    "object dtype": packed(listed("O", [1]), b"12345678"),
    "dtype no text": packed(listed(["f4"], [1]), b"1234"),
    "negative": packed(listed("u1", [-1]), b""),
    "two negatives": packed(listed("u1", [-2, -2]), b"1234"),
    "float length": packed(listed("u1", [1.0]), b"1"),
    "true as length": packed(listed("u1", [True]), b"1"),
    "overflow": packed(listed("u1", [2**32, 2**32]), b""),
    "huge beside zero": packed(listed("f4", [2**40, 0, 2**40]), b""),
    "too many dimensions": packed(listed("u1", [1] * 9), b"1"),
    "too many arrays": packed({"arrays": [{"name": str(i), "dtype": "u1", "shape": [0]} for i in range(65)]}),
    "more than payload": packed(listed("f4", [2]), b"1234"),
    "less than payload": packed(listed("u1", [3]), b"1234"),
    "payload of no array": packed({"id": 1}, b"1234"),
}


@pytest.mark.parametrize("name", IN_STEP)
def test_bad_frames_are_skipped(name):
    stream = io.BytesIO(IN_STEP[name] + packed({"id": 2}))
    with pytest.raises(frames.FrameError) as caught:
        frames.read_frame(stream)
    assert caught.value.in_step
    assert frames.read_frame(stream) == ({"id": 2}, {})


def test_another_version_says_what_to_update():
    for version, who in ((frames.PROTOCOL_VERSION + 1, "this one"), (0, "the program that sent it")):
        with pytest.raises(frames.VersionMismatch) as caught:
            read(packed({}, version=version))
        assert f"update {who}" in caught.value.message and str(version) in caught.value.message


def test_a_lie_about_lengths_takes_no_memory():
    lies = [
        packed(listed("f4", [2**27]), lengths=(200, frames.MAX_PAYLOAD_BYTES)),
        packed({}, lengths=(2**32 - 1, 2**64 - 1)),
        packed(listed("f4", [2**27]), b"1234"),
    ]
    tracemalloc.start()
    try:
        for lie in lies:
            with pytest.raises(frames.FrameError):
                read(lie)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_bools_are_bools_whatever_was_sent():
    _, arrays = read(packed(listed("b1", [3]), b"\x00\x01\x07"))
    assert arrays["a"].tolist() == [False, True, True]
    assert arrays["a"].view(np.uint8).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "message, arrays",
    [
        ([1], {}),
        ({"arrays": []}, {}),
        ({"a": float("nan")}, {}),
        ({"a": object()}, {}),
        ({"a": np.float32(1)}, {}),
        ({"a": "x" * frames.MAX_JSON_BYTES}, {}),
        ({}, {"a": np.zeros(2)}),
        ({}, {"a": np.zeros(2, np.int64)}),
        ({}, {"a": np.array(["text"])}),
        ({}, {"a": np.array([None])}),
        ({}, {"": np.zeros(2, np.float32)}),
        ({}, {str(i): np.zeros(1, np.uint8) for i in range(65)}),
        ({}, {"a": np.broadcast_to(np.uint8(0), (1,)), "b": np.zeros((1,) * 9, np.uint8)}),
    ],
)
def test_what_cannot_be_sent_is_refused_before_a_byte_is_written(message, arrays):
    stream = io.BytesIO()
    with pytest.raises(frames.FrameError):
        frames.write_frame(stream, message, arrays)
    assert stream.getvalue() == b""
