# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine on a pipe: the protocol with a stand-in for the networks, then the real process."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from hffne import __version__
from hffne.errors import Cancelled
from hffne.service import frames
from hffne.service.engine_loop import EngineLoop

TIMEOUT = 60


class Asset:
    def as_message(self):
        return {"units": "m"}, {"normal": np.ones((4, 4, 3), np.float32), "color": np.zeros((4, 4, 3), np.uint8)}


class Engine:
    """What the loop needs of pipeline.Engine; `gate` holds a generate between two stages."""

    device, device_name, model = "cpu", "a stand-in", "compact"
    failure = None

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Event()

    def normals(self, photo, face, report, cancelled):
        report("coarse", 0.3, "Halfway")
        self.began.set()
        assert self.gate.wait(TIMEOUT)
        if cancelled():
            raise Cancelled
        if self.failure:
            raise self.failure
        return "estimate"

    def build(self, photo, estimate, texture_size, grid, report, cancelled, maps=()):
        assert estimate == "estimate"
        report("unwrap", 0.7, "Nearly there")
        return Asset()

    def build_multi_photo(self, views, texture_size, grid, report, cancelled, maps=()):
        assert [estimate for _, estimate in views] == ["estimate"] * len(views)
        self.merged = len(views)
        return Asset()


class Client:
    """The other end of the engine's pipes."""

    def __init__(self, writer, reader):
        self.writer, self.reader = writer, reader

    def say(self, **message):
        frames.write_frame(self.writer, message)

    def hear(self):
        return frames.read_frame(self.reader)

    def answer(self, number):
        """(final message, arrays, progress messages) of a request."""
        progress = []
        while True:
            frame = self.hear()
            assert frame is not None, "the engine has gone"
            message, arrays = frame
            if message.get("id") == number and message["type"] != "progress":
                return message, arrays, progress
            if message.get("id") == number:
                progress.append(message)


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def client(engine):
    """A client of a loop that runs in a thread; leaving ends the loop and checks that it ends."""
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    loop = EngineLoop(open(their_in, "rb"), open(their_out, "wb"), lambda: engine)
    codes = []
    thread = threading.Thread(target=lambda: codes.append(loop.run()), daemon=True)
    thread.start()
    client = Client(open(our_out, "wb"), open(our_in, "rb"))
    client.codes, client.thread = codes, thread
    yield client
    if not client.writer.closed:
        client.writer.close()
    engine.gate.set()
    thread.join(TIMEOUT)
    assert not thread.is_alive()


def test_hello_names_the_device(client):
    client.say(type="hello", id=0)
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
    client.say(type="generate", id=5, photo=str(astronaut_file), texture_size=256, grid=32)
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
    client.say(type="generate", id=1, photos=[str(astronaut_file), str(other)])
    message, _, progress = client.answer(1)
    assert message["type"] == "result" and message["name"] == "astronaut"
    fractions = [step["fraction"] for step in progress]
    assert fractions == sorted(fractions) and any("2 of 2" in step["message"] for step in progress)
    client.say(type="generate", id=2, photos=[])
    assert client.answer(2)[0]["code"] == "bad_request"
    client.say(type="generate", id=3, photos=[str(astronaut_file), str(tmp_path / "none.jpg")])
    message = client.answer(3)[0]
    assert message["code"] == "photo_not_found" and "none.jpg" in message["message"]


def test_color_can_be_left_out(client, astronaut_file):
    client.say(type="generate", id=1, photo=str(astronaut_file), color=False)
    _, arrays, _ = client.answer(1)
    assert set(arrays) == {"normal"}


def test_cancel_while_it_runs_and_while_it_waits(client, engine, astronaut_file):
    engine.gate.clear()
    client.say(type="generate", id=1, photo=str(astronaut_file))
    client.say(type="generate", id=2, photo=str(astronaut_file))
    client.say(type="generate", id=3, photo=str(astronaut_file))
    assert engine.began.wait(TIMEOUT)
    client.say(type="cancel", id=2)
    client.say(type="cancel", id=1)
    client.say(type="cancel", id=99)
    # An answer from the reading thread: by then it has seen the cancels.
    client.say(type="nonsense", id=50)
    assert client.answer(50)[0]["code"] == "bad_request"
    engine.gate.set()
    assert client.answer(1)[0] == {"type": "cancelled", "id": 1}
    assert client.answer(2)[0] == {"type": "cancelled", "id": 2}
    assert client.answer(3)[0]["type"] == "result"


