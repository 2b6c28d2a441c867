# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of the messages: it agrees with the code on both sides, and its checks refuse what does not fit."""

import math

import numpy as np
import pytest

import fake_face
import fake_head
from hffne import crop_levels, errors
from hffne.errors import RequestError
from hffne.maps.registry import MAPS
from hffne.service import frames, protocol, requests
from hffne.service.protocol import Array, Field, Message, ProtocolError
from hffne_blender.numeric import received_face

GENERATE = protocol.RESULTS["generate"]


def test_the_limits_are_the_code_s():
    assert tuple(protocol.MAP_ARRAYS) == tuple(MAPS)
    assert (*protocol.CROP_SIZES, protocol.CROP_STEP) == (crop_levels.CROP, crop_levels.LARGEST, crop_levels.STEP)
    assert {array.dtype for message in protocol.RESULTS.values() for array in message.arrays.values()} <= set(
        frames.DTYPES
    )


def test_the_extension_checks_the_same_maps():
    described = {name: array for arrays in protocol.MAP_ARRAYS.values() for name, array in arrays.items()}
    assert set(received_face.MAP_TYPES) == set(described)
    for name, (dtype, channels, same_size) in received_face.MAP_TYPES.items():
        array = described[name]
        assert frames.DTYPES[array.dtype] == dtype, name
        assert array.shape[2:] == ((channels,) if channels else ()), name
        assert (array.shape[:2] == ("T", "T")) == same_size, name


@pytest.mark.parametrize("about", [f for m in protocol.REQUESTS.values() for f in m.fields.values()])
def test_each_field_of_a_request_says_what_it_expects(about):
    assert about.meaning and about.expected()
    assert not about.allows(object()) and not about.allows([object()])
    if about.default not in (None, ()):
        assert about.allows(about.default)


@pytest.mark.parametrize(
    ("about", "good", "bad"),
    [
        (Field("integer", "", low=8, high=64, step=8), [8, 64], [7, 12, 65, 8.0, True, "8", None]),
        (Field("number", "", low=0, high=1), [0, 1, 0.5], [-0.1, 1.1, True, "0", float("nan"), float("inf")]),
        (Field("boolean", ""), [True, False], [0, 1, "true", None]),
        (Field("text", ""), ["a"], ["", 1, None, ["a"]]),
        (Field("text", "", choices=("m",)), ["m"], ["cm", ""]),
        (Field("object", ""), [{}, {"a": 1}], [[], "a", None]),
        (Field("texts", "", low=1, high=2), [["a"], ["a", "b"]], [[], ["a", "b", "c"], "a", [1]]),
        (Field("texts", "", choices=("a",)), [[], ["a"]], [["b"], ("a",)]),
        (Field("numbers", "", low=2, high=2), [[1, 2.5]], [[1], [1, 2, 3], [1, "2"], [1, float("nan")], [1, True]]),
        (Field("objects", ""), [[], [{}]], [[1], {}]),
        (Field("face", ""), ["largest", 0, 7], ["smallest", -1, True, 1.0, None]),
    ],
    ids=lambda value: value.expected() if isinstance(value, Field) else "",
)
def test_a_field_allows_its_values_only(about, good, bad):
    assert all(about.allows(value) for value in good)
    assert not [value for value in bad if about.allows(value)]


