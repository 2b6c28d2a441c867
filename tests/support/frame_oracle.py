# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold for the frame decoders whatever bytes they read; used with Hypothesis and with atheris."""

import io

import numpy as np

from hffne.service import frames as engine_frames
from hffne_blender.engine import frames as client_frames

DECODERS = (engine_frames, client_frames)


class Stream(io.RawIOBase):
    """Bytes that come in pieces of `step`, and that remember the largest count requested at once."""

    def __init__(self, data, step=1 << 20):
        self.data, self.at, self.step, self.requested = bytes(data), 0, max(step, 1), 0

    def read(self, count=-1):
        self.requested = max(self.requested, count)
        block = self.data[self.at : self.at + min(count, self.step)]
        self.at += len(block)
        return block

    def readinto(self, target):
        block = self.read(len(target))
        target[: len(block)] = block
        return len(block)


def check(frames, data, step=1 << 20):
    """Read all frames of `data`; returns them. Raises AssertionError where the decoder breaks a rule."""
    stream, found = Stream(data, step), []
    while True:
        start = stream.at
        try:
            frame = frames.read_frame(stream)
        except frames.FrameError as error:
            assert stream.requested <= frames.MAX_PAYLOAD_BYTES
            if not error.in_step:
                return found
            # In step: exactly the frame that the header announced has been passed over.
            _, _, _, text, payload = frames.HEADER.unpack(stream.data[start : start + frames.HEADER.size])
            assert stream.at == start + frames.HEADER.size + text + payload, "out of step"
            continue
        if frame is None:
            assert stream.at == len(stream.data), "the end was reported too early"
            return found
        message, arrays = frame
        _, _, _, text, payload = frames.HEADER.unpack(stream.data[start : start + frames.HEADER.size])
        assert stream.at == start + frames.HEADER.size + text + payload, "a part was taken for the whole"
        assert isinstance(message, dict) and "arrays" not in message
        assert sum(array.nbytes for array in arrays.values()) == payload
        assert text <= frames.MAX_JSON_BYTES and payload <= frames.MAX_PAYLOAD_BYTES
        for array in arrays.values():
            assert isinstance(array, np.ndarray) and array.dtype in frames.DTYPES.values()
        found.append(frame)