def test_an_id_can_be_used_again_after_a_cancel(client, engine, astronaut_file):
    engine.gate.clear()
    client.say(type="generate", id=1, photo=str(astronaut_file))
    assert engine.began.wait(TIMEOUT)
    client.say(type="cancel", id=1)
    client.say(type="generate", id=1, photo=str(astronaut_file))
    assert client.answer(1)[0]["code"] == "bad_request"
    engine.gate.set()
    assert client.answer(1)[0]["type"] == "cancelled"
    client.say(type="generate", id=1, photo=str(astronaut_file))
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
    client.say(type="generate", id=1, **request_)
    message, arrays, _ = client.answer(1)
    assert (message["type"], message["code"]) == ("error", code)
    assert message["message"] and message["hint"] and arrays == {}
    client.say(type="hello", id=2)
    assert client.answer(2)[0]["type"] == "result"


@pytest.mark.parametrize(
    "failure, code",
    [
        (RuntimeError('tensor a\n  File "x.py", line 3'), "internal"),
        (MemoryError(), "out_of_memory"),
        (ModuleNotFoundError("No module named 'torch'"), "engine_incomplete"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), "out_of_memory"),
        (PermissionError(13, "Permission denied"), "file_error"),
    ],
)
def test_failures_are_data_never_a_traceback(client, engine, astronaut_file, failure, code):
    engine.failure = failure
    client.say(type="generate", id=1, photo=str(astronaut_file))
    message, _, _ = client.answer(1)
    assert (message["type"], message["code"]) == ("error", code)
    assert "\n" not in message["message"] and "Traceback" not in str(message)
    engine.failure = None
    client.say(type="generate", id=2, photo=str(astronaut_file))
    assert client.answer(2)[0]["type"] == "result"


@pytest.mark.parametrize(
    "message", [{"type": "hello"}, {"type": "hello", "id": "1"}, {"type": "hello", "id": True}, {}]
)
def test_a_request_needs_an_id(client, message):
    client.say(**message)
    answer, _ = client.hear()
    assert (answer["type"], answer["id"], answer["code"]) == ("error", None, "bad_request")


@pytest.mark.parametrize("kind", ["dance", None, 3, ["hello"]])
def test_unknown_types_are_refused(client, kind):
    client.say(type=kind, id=4)
    assert client.answer(4)[0]["code"] == "bad_request"


def test_too_many_waiting_requests_are_refused(client, engine, astronaut_file):
    engine.gate.clear()
    for number in range(70):
        client.say(type="generate", id=number, photo=str(astronaut_file))
    assert client.answer(69)[0]["code"] == "busy"


def test_a_bad_frame_is_answered_and_the_next_one_read(client):
    client.writer.write(frames.HEADER.pack(frames.MAGIC, frames.PROTOCOL_VERSION, 0, 5, 0) + b"{oops")
    client.say(type="hello", id=1)
    message, _ = client.hear()
    assert (message["type"], message["id"], message["code"]) == ("error", None, "bad_frame")
    assert client.answer(1)[0]["type"] == "result"


def test_another_version_is_told_what_to_update(client):
    client.writer.write(frames.HEADER.pack(frames.MAGIC, frames.PROTOCOL_VERSION + 1, 0, 2, 0) + b"{}")
    client.writer.flush()
    message, _ = client.hear()
    assert message["code"] == "version_mismatch" and "update" in message["message"]
    client.thread.join(TIMEOUT)
    assert client.codes == [1]


@pytest.mark.parametrize("end", ["shutdown", "close"])
def test_the_end_stops_the_running_request(client, engine, astronaut_file, end):
    engine.gate.clear()
    client.say(type="generate", id=1, photo=str(astronaut_file))
    assert engine.began.wait(TIMEOUT)
    if end == "shutdown":
        client.say(type="shutdown")
    else:
        client.writer.close()
    time.sleep(0.2)
    engine.gate.set()
    assert client.answer(1)[0]["type"] == "cancelled"
    client.thread.join(TIMEOUT)
    assert client.codes == [0]


# The real process


class Process(Client):
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hffne", "serve", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        super().__init__(self.process.stdin, self.process.stdout)
        self.log = []
        # Drained, so that a full pipe cannot hold the engine up.
        self._drain = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self._drain.start()

    def end(self):
        """Close its input; returns its exit code."""
        self.writer.close()
        code = self.process.wait(TIMEOUT)
        self._drain.join(TIMEOUT)
        return code


@pytest.fixture(scope="module")
def served():
    process = Process("--device", "cpu")
    yield process
    process.process.kill()
    process.process.wait()


def test_the_engine_says_what_it_is(served):
    served.say(type="hello", id=0)
    hello, _, _ = served.answer(0)
    assert hello["type"] == "result", hello
    assert (hello["device"], hello["protocol"]) == ("cpu", frames.PROTOCOL_VERSION)
    assert hello["models"] and hello["device_name"]


