# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames: the packets in which the engine and its clients exchange messages over a pipe.

A frame is a fixed header, a JSON object in UTF-8, then raw arrays back to back:

    header  "<4sHHIQ": magic b"HFNE", protocol version, reserved 0,
            JSON length in bytes, payload length in bytes
    JSON    the message; its key "arrays" lists the payload's arrays, in order:
            [{"name": ..., "dtype": ..., "shape": [...]}, ...]
    payload the arrays, C order, little-endian

Only plain types cross the pipe, so neither side can send the other an object of
a library that is not installed there. Every length is checked before memory is taken.

This file stands twice, byte for byte the same: in the engine
(`hffne/service/frames.py`) and in the Blender extension
(`hffne_blender/engine/frames.py`), because neither may import the other.
It needs numpy and the standard library only.
"""

import json
import struct
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

MAGIC = b"HFNE"
PROTOCOL_VERSION = 3
HEADER = struct.Struct("<4sHHIQ")

MAX_JSON_BYTES = 1 << 20
MAX_PAYLOAD_BYTES = 5 << 29  # all maps at 8192
MAX_ARRAYS = 64
MAX_DIMENSIONS = 8

DTYPES: dict[str, np.dtype[Any]] = {
    "f4": np.dtype("<f4"),
    "i4": np.dtype("<i4"),
    "u2": np.dtype("<u2"),
    "u1": np.dtype("u1"),
    "b1": np.dtype("bool"),
}
_CODES = {dtype: code for code, dtype in DTYPES.items()}

_DRAIN_CHUNK = 1 << 16


class FrameError(ValueError):
    """A frame that cannot be read or written.

    `in_step` tells whether the stream stands at the start of the next frame, so
    that reading can go on; when it is False the only safe thing is to close.
    """

    code = "bad_frame"

    def __init__(self, message: str, in_step: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.in_step = in_step


class TruncatedFrame(FrameError):
    """The stream ended inside a frame."""

    code = "truncated_frame"


class VersionMismatch(FrameError):
    """The other side uses another version of the protocol."""

    code = "version_mismatch"

    def __init__(self, theirs: int) -> None:
        older = "the program that sent it" if theirs < PROTOCOL_VERSION else "this one"
        super().__init__(
            f"The frame has protocol version {theirs}, this side has {PROTOCOL_VERSION}: "
            f"update {older} so that the engine and the Blender extension have the same version."
        )
        self.theirs = theirs


def write_frame(stream: IO[bytes], message: dict[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> None:
    """Write one frame and flush.

    `message` is a dict of JSON types (without the key "arrays"); `arrays` maps
    names to numpy arrays of a dtype in `DTYPES`. Raises FrameError when the
    message is not plain or too large; nothing has been written then.
    """
    head, payload = encode(message, arrays)
    stream.write(head)
    for block in payload:
        stream.write(block)
    stream.flush()


def encode(message: dict[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> tuple[bytes, list[memoryview]]:
    """Return (header and JSON as bytes, list of array buffers) of one frame."""
    if not isinstance(message, dict):
        raise FrameError("A message is a dict.", in_step=True)
    if "arrays" in message:
        raise FrameError("The key 'arrays' belongs to the codec.", in_step=True)
    body = dict(message)
    blocks: list[memoryview] = []
    listing: list[dict[str, Any]] = []
    total = 0
    for name, value in (arrays or {}).items():
        array = _plain_array(name, value)
        listing.append({"name": name, "dtype": _CODES[array.dtype], "shape": list(array.shape)})
        total += array.nbytes
        if array.nbytes:
            blocks.append(array.reshape(-1).view(np.uint8).data)
    if listing:
        body["arrays"] = listing
    if len(listing) > MAX_ARRAYS:
        raise FrameError(f"{len(listing)} arrays in a message, at most {MAX_ARRAYS}.", in_step=True)
    if total > MAX_PAYLOAD_BYTES:
        raise FrameError(f"{total} bytes of arrays, at most {MAX_PAYLOAD_BYTES}.", in_step=True)
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"The message is not plain JSON: {error}", in_step=True) from None
    if len(text) > MAX_JSON_BYTES:
        raise FrameError(f"{len(text)} bytes of JSON, at most {MAX_JSON_BYTES}.", in_step=True)
    return HEADER.pack(MAGIC, PROTOCOL_VERSION, 0, len(text), total) + text, blocks


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """Read one frame: (message dict, {name: array}), or None at a clean end.

    Blocks until a whole frame has come. Arrays are fresh, writable and C order.
    Raises FrameError; see `FrameError.in_step` for whether to go on.
    """
    head = _read_up_to(stream, HEADER.size)
    if not head:
        return None
    if len(head) < HEADER.size:
        raise TruncatedFrame("The stream ended inside a frame's header.")
    magic, version, reserved, json_length, payload_length = HEADER.unpack(head)
    if magic != MAGIC:
        raise FrameError("This is not a frame: the magic bytes are missing.")
    if version != PROTOCOL_VERSION:
        raise VersionMismatch(version)
    if reserved != 0:
        raise FrameError("The reserved field of a frame's header is not 0.")
    if json_length > MAX_JSON_BYTES:
        raise FrameError(f"A frame announces {json_length} bytes of JSON, at most {MAX_JSON_BYTES}.")
    if payload_length > MAX_PAYLOAD_BYTES:
        raise FrameError(f"A frame announces {payload_length} bytes of arrays, at most {MAX_PAYLOAD_BYTES}.")
    text = _read_up_to(stream, json_length)
    if len(text) < json_length:
        raise TruncatedFrame("The stream ended inside a frame's JSON.")
    try:
        message = _parse(text)
        listing = _parse_listing(message.pop("arrays", []), payload_length)
    except FrameError:
        # Only the content is wrong, not the lengths: skip to the next frame.
        _drain(stream, payload_length)
        raise
    return message, {name: _read_array(stream, dtype, shape, nbytes) for name, dtype, shape, nbytes in listing}


def _plain_array(name: str, value: object) -> np.ndarray:
    if not isinstance(name, str) or not name:
        raise FrameError("An array's name is a non-empty string.", in_step=True)
    array = np.asarray(value)
    dtype = array.dtype.newbyteorder("<")
    if dtype not in _CODES:
        raise FrameError(f"The array '{name}' is {array.dtype}; only {', '.join(DTYPES)} can be sent.", in_step=True)
    if array.ndim > MAX_DIMENSIONS:
        raise FrameError(f"The array '{name}' has more than {MAX_DIMENSIONS} dimensions.", in_step=True)
    # asarray, not ascontiguousarray: the latter turns a scalar into a vector.
    return np.asarray(array, dtype=dtype, order="C")


def _parse(text: bytearray) -> dict[str, Any]:
    try:
        message = json.loads(bytes(text).decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"The frame's JSON cannot be read: {error}", in_step=True) from None
    if not isinstance(message, dict):
        raise FrameError("The frame's JSON is not an object.", in_step=True)
    return message


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _parse_listing(entries: object, payload_length: int) -> list[tuple[str, np.dtype[Any], tuple[int, ...], int]]:
    """(name, dtype, shape, bytes) of each array, checked against the payload's length without taking memory."""
    if not isinstance(entries, list) or len(entries) > MAX_ARRAYS:
        raise FrameError(f"'arrays' is not a list of at most {MAX_ARRAYS} arrays.", in_step=True)
    listing: list[tuple[str, np.dtype[Any], tuple[int, ...], int]] = []
    names: set[str] = set()
    total = 0
    for entry in entries:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name or name in names:
            raise FrameError("Each array needs a name of its own.", in_step=True)
        names.add(name)
        code = entry.get("dtype")
        if not isinstance(code, str) or code not in DTYPES:
            raise FrameError(f"The array '{name}' has an unknown dtype.", in_step=True)
        shape = entry.get("shape")
        if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
            raise FrameError(f"The array '{name}' has no shape.", in_step=True)
        extent = DTYPES[code].itemsize
        for length in shape:
            # bool is an int in Python, but true is not a length.
            if type(length) is not int or length < 0:
                raise FrameError(f"The array '{name}' has an impossible shape.", in_step=True)
            # Without the zeros: numpy refuses huge lengths beside a zero, too.
            extent *= max(length, 1)
        if extent > MAX_PAYLOAD_BYTES:
            raise FrameError(f"The array '{name}' has an impossible shape.", in_step=True)
        nbytes = 0 if 0 in shape else extent
        total += nbytes
        if total > payload_length:
            raise FrameError("The arrays are larger than the frame's payload.", in_step=True)
        listing.append((name, DTYPES[code], tuple(shape), nbytes))
    if total != payload_length:
        raise FrameError("The arrays do not fill the frame's payload.", in_step=True)
    return listing


def _read_array(stream: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...], nbytes: int) -> np.ndarray:
    buffer = np.empty(nbytes, np.uint8)
    view = buffer.data
    filled = 0
    while filled < nbytes:
        count = stream.readinto(view[filled:])  # type: ignore[attr-defined]  # typeshed: IO has no readinto, pipes and files do
        if not count:
            raise TruncatedFrame("The stream ended inside a frame's arrays.")
        filled += count
    if dtype.kind == "b":
        # Bytes other than 0 and 1 are not bools, but numpy would keep them.
        return (buffer != 0).reshape(shape)
    return buffer.view(dtype).reshape(shape)


def _read_up_to(stream: IO[bytes], count: int) -> bytearray:
    """`count` bytes, or fewer at the end of the stream; a pipe may give less at once."""
    data = bytearray()
    while len(data) < count:
        block = stream.read(count - len(data))
        if not block:
            break
        data += block
    return data


def _drain(stream: IO[bytes], count: int) -> None:
    """Skip `count` bytes."""
    while count:
        block = stream.read(min(count, _DRAIN_CHUNK))
        if not block:
            raise TruncatedFrame("The stream ended inside a frame's arrays.")
        count -= len(block)
