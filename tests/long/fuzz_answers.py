# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes the engine's messages at random and looks for any that is neither refused nor usable; a part of `fuzz.py`.

Masks, heads, faces, pictures, descriptions of the engine, progress and errors. One whose fields or arrays are wrong
must be one error of `engine.answers`, `engine.protocol` or `numeric.received_face`; one that is accepted must have the
stated types and numbers that are finite.
"""

import collections
import random
import warnings

import numpy as np

import fake_face
import fake_head
from hffne_blender.engine import answers, protocol
from hffne_blender.numeric.checked_arrays import ReceivedFaceError
from hffne_blender.numeric.received_face import ReceivedFace
from hffne_blender.system.errors import ExtensionError

VALUES = (
    None, True, 0, -1, 1e400, float("nan"), "x", "", [], {}, [None], {"a": 1}, 10**400, [1, 2, 3], [[1] * 3] * 3,
    [float("nan")] * 4, "\x1b[2J", -(2**63), "\ud800", "a\0b", "n" * 200, 2**70, [10**400],
)  # fmt: skip
FLOATS = (np.nan, np.inf, -np.inf, -1e30, 1e30)
INTEGERS = (2**31 - 1, -(2**31), -1)
TYPES = (np.float64, np.int8, np.float32, np.uint16, np.int32)


def changed_message(message, chance):
    """A copy of a message with one to three values replaced or removed, at any depth."""
    result = plain_copy(message)
    for _ in range(chance.randint(1, 3)):
        where = places(result)
        if not where:
            break
        owner, key = chance.choice(where)
        if isinstance(owner, dict) and chance.random() < 0.25:
            del owner[key]
        else:
            owner[key] = plain_copy(chance.choice(VALUES))
    return result


def plain_copy(value):
    """A copy of a value of JSON's types; much faster than `copy`."""
    if isinstance(value, dict):
        return {key: plain_copy(item) for key, item in value.items()}
    return [plain_copy(item) for item in value] if isinstance(value, list) else value


def places(value):
    """[(dict or list, key)] of everything in a message."""
    found = []
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        found += places(value[key])
    return found


def changed_arrays(arrays, chance):
    """The arrays with one replaced by another type, shape or values, or removed."""
    result = dict(arrays)
    name = chance.choice(list(result))
    array, way = result.pop(name), chance.randrange(6)
    if way == 0:
        return result
    if way == 1 and array.size:
        array = array.copy()
        array.flat[chance.randrange(array.size)] = chance.choice(FLOATS if array.dtype.kind == "f" else INTEGERS[2:])
    elif way == 2:
        array = array.astype(chance.choice(TYPES))
    elif way == 3:
        array = array[..., : max(0, array.shape[-1] - 1)]
    elif way == 4:
        array = array.reshape(-1)
    elif array.dtype == np.int32:
        array = array.copy()
        array.flat[chance.randrange(array.size)] = chance.choice(INTEGERS)
    return {**result, name: array}


def outcome(kind, message, arrays):
    """Refused, accepted, or what escaped."""
    try:
        if kind == "progress":
            protocol.checked_fields(protocol.REPLIES["progress"], message)
            return "accepted"
        if kind == "error":
            answers.check_error(message)
            error = ExtensionError.from_dict(message)
            sound = all(type(text) is str for text in (error.code, error.message, error.hint))
            return "accepted" if sound and type(error.exit_code) is int else "accepted with other types"
        if answers.check_result(kind, message, arrays) is not None:
            return "refused"
        if kind != "generate":
            return "accepted"
        face = ReceivedFace.from_answer(message, arrays)
    except (ReceivedFaceError, protocol.ProtocolError):
        return "refused"
    except TypeError as error:  # of `check_error`, which the client takes for a garbled message
        return "refused" if kind == "error" else f"TypeError: {error}"
    except Exception as error:  # whatever it is, it has escaped
        return f"{kind}: {type(error).__name__}: {str(error)[:80]}"
    return f"accepted{wrong(face)}"


def wrong(face):
    """What an accepted face must not have, in words, or ""."""
    camera = face.camera
    numbers = [camera["scale"], *camera["center"], *np.ravel(camera["rotation"]), *camera["crop"].values()]
    arrays = [face.vertices, face.uvs, face.normal, *face.maps.values()]
    texts = [face.name, *face.regions, *face.notices]
    if face.head is not None:
        arrays += [face.head.neutral, face.head.keys.deltas]
        texts += [*face.head.parts, *face.head.keys.names]
        if face.head.eyes is not None:
            numbers += [*face.head.eyes.iris_color, face.head.eyes.left.radius, *face.head.eyes.right.gaze]
    numbers += [float(np.abs(array.astype(np.float64)).max(initial=0)) for array in arrays]
    if not np.isfinite(numbers).all():
        return " with values that are not finite"
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return " with a text that is no text"
    return ""


def sound():
    """[(kind, message, arrays)] of every message that the engine sends."""
    small = {"texture_size": 16, "grid": 6}
    box = {"box": [1.0, 2, 30, 40], "score": 0.9}
    facts = {"protocol": 3, "version": "1", "device": "cpu", "device_name": "A Processor", "models": ["compact"]}
    return [
        ("generate", *fake_face.answer(**small)),
        ("generate", *fake_face.answer(**small, names=("albedo", "height", "bands", "relight"))),
        ("generate", *fake_head.answer(**small)),
        (
            "faces",
            {"photo_size": [9, 9], "faces": [box, box], "notices": []},
            {"overview": np.zeros((8, 8, 3), np.uint8)},
        ),
        ("picture", {}, {"picture": np.zeros((8, 8, 3), np.uint8)}),
        ("hello", facts, {}),
        ("progress", {"stage": "load", "fraction": 0.5, "message": "Loading"}, {}),
        ("error", {"code": "no_face", "message": "None", "hint": "", "exit_code": 2, "fatal": False}, {}),
    ]


def run(count, seed):
    """(how often each outcome, what escaped) of `count` messages."""
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")  # of numpy, where a value does not fit a type
    chance, found, escaped = random.Random(seed), collections.Counter(), collections.Counter()
    kinds = sound()
    for kind, message, arrays in kinds:
        assert outcome(kind, message, arrays) == "accepted", (kind, outcome(kind, message, arrays))
    # Faces have by far the most to be wrong.
    weights = [6, 3, 6, 2, 1, 1, 1, 1]
    for done in range(count):
        if done and done % 100_000 == 0:
            print(f"{done} answers, {sum(escaped.values())} escaped", flush=True)
        kind, message, arrays = chance.choices(kinds, weights)[0]
        both = chance.random()
        one = changed_message(message, chance) if both < 0.7 or not arrays else message
        other = changed_arrays(arrays, chance) if both > 0.4 and arrays else arrays
        result = outcome(kind, one, other)
        found[result if result in ("refused", "accepted") else "escaped"] += 1
        if result not in ("refused", "accepted"):
            escaped[result] += 1
    return found, escaped
