# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a process of its own, with its networks."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from engine_client import Process
from hffne.geometry.smooth_field import SmoothField
from hffne.maps.registry import MAPS
from hffne.service import frames, protocol
from hffne_blender.numeric.received_face import ReceivedFace


@pytest.fixture(scope="module")
def served():
    process = Process("--device", "cpu")
    yield process
    process.process.kill()
    process.process.wait()


def test_the_engine_says_what_it_is(served):
    served.send(type="hello", id=0)
    hello, _, _ = served.answer(0)
    assert hello["type"] == "result", hello
    assert (hello["device"], hello["protocol"]) == ("cpu", frames.PROTOCOL_VERSION)
    assert hello["models"] and hello["device_name"]
    protocol.checked_fields(protocol.RESULTS["hello"], hello)


def test_the_engine_finds_the_faces_of_a_photo(served, astronaut_file):
    served.send(type="faces", id=1, photo=str(astronaut_file))
    message, _, _ = served.answer(1)
    assert message["photo_size"] == [512, 512]
    (face,) = message["faces"]
    assert abs(face["box"][0] - 179) < 8 and face["score"] > 0.9


def test_the_engine_sends_a_picture_of_each_face(served, astronaut_file):
    served.send(type="faces", id=3, photo=str(astronaut_file), thumbnails=96)
    message, arrays, _ = served.answer(3)
    protocol.checked_fields(protocol.RESULTS["faces"], message)
    protocol.check_arrays(protocol.RESULTS["faces"], arrays)
    pictures = arrays["thumbnails"]
    assert pictures.shape == (len(message["faces"]), 96, 96, 3) and pictures.dtype == "uint8"
    # Skin in the middle: red over green over blue.
    red, green, blue = pictures[0][40:60, 38:58].mean((0, 1))
    assert red > green > blue and red > 120
    assert arrays["overview"].shape == (96, 96, 3)


def test_the_engine_sends_a_picture_of_the_whole_photo(served, tmp_path):
    from PIL import Image
    from skimage import data

    Image.fromarray(data.astronaut()[:256]).save(tmp_path / "wide.png")
    served.send(type="faces", id=3, photo=str(tmp_path / "wide.png"), thumbnails=64)
    message, arrays, _ = served.answer(3)
    picture = arrays["overview"].astype(int)
    assert message["photo_size"] == [512, 256] and picture.shape == (64, 64, 3)
    assert not picture[:16].any() and not picture[48:].any()
    expected = data.astronaut()[:256].reshape(32, 8, 64, 8, 3).mean((1, 3))
    assert abs(picture[16:48] - expected).mean() < 3


def test_the_engine_makes_a_face(served, astronaut_file):
    photo = str(astronaut_file)
    served.send(type="generate", id=2, photo=photo, base="mask", texture_size=256, grid=48, maps=[*MAPS])
    message, arrays, progress = served.answer(2)
    assert message["type"] == "result", message
    protocol.checked_fields(protocol.RESULTS["generate"], message)
    protocol.check_arrays(protocol.RESULTS["generate"], arrays)
    for step in progress:
        protocol.checked_fields(protocol.REPLIES["progress"], step)
    assert len({step["stage"] for step in progress}) >= 4
    assert message["name"] == "astronaut" and message["units"] == "m" and message["texture_size"] == 256
    camera = message["camera"]
    assert np.shape(camera["rotation"]) == (3, 3) and camera["scale"] > 0
    assert camera["photo_size"] == [512, 512] and set(camera["crop"]) == {"center_x", "center_y", "side", "size"}
    vertices, quads, uvs = arrays["vertices"], arrays["quads"], arrays["uvs"]
    assert vertices.shape[1:] == (3,) and uvs.shape == (len(quads), 4, 2) and quads.shape[1] == 4
    assert np.isfinite(vertices).all() and 0.1 < np.ptp(vertices[:, 2]) < 0.4
    assert quads.min() == 0 and quads.max() == len(vertices) - 1
    assert uvs.min() >= 0 and uvs.max() <= 1
    assert arrays["normal"].shape == (256, 256, 3) and arrays["normal"].dtype == np.uint16
    unit = arrays["normal"] / 65535 * 2 - 1
    np.testing.assert_allclose(np.linalg.norm(unit, axis=2), 1, atol=1e-3)
    assert arrays["color"].shape == (256, 256, 3) and arrays["color"].dtype == np.uint8
    assert arrays["confidence"].shape == (256, 256) and arrays["confidence"].dtype == np.uint16
    assert arrays["region_weights"].shape == (len(message["regions"]), len(vertices))


def test_the_engine_makes_a_head(served, astronaut_file):
    served.send(type="generate", id=3, photo=str(astronaut_file), texture_size=256, maps=["height"])
    message, arrays, _ = served.answer(3)
    assert message["type"] == "result", message
    protocol.checked_fields(protocol.RESULTS["generate"], message)
    protocol.check_arrays(protocol.RESULTS["generate"], arrays)
    received = ReceivedFace.from_answer(message, arrays)
    assert received.head is not None and received.head.eyes is not None
    assert received.head.parts[0] == "Skin" and "jawOpen" in received.head.keys.names