def test_the_engine_finds_the_faces_of_a_photo(served, astronaut_file):
    served.say(type="faces", id=1, photo=str(astronaut_file))
    message, _, _ = served.answer(1)
    assert message["photo_size"] == [512, 512]
    (face,) = message["faces"]
    assert abs(face["box"][0] - 179) < 8 and face["score"] > 0.9


def test_the_engine_sends_a_picture_of_each_face(served, astronaut_file):
    served.say(type="faces", id=3, photo=str(astronaut_file), thumbnails=96)
    message, arrays, _ = served.answer(3)
    pictures = arrays["thumbnails"]
    assert pictures.shape == (len(message["faces"]), 96, 96, 3) and pictures.dtype == "uint8"
    # Skin in the middle: red over green over blue.
    red, green, blue = pictures[0][40:60, 38:58].mean((0, 1))
    assert red > green > blue and red > 120


def test_the_engine_makes_a_face(served, astronaut_file):
    served.say(type="generate", id=2, photo=str(astronaut_file), texture_size=256, grid=48)
    message, arrays, progress = served.answer(2)
    assert message["type"] == "result", message
    assert len({step["stage"] for step in progress}) >= 4
    assert message["name"] == "astronaut" and message["units"] == "m" and message["texture_size"] == 256
    camera = message["camera"]
    assert np.shape(camera["rotation"]) == (3, 3) and camera["scale"] > 0
    assert camera["photo_size"] == [512, 512] and set(camera["crop"]) == {"center_x", "center_y", "side", "size"}
    vertices, quads, uvs = arrays["vertices"], arrays["quads"], arrays["uvs"]
    assert vertices.shape == (len(uvs), 3) and uvs.shape[1] == 2 and quads.shape[1] == 4
    assert np.isfinite(vertices).all() and 0.1 < np.ptp(vertices[:, 2]) < 0.4
    assert quads.min() == 0 and quads.max() == len(vertices) - 1
    assert uvs.min() >= 0 and uvs.max() <= 1
    assert arrays["normal"].shape == (256, 256, 3) and arrays["normal"].dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(arrays["normal"], axis=2), 1, atol=1e-3)
    assert arrays["color"].shape == (256, 256, 3) and arrays["color"].dtype == np.uint8
    assert arrays["confidence"].shape == (256, 256)
    assert arrays["region_weights"].shape == (len(message["regions"]), len(vertices))


def test_the_engine_cancels(served, astronaut_file):
    for number in (10, 11):
        served.say(type="generate", id=number, photo=str(astronaut_file))
    served.say(type="cancel", id=11)
    served.say(type="cancel", id=10)
    assert served.answer(11)[0] == {"type": "cancelled", "id": 11}


def test_the_engine_answers_errors_and_keeps_its_log_off_the_wire(served, tmp_path, astronaut_file):
    text = tmp_path / "text.jpg"
    text.write_text("no photo")
    served.say(type="generate", id=20, photo=str(text))
    message, _, _ = served.answer(20)
    assert message["code"] == "not_a_photo" and "text.jpg" in message["message"]
    served.say(type="faces", id=21, photo=str(astronaut_file))
    assert served.answer(21)[0]["type"] == "result"
    assert served.end() == 0
    assert any(b"text.jpg" in line for line in served.log)


def test_a_wrong_device_is_an_error_in_the_answer():
    process = Process("--device", "abacus")
    process.say(type="hello", id=0)
    message, _, _ = process.answer(0)
    assert (message["type"], message["code"]) == ("error", "no_device")
    assert process.end() == 0


def test_garbage_ends_the_engine_with_an_error():
    process = Process()
    process.writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    process.writer.flush()
    message, _ = process.hear()
    assert message["code"] == "bad_frame"
    assert process.end() == 1


def test_stray_prints_land_in_the_log():
    code = (
        "import os, sys\n"
        "from hffne.service import engine_loop, frames\n"
        "reader, writer = engine_loop._claim_pipes()\n"
        "print('python says hello', flush=True)\n"
        "os.write(1, b'a C library says hello\\n')\n"
        "assert sys.stdin.read() == ''\n"
        "frames.write_frame(writer, frames.read_frame(reader)[0])\n"
    )
    stream = frames.HEADER.pack(frames.MAGIC, frames.PROTOCOL_VERSION, 0, 8, 0) + b'{"id":1}'
    done = subprocess.run([sys.executable, "-c", code], input=stream, capture_output=True)
    assert done.stdout == stream, done.stderr
    assert b"python says hello" in done.stderr and b"a C library says hello" in done.stderr
