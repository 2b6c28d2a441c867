# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's threads on a pipe, with a stand-in for the networks."""

import os
import threading
import time
from pathlib import Path

import pytest

from engine_client import TIMEOUT, Client
from gated_engine import GatedEngine
from hffne import __version__
from hffne.service import frames
from hffne.service.engine_loop import EngineLoop


@pytest.fixture
def engine():
    return GatedEngine()


@pytest.fixture
def client(engine):
    """A client of a loop that runs in a thread; leaving ends the loop and checks that it ends."""
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    loop = EngineLoop(os.fdopen(their_in, "rb"), os.fdopen(their_out, "wb"), lambda: engine)
    codes = []
    thread = threading.Thread(target=lambda: codes.append(loop.run()), daemon=True)
    thread.start()
    client = Client(os.fdopen(our_out, "wb"), os.fdopen(our_in, "rb"))
    client.codes, client.thread = codes, thread
    yield client
    if not client.writer.closed:
        client.writer.close()
    engine.gate.set()
    thread.join(TIMEOUT)
    assert not thread.is_alive()


def test_hello_names_the_device(client):
    client.send(type="hello", id=0)
    message, arrays, _ = client.answer(0)
    assert message == {
        "type": "result",
        "id": 0,
        "protocol": frames.PROTOCOL_VERSION,
        "version": __version__,
        "device": "cpu",
        "device_name": "a stand-in",
        "models": ["compact"],
    }
    assert arrays == {}


def test_generate_reports_progress_and_the_result(client, astronaut_file):
    client.send(type="generate", id=5, photo=str(astronaut_file), texture_size=256, grid=32)
    message, arrays, progress = client.answer(5)
    assert message["type"] == "result" and message["units"] == "m"
    assert (message["name"], message["faces"], message["face"], message["texture_size"]) == ("astronaut", 1, 0, 256)
    assert message["photo_size"] == [512, 512] and len(message["box"]) == 4
    assert set(arrays) == {"normal", "color"} and arrays["normal"].shape == (4, 4, 3)
    fractions = [step["fraction"] for step in progress]
    assert len(fractions) >= 3 and fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] <= 1
    assert "coarse" in [step["stage"] for step in progress]


def test_several_photos_become_one_face(client, astronaut_file, tmp_path):
    other = tmp_path / "from the left.png"
    other.write_bytes(Path(astronaut_file).read_bytes())
    client.send(type="generate", id=1, photos=[str(astronaut_file), str(other)])
    message, _, progress = client.answer(1)
    assert message["type"] == "result" and message["name"] == "astronaut"
    fractions = [step["fraction"] for step in progress]
    assert fractions == sorted(fractions) and any("2 of 2" in step["message"] for step in progress)
    client.send(type="generate", id=2, photos=[])
    assert client.answer(2)[0]["code"] == "bad_request"
    client.send(type="generate", id=3, photos=[str(astronaut_file), str(tmp_path / "none.jpg")])
    message = client.answer(3)[0]
    assert message["code"] == "photo_not_found" and "none.jpg" in message["message"]


def test_other_sizes_and_maps_need_the_networks_only_once(client, astronaut_file, tmp_path):
    photo = tmp_path / "photo.png"
    photo.write_bytes(Path(astronaut_file).read_bytes())

    def stages(number, **wanted):
        client.send(type="generate", id=number, photo=str(photo), **wanted)
        message, _, progress = client.answer(number)
        assert (message["type"], message["faces"], message["photo_size"]) == ("result", 1, [512, 512])
        assert message["texture_size"] == wanted.get("texture_size", 1024)
        return {step["stage"] for step in progress}

    assert "coarse" in stages(1)
    known = stages(2, texture_size=256, maps=["height"], base="head", grid=32)
    assert "coarse" not in known and "unwrap" in known
    # Another face or detail is another question, and so is another photo under the same name.
    assert "coarse" in stages(3, face=0)
    assert "coarse" not in stages(4, face=0, texture_size=512)
    photo.write_bytes(photo.read_bytes() + b"!")
    assert "coarse" in stages(5, face=0)


def test_color_can_be_left_out(client, astronaut_file):
    client.send(type="generate", id=1, photo=str(astronaut_file), color=False)
    _, arrays, _ = client.answer(1)
    assert set(arrays) == {"normal"}


def test_cancel_while_it_runs_and_while_it_waits(client, engine, astronaut_file):
    engine.gate.clear()
    client.send(type="generate", id=1, photo=str(astronaut_file))
    client.send(type="generate", id=2, photo=str(astronaut_file))
    client.send(type="generate", id=3, photo=str(astronaut_file))
    assert engine.began.wait(TIMEOUT)
    client.send(type="cancel", id=2)
    client.send(type="cancel", id=1)
    client.send(type="cancel", id=99)
    # An answer from the reading thread: by then it has seen the cancels.
    client.send(type="nonsense", id=50)
    assert client.answer(50)[0]["code"] == "bad_request"
    engine.gate.set()
    assert client.answer(1)[0] == {"type": "cancelled", "id": 1}
    assert client.answer(2)[0] == {"type": "cancelled", "id": 2}
    assert client.answer(3)[0]["type"] == "result"