def test_the_engine_sends_a_part_of_a_photo(served, astronaut, astronaut_file):
    about = {"photo": str(astronaut_file), "center_x": 224.0, "center_y": 40.0, "side": 128.0, "size": 128}
    served.send(type="picture", id=41, **about)
    message, arrays, _ = served.answer(41)
    assert message["type"] == "result", message
    protocol.check_arrays(protocol.RESULTS["picture"], arrays)
    picture = arrays["picture"]
    # The upper 24 rows lie above the photo.
    assert (picture[:24] == 0).all() and np.abs(picture[24:].astype(int) - astronaut[:104, 160:288]).max() <= 1
    served.send(type="picture", id=42, **{**about, "side": 0})
    assert served.answer(42)[0]["code"] == "bad_request"


@pytest.mark.parametrize("base", ["head", "mask"])
def test_the_engine_corrects_a_shape_and_its_maps_without_the_networks(served, astronaut_file, base):
    request = {"type": "generate", "photo": str(astronaut_file), "base": base, "grid": 64, "texture_size": 256}
    served.send(**request, id=43)
    plain, before, _ = served.answer(43)
    # 4 mm to the viewer's right at the chin's foremost point.
    chin = before["vertices"][np.argmin(np.abs(before["vertices"] - (0, -0.1, -0.1)).sum(1))]
    served.send(**request, id=44, correction=[*map(float, chin), 0.004, 0, 0])
    message, after, progress = served.answer(44)
    assert message["type"] == "result", message
    assert "kept" in [each["stage"] for each in progress]
    moved = after["vertices"] - before["vertices"]
    far = np.linalg.norm(before["vertices"] - chin, axis=1)
    expected = SmoothField(chin[None], np.array([[0.004, 0, 0]])).at(before["vertices"])
    assert abs(moved[np.argmin(far), 0] - 0.004) < 3e-4
    # Teeth and eyeballs move as a whole.
    skin = np.unique(after["quads"] if base == "mask" else after["quads"][after["quad_parts"] == 0])
    assert np.percentile(np.linalg.norm(moved - expected, axis=1)[skin[skin >= 0]], 95) < 3e-4
    assert np.linalg.norm(moved[far > 0.12], axis=1).max() < 2e-4
    assert message["camera"] == plain["camera"]
    # The texels of the chin show the photo beside the place that they showed before.
    assert np.abs(after["color"].astype(int) - before["color"]).max() > 20
    assert (after["quads"] == before["quads"]).all()
    served.send(**request, id=45, correction=[0.0] * 7)
    assert served.answer(45)[0]["code"] == "bad_request"
    served.send(**request, id=46, correction=[1e5, 0, 0, 0, 0, 0])
    assert served.answer(46)[0]["code"] == "bad_request"


def test_the_engine_names_the_photo_whose_camera_a_merged_face_has(served, astronaut, astronaut_file, tmp_path):
    # One side of the face lies beside the first photo.
    cut = tmp_path / "cut.png"
    Image.fromarray(astronaut[:, 205:]).save(cut)
    small = {"base": "mask", "grid": 32, "texture_size": 64}
    served.send(type="generate", id=48, photos=[str(cut), str(astronaut_file)], **small)
    message, _, _ = served.answer(48)
    assert message["type"] == "result", message
    assert message["camera"]["photo"] == 1 and message["camera"]["photo_size"] == [512, 512]


def test_the_engine_cancels(served, astronaut_file):
    for number in (10, 11):
        served.send(type="generate", id=number, photo=str(astronaut_file))
    served.send(type="cancel", id=11)
    served.send(type="cancel", id=10)
    assert served.answer(11)[0] == {"type": "cancelled", "id": 11}


def test_the_engine_answers_errors_and_keeps_its_log_off_the_wire(served, tmp_path, astronaut_file):
    text = tmp_path / "text.jpg"
    text.write_text("no photo")
    served.send(type="generate", id=20, photo=str(text))
    message, _, _ = served.answer(20)
    assert message["code"] == "not_a_photo" and "text.jpg" in message["message"]
    served.send(type="faces", id=21, photo=str(astronaut_file))
    assert served.answer(21)[0]["type"] == "result"
    assert served.end() == 0, served.log
    assert any(b"text.jpg" in line for line in served.log)


def test_a_wrong_device_is_an_error_in_the_answer():
    process = Process("--device", "abacus")
    process.send(type="hello", id=0)
    message, _, _ = process.answer(0)
    assert (message["type"], message["code"]) == ("error", "no_device")
    assert (message["exit_code"], message["fatal"]) == (2, False)
    assert process.end() == 0


def test_garbage_ends_the_engine_with_an_error():
    process = Process()
    process.writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    process.writer.flush()
    message, _ = process.receive()
    assert (message["code"], message["fatal"]) == ("bad_frame", True)
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
