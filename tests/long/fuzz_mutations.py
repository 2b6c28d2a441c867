# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that are changed at random, thousands at once, for both frame decoders; a part of `fuzz.py`.

Each input must give the same from both: whole frames, and an error of the format where it is not one; after an error
that is "in step" the stream stands at the next frame.
"""

import collections
import io
import json

import numpy as np

from frame_oracle import DECODERS
from hffne.service import frames as codec

BATCH = 4096
# Bytes of JSON, so that many texts can still be read.
JSON_BYTES = np.frombuffer(b'{}[]":,0123456789-+.eEtrufalsn\\ /x\x00\xff\xc3\xa9', np.uint8)
NUMBERS = (0, 1, 2, 7, 255, 256, 65535, 1 << 20, (1 << 20) + 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 1)
LARGE = (*NUMBERS, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
# In the place of a value of the JSON text.
TOKENS = (
    b"null", b"true", b"-1", b"0", b"1e400", b"NaN", b"Infinity", b'"x"', b'""', b"[]", b"{}", b"[[1]]", b"1.5",
    b"9" * 400, b'"f4"', b'"f8"', b'"b1"', b'"\\ud800"', b"[" * 600, b'"\xff"', b"2147483648", b"[0,99999999999999]",
)  # fmt: skip


def seeds():
    """Sound frames, as bytes."""
    made = [
        ({"type": "hello", "id": 0}, {}),
        ({"type": "progress", "id": 1, "stage": "load", "fraction": 0.5, "message": "Loading"}, {}),
        ({"type": "result", "id": 1, "name": "\u00e9"}, {"vertices": np.arange(6, dtype=np.float32).reshape(2, 3)}),
        ({"id": 2}, {"a": np.ones((2, 2), np.uint8), "b": np.zeros((0, 3), bool), "c": np.array([True, False])}),
        ({"id": 3, "camera": {"scale": [1, 2.5]}}, {"n": np.zeros((1, 2, 3), np.uint16), "i": np.int32([-1])}),
    ]
    whole = []
    for message, arrays in made:
        head, blocks = codec.encode(message, arrays)
        whole.append(head + b"".join(bytes(block) for block in blocks))
    return [*whole, whole[2] + whole[0], whole[3] + whole[3]]


def batch(frame, chance):
    """BATCH changed copies of a frame, a list of bytes."""
    way = int(chance.integers(6))
    if way == 5:
        return [_with_token(frame, chance) for _ in range(BATCH)]
    many = np.tile(np.frombuffer(frame, np.uint8), (BATCH, 1))
    rows = np.arange(BATCH)
    text = int.from_bytes(frame[8:12], "little")
    begin, end = (codec.HEADER.size, codec.HEADER.size + text) if way in (1, 2) else (0, len(frame))
    for _ in range(int(chance.integers(1, 5))):
        at = chance.integers(begin, end, BATCH)
        many[rows, at] = chance.choice(JSON_BYTES, BATCH) if way == 1 else chance.integers(0, 256, BATCH)
    if way == 3:
        many[:] = np.frombuffer(frame, np.uint8)
        many[:, 8:12] = _numbers(NUMBERS, text, BATCH, chance).astype("<u4").view(np.uint8).reshape(BATCH, 4)
        many[:, 12:20] = _numbers(LARGE, len(frame), BATCH, chance).astype("<u8").view(np.uint8).reshape(BATCH, 8)
    if way == 4:
        return [bytes(row[:cut]) for row, cut in zip(many, chance.integers(0, len(frame), BATCH), strict=True)]
    return [bytes(row) for row in many]


def _numbers(values, sound, count, chance):
    """Lengths: remarkable ones, and some about the right one."""
    picked = np.array(values, np.uint64)[chance.integers(0, len(values), count)]
    near = (sound + chance.integers(-3, 4, count)).clip(0).astype(np.uint64)
    return np.where(chance.random(count) < 0.4, near, picked)


def _with_token(frame, chance):
    """The frame with a piece of its JSON replaced, and lengths that are right for it."""
    text = int.from_bytes(frame[8:12], "little")
    json_text, payload = frame[codec.HEADER.size : codec.HEADER.size + text], frame[codec.HEADER.size + text :]
    first = int(chance.integers(0, text))
    last = min(text, first + int(chance.integers(0, 12)))
    json_text = json_text[:first] + TOKENS[int(chance.integers(len(TOKENS)))] + json_text[last:]
    return codec.HEADER.pack(codec.MAGIC, codec.PROTOCOL_VERSION, 0, len(json_text), len(payload)) + json_text + payload


def outcome(decoder, data):
    """What a decoder makes of an input: a tuple that can be compared, one entry a frame and one for the end."""
    stream, result = io.BytesIO(data), []
    while True:
        start = stream.tell()
        try:
            frame = decoder.read_frame(stream)
        except decoder.FrameError as error:
            result.append((error.code, str(error), error.in_step))
            if not error.in_step:
                return tuple(result)
        else:
            if frame is None:
                assert stream.tell() == len(data), "the end was reported too early"
                return (*result, None)
            message, arrays = frame
            assert isinstance(message, dict) and "arrays" not in message
            for array in arrays.values():
                assert array.dtype in decoder.DTYPES.values() and array.flags.writeable
            held = tuple((name, array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items())
            result.append((json.dumps(message), held))
        text, payload = decoder.HEADER.unpack(data[start : start + decoder.HEADER.size])[3:]
        assert stream.tell() == start + decoder.HEADER.size + text + payload, "out of step"


def run(count, seed):
    """(how often each outcome, what escaped) of `count` inputs."""
    chance, found, escaped = np.random.default_rng(seed), collections.Counter(), collections.Counter()
    sound = seeds()
    assert all(outcome(decoder, data)[-1] is None for decoder in DECODERS for data in sound)
    done = 0
    while done < count:
        for data in batch(sound[int(chance.integers(len(sound)))], chance)[: count - done]:
            done += 1
            try:
                first, second = (outcome(decoder, data) for decoder in DECODERS)
                assert first == second, "the decoders differ"
            except Exception as error:  # whatever it is, it has escaped
                escaped[f"{type(error).__name__}: {str(error)[:80]}: {data[:80]!r}"] += 1
                continue
            last = first[-1]
            found["all whole" if last is None and all(len(one) == 2 for one in first[:-1]) else "refused"] += 1
            found["whole frames"] += sum(one is not None and len(one) == 2 for one in first)
            for one in first:
                if one is not None and len(one) == 3:
                    found[one[0] + (" in step" if one[2] else "")] += 1
        if done % (BATCH * 250) < BATCH:
            print(f"{done} frames, {sum(escaped.values())} escaped", flush=True)
    return found, escaped
