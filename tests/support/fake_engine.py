# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine without networks that speaks the frame protocol; the photo's name says how it behaves.

no_face…, not_a_photo…, internal… an error, slow… many stages and cancellable, die… exits in the middle,
garble… writes no frames, broken… an answer with a part missing, profile… a mask instead of a head, else a fake face.
"""

import queue
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

import fake_face
import fake_head
from hffne_blender.engine import frames

OUT = sys.stdout.buffer
requests = queue.Queue()
cancelled = set()
# A photo whose name begins with a code gets that error.
ERRORS = {"no_face": 3, "not_a_photo": 2, "internal": 70}
WORDS = {"no_face": "No face was found on {}.", "not_a_photo": "{} is not a photo.", "internal": "{} failed."}


def read():
    while (frame := frames.read_frame(sys.stdin.buffer)) is not None:
        message = frame[0]
        if message["type"] == "cancel":
            cancelled.add(message["id"])
        else:
            requests.put(message)
            if message["type"] == "shutdown":
                break
    requests.put({"type": "shutdown"})


def generate(message):
    number, name = message["id"], Path(message.get("photo") or message["photos"][0]).stem
    say = {"type": "progress", "id": number}
    frames.write_frame(OUT, {**say, "stage": "detect", "fraction": 0.1, "message": "Finding the face"})
    for code, exit_code in ERRORS.items():
        if name.startswith(code):
            error = {"code": code, "message": WORDS[code].format(name), "hint": "Use another photo."}
            more = {"exit_code": exit_code, "fatal": False}
            return frames.write_frame(OUT, {"type": "error", "id": number, **error, **more})
    if name.startswith("die"):
        print("Out of memory, says the fake", file=sys.stderr, flush=True)
        sys.stdout.flush()
        import os

        os._exit(7)
    if name.startswith("garble"):
        OUT.write(b"print() in the wrong place\n" * 9)
        return OUT.flush()
    if name.startswith("slow"):
        for step in range(100):
            if number in cancelled:
                print(f"cancelled {number}", file=sys.stderr, flush=True)
                return frames.write_frame(OUT, {"type": "cancelled", "id": number})
            time.sleep(0.1)
            told = {"stage": "fine", "fraction": 0.1 + step * 0.008, "message": f"Fine normals {step}"}
            frames.write_frame(OUT, {**say, **told})
    wanted = message["texture_size"], message["grid"], message["color"], message.get("maps", ())
    head = message.get("base") == "head" and not name.startswith("profile")
    answer, arrays = (fake_head if head else fake_face).answer(name, *wanted)
    if name.startswith("broken"):
        del arrays["uvs"]
    count = {"faces": 3} if name.startswith("group") else {}
    frames.write_frame(OUT, {**answer, **count, "id": number}, arrays)


def faces(message):
    """group… has three faces, empty… none, any other one; refuse… and a missing file an error."""
    name = Path(message["photo"]).stem
    about = {"id": message["id"]}
    if name.startswith("refuse") or not Path(message["photo"]).is_file():
        error = {"code": "unreadable_photo", "message": f"{name} cannot be read.", "hint": "Use another photo."}
        return frames.write_frame(OUT, {"type": "error", **about, **error})
    count = 3 if name.startswith("group") else 0 if name.startswith("empty") else 1
    found = [{"box": [10 * n, 20, 100 - n, 120 - n], "score": 0.9} for n in range(count)]
    side = message.get("thumbnails", 0)
    gray = {"thumbnails": (count, side, side, 3), "overview": (side, side, 3)}
    arrays = {key: np.full(shape, 128, np.uint8) for key, shape in gray.items()} if side else None
    reply = {"type": "result", **about, "photo_size": [640, 480], "faces": found, "notices": []}
    frames.write_frame(OUT, reply, arrays)


def picture(message):
    size = message["size"]
    arrays = {"picture": np.full((size, size, 3), 128, np.uint8)}
    frames.write_frame(OUT, {"type": "result", "id": message["id"]}, arrays)


def main():
    print("fake engine: ready", file=sys.stderr, flush=True)
    threading.Thread(target=read, daemon=True).start()
    while (message := requests.get())["type"] != "shutdown":
        if message["type"] == "hello":
            about = {"version": "0.1.0", "device": "cpu", "device_name": "Fake", "models": ["compact"]}
            frames.write_frame(OUT, {"type": "result", "id": message["id"], "protocol": 1, **about})
        elif message["type"] == "generate":
            generate(message)
        elif message["type"] == "picture":
            picture(message)
        elif message["type"] == "faces":
            faces(message)


if __name__ == "__main__":
    main()
