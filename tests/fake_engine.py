# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine without networks that speaks the frame protocol; the photo's name says how it behaves.

no_face… an error, slow… many stages and cancellable, die… exits in the middle,
garble… writes no frames, broken… an answer with a part missing, else a fake face.
"""

import queue
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fake_face  # noqa: E402

from hffne_blender.engine import frames  # noqa: E402

OUT = sys.stdout.buffer
requests = queue.Queue()
cancelled = set()


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
    if name.startswith("no_face"):
        error = {"code": "no_face", "message": f"No face was found on {name}.", "hint": "Use another photo."}
        return frames.write_frame(OUT, {"type": "error", "id": number, **error})
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
    answer, arrays = fake_face.answer(name, *wanted)
    if name.startswith("broken"):
        del arrays["uvs"]
    frames.write_frame(OUT, {**answer, "id": number}, arrays)


def main():
    print("fake engine: ready", file=sys.stderr, flush=True)
    threading.Thread(target=read, daemon=True).start()
    while (message := requests.get())["type"] != "shutdown":
        if message["type"] == "hello":
            about = {"version": "0.1.0", "device": "cpu", "device_name": "Fake", "models": ["compact"]}
            frames.write_frame(OUT, {"type": "result", "id": message["id"], "protocol": 1, **about})
        elif message["type"] == "generate":
            generate(message)


if __name__ == "__main__":
    main()
