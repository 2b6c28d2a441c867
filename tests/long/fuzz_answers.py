# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes the engine's answers at random and looks for any that is neither refused nor usable.

    python tests/long/fuzz_answers.py [--count 1000000] [--seed 1]

An answer whose fields or arrays are wrong must be one error of `engine.answers` or `numeric.received_face`; one that is
accepted must have the stated types and numbers that are finite. Exit code 1 when something escapes.
"""

import argparse
import collections
import copy
import random
import sys
import time
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parents[1])]

import numpy as np

import fake_face
from hffne_blender.engine import answers
from hffne_blender.numeric.checked_arrays import ReceivedFaceError
from hffne_blender.numeric.received_face import ReceivedFace

VALUES = (
    None, True, 0, -1, 1e400, float("nan"), "x", "", [], {}, [None], {"a": 1}, 10**400, [1, 2, 3], [[1] * 3] * 3,
    [float("nan")] * 4, "\x1b[2J", -(2**63),
)  # fmt: skip
FLOATS = (np.nan, np.inf, -np.inf, -1e30, 1e30)
INTEGERS = (2**31 - 1, -(2**31), -1)
TYPES = (np.float64, np.int8, np.float32, np.uint16, np.int32)


def changed_message(message, chance):
    """A copy of a message with one to three values replaced or removed, at any depth."""
    result = copy.deepcopy(message)
    for _ in range(chance.randint(1, 3)):
        owner, key = chance.choice(places(result))
        if isinstance(owner, dict) and chance.random() < 0.25:
            del owner[key]
        else:
            owner[key] = copy.deepcopy(chance.choice(VALUES))
    return result


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


def outcome(message, arrays):
    """Refused, accepted, or what escaped."""
    try:
        if answers.check_result("generate", message, arrays) is not None:
            return "refused"
        face = ReceivedFace.from_answer(message, arrays)
    except ReceivedFaceError:
        return "refused"
    except Exception as error:  # whatever it is, it has escaped
        return f"{type(error).__name__}: {str(error)[:80]}"
    camera = face.camera
    numbers = [camera["scale"], *camera["center"], *np.ravel(camera["rotation"]), *camera["crop"].values()]
    for array in (face.vertices, face.uvs, face.normal, *face.maps.values()):
        numbers.append(float(np.abs(array.astype(np.float64)).max(initial=0)))
    return "accepted" if np.isfinite(numbers).all() else "accepted with values that are not finite"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")  # of numpy, where a value does not fit a type
    chance = random.Random(options.seed)
    message, arrays = fake_face.answer(texture_size=16, grid=6)
    assert outcome(message, arrays) == "accepted"
    found, started = collections.Counter(), time.monotonic()
    for count in range(options.count):
        if count and count % 100_000 == 0:
            print(f"{count} answers, {dict(found)}", flush=True)
        both = chance.random()
        one = changed_message(message, chance) if both < 0.7 else message
        other = changed_arrays(arrays, chance) if both > 0.4 else arrays
        found[outcome(one, other)] += 1
    escaped = {name: count for name, count in found.items() if name not in ("refused", "accepted")}
    print(f"{options.count} answers in {time.monotonic() - started:.0f} s: {found['refused']} refused,")
    print(f"{found['accepted']} accepted, {sum(escaped.values())} escaped {escaped or ''}")
    return bool(escaped)


if __name__ == "__main__":
    sys.exit(main())