def test_a_request_is_read_with_its_defaults():
    request = requests.parse({"type": "generate", "id": 1, "photo": "a.jpg", "unknown": 3})
    assert (request.face, request.texture_size, request.grid, request.size) == ("largest", 1024, 128, None)
    assert (request.base, request.lod) == ("head", "full")
    assert (
        request.keep == ()
        and request.color is True
        and request.maps == ()
        and [path.name for path in request.photos] == ["a.jpg"]
    )
    several = requests.parse({"type": "generate", "id": 1, "photos": ["a.jpg", "b.jpg"], "maps": ["height"]})
    assert [path.name for path in several.photos] == ["a.jpg", "b.jpg"] and several.maps == ("height",)
    assert requests.parse({"type": "faces", "id": 1, "photo": "a.jpg"}).thumbnails == 0
    with pytest.raises(RequestError, match="'texture_size' must be a whole number from 64 to 8192") as caught:
        requests.parse({"type": "generate", "id": 1, "photo": "a.jpg", "texture_size": 8})
    assert caught.value.hint == "Choose another value."
    with pytest.raises(RequestError, match="'lod' must be full or half or game"):
        requests.parse({"type": "generate", "id": 1, "photo": "a.jpg", "lod": "tiny"})
    assert requests.parse({"type": "generate", "id": 1, "photo": "a.jpg", "keep": ["hair"]}).keep == ("hair",)
    with pytest.raises(RequestError, match="'keep' must be a list of texts out of hair, glasses"):
        requests.parse({"type": "generate", "id": 1, "photo": "a.jpg", "keep": ["hat"]})
    with pytest.raises(RequestError, match="'photos'"):
        requests.parse({"type": "generate", "id": 1, "photos": ["a.jpg", ""]})


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.1, 0.1), (60, 60.0), (0.05, None), (61, None), ("2", None), (True, None)]
)
def test_a_heartbeat_is_requested_within_limits(seconds, expected):
    assert requests.heartbeat({"heartbeat": seconds}) == expected
    assert requests.heartbeat({}) is None


def test_a_face_is_as_described():
    message, arrays = fake_face.answer("a", 64, 16, True, MAPS)
    assert protocol.checked_fields(GENERATE, message)["name"] == "a"
    protocol.check_arrays(GENERATE, arrays)
    _, of_head = fake_head.answer("a", 64, 16, True, MAPS)
    protocol.check_arrays(GENERATE, of_head)
    assert set(of_head) == set(GENERATE.arrays), "every array is described, and the other way round"
    assert set(arrays) < set(of_head)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("uvs", None),
        ("uvs", lambda array: array[:-1]),
        ("quads", lambda array: array.astype(np.int64)),
        ("quads", lambda array: array[:, :3]),
        ("normal", lambda array: array[:, 1:]),
        ("normal", lambda array: array[..., 0]),
        ("color", lambda array: array.astype(np.uint16)),
        ("height", lambda array: array[:-1, :-1]),
        ("landmarks", lambda array: array[:67]),
    ],
)
def test_an_array_that_does_not_fit_is_named(name, change):
    _, arrays = fake_face.answer("a", 64, 16, True, ["height"])
    if change is None:
        del arrays[name]
    else:
        arrays[name] = change(arrays[name])
    with pytest.raises(ProtocolError, match=f"'({name}|quads|color|confidence)'"):
        protocol.check_arrays(GENERATE, arrays)


def test_a_length_has_a_limit():
    about = Message("", {}, {"thumbnails": Array("u1", ("N", "P", "P", 3), "")})
    protocol.check_arrays(about, {"thumbnails": np.zeros((24, 8, 8, 3), np.uint8)})
    for shape in ((25, 8, 8, 3), (2, 8, 9, 3), (1, 513, 513, 3)):
        with pytest.raises(ProtocolError, match="thumbnails"):
            protocol.check_arrays(about, {"thumbnails": np.zeros(shape, np.uint8)})


def test_the_largest_face_fits_into_a_frame():
    most = {**protocol.MAX_LENGTHS, "V": 30_000, "Q": 30_000, "K": 60, "D": 60 * 30_000, "R": 30}
    sizes = {
        name: frames.DTYPES[array.dtype].itemsize * math.prod(most.get(side, side) for side in array.shape)
        for name, array in GENERATE.arrays.items()
    }
    # Normals at 16 bits a channel: in float32 they alone would take twice as much.
    assert sizes["normal"] == 8192 * 8192 * 3 * 2
    assert sum(sizes.values()) <= frames.MAX_PAYLOAD_BYTES


@pytest.mark.parametrize("cls", errors.classes_by_code().values(), ids=lambda cls: cls.code)
def test_every_error_is_an_error_message(cls):
    fields = protocol.checked_fields(protocol.REPLIES["error"], {**cls("what", hint="do").as_dict(), "fatal": False})
    assert fields["exit_code"] == cls.exit_code and fields["code"] == cls.code