def test_an_id_can_be_used_again_after_a_cancel(client, engine, astronaut_file):
    engine.gate.clear()
    client.send(type="generate", id=1, photo=str(astronaut_file))
    assert engine.began.wait(TIMEOUT)
    client.send(type="cancel", id=1)
    client.send(type="generate", id=1, photo=str(astronaut_file))
    assert client.answer(1)[0]["code"] == "bad_request"
    engine.gate.set()
    assert client.answer(1)[0]["type"] == "cancelled"
    client.send(type="generate", id=1, photo=str(astronaut_file))
    assert client.answer(1)[0]["type"] == "result"


@pytest.mark.parametrize(
    "request_, code",
    [
        ({"photo": "no such file.jpg"}, "photo_not_found"),
        ({"photo": ""}, "bad_request"),
        ({"photo": 3}, "bad_request"),
        ({}, "bad_request"),
        ({"face": 7}, "no_face"),
        ({"face": -1}, "bad_request"),
        ({"face": True}, "bad_request"),
        ({"texture_size": 10**9}, "bad_request"),
        ({"texture_size": "1024"}, "bad_request"),
        ({"grid": 0}, "bad_request"),
        ({"size": 300}, "bad_request"),
        ({"size": 128}, "bad_request"),
        ({"color": 1}, "bad_request"),
        ({"maps": "height"}, "bad_request"),
        ({"maps": ["height", "taste"]}, "bad_request"),
    ],
)
def test_bad_requests_are_answered_and_the_engine_goes_on(client, astronaut_file, request_, code):
    if request_ and "photo" not in request_:
        request_ = {"photo": str(astronaut_file), **request_}
    client.send(type="generate", id=1, **request_)
    message, arrays, _ = client.answer(1)
    assert (message["type"], message["code"]) == ("error", code)
    assert message["message"] and message["hint"] and arrays == {}
    client.send(type="hello", id=2)
    assert client.answer(2)[0]["type"] == "result"


@pytest.mark.parametrize(
    "failure, code",
    [
        (RuntimeError('tensor a\n  File "x.py", line 3'), "internal"),
        (MemoryError(), "out_of_memory"),
        (ModuleNotFoundError("No module named 'torch'"), "engine_incomplete"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), "out_of_memory"),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), "out_of_memory"),
        (PermissionError(13, "Permission denied"), "file_error"),
    ],
)
def test_failures_are_data_never_a_traceback(client, engine, astronaut_file, failure, code):
    engine.failure = failure
    client.send(type="generate", id=1, photo=str(astronaut_file))
    message, _, _ = client.answer(1)
    assert (message["type"], message["code"]) == ("error", code)
    assert "\n" not in message["message"] and "Traceback" not in str(message)
    # After that nobody knows what libraries hold: the process ends, and the client starts a fresh one.
    assert message["fatal"] == (code == "out_of_memory")
    if message["fatal"]:
        return
    engine.failure = None
    client.send(type="generate", id=2, photo=str(astronaut_file))
    assert client.answer(2)[0]["type"] == "result"


@pytest.mark.parametrize(
    "message", [{"type": "hello"}, {"type": "hello", "id": "1"}, {"type": "hello", "id": True}, {}]
)
def test_a_request_needs_an_id(client, message):
    client.send(**message)
    answer, _ = client.receive()
    assert (answer["type"], answer["id"], answer["code"]) == ("error", None, "bad_request")


@pytest.mark.parametrize("kind", ["dance", None, 3, ["hello"]])
def test_unknown_types_are_refused(client, kind):
    client.send(type=kind, id=4)
    assert client.answer(4)[0]["code"] == "bad_request"


def test_too_many_waiting_requests_are_refused(client, engine, astronaut_file):
    engine.gate.clear()
    for number in range(70):
        client.send(type="generate", id=number, photo=str(astronaut_file))
    assert client.answer(69)[0]["code"] == "busy"


def test_a_bad_frame_is_answered_and_the_next_one_read(client):
    client.writer.write(frames.HEADER.pack(frames.MAGIC, frames.PROTOCOL_VERSION, 0, 5, 0) + b"{oops")
    client.send(type="hello", id=1)
    message, _ = client.receive()
    assert (message["type"], message["id"], message["code"]) == ("error", None, "bad_frame")
    assert client.answer(1)[0]["type"] == "result"


def test_another_version_is_told_what_to_update(client):
    client.writer.write(frames.HEADER.pack(frames.MAGIC, frames.PROTOCOL_VERSION + 1, 0, 2, 0) + b"{}")
    client.writer.flush()
    message, _ = client.receive()
    assert message["code"] == "version_mismatch" and "update" in message["message"]
    client.thread.join(TIMEOUT)
    assert client.codes == [1]


@pytest.mark.parametrize("end", ["shutdown", "close"])
def test_the_end_stops_the_running_request(client, engine, astronaut_file, end):
    engine.gate.clear()
    client.send(type="generate", id=1, photo=str(astronaut_file))
    assert engine.began.wait(TIMEOUT)
    if end == "shutdown":
        client.send(type="shutdown")
    else:
        client.writer.close()
    time.sleep(0.2)
    engine.gate.set()
    assert client.answer(1)[0]["type"] == "cancelled"
    client.thread.join(TIMEOUT)
    assert client.codes == [0]
