# SPDX-License-Identifier: GPL-3.0-or-later
"""A child of `hffne.batch.worker` without networks; the photo's name says how it behaves.

dies… ends the process unless <stem>.mended stands beside it, once… does so the first time, sleeps… never answers,
slow… takes a moment, bad… an error; else one face whose files hold the photo's own bytes.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from hffne.errors import HffneError, NoFaceError
from hffne.service.frames import write_frame

OUT = sys.stdout.buffer
if sys.argv[2] == "none":
    write_frame(OUT, {"error": HffneError("There is no such device.").as_dict()})
    sys.exit(1)
write_frame(OUT, {"ready": "nothing"})
for path in (Path(photo) for line in sys.stdin for photo in json.loads(line)["photos"]):
    behavior = path.stem.rstrip("0123456789")
    tried = path.with_suffix(".tried")
    if (behavior == "dies" and not path.with_suffix(".mended").exists()) or (behavior == "once" and not tried.exists()):
        tried.touch()
        os._exit(9)
    if behavior == "slow":
        time.sleep(0.1)
    if behavior == "sleeps":
        time.sleep(60)
    if behavior == "bad":
        write_frame(OUT, {"error": NoFaceError(f"No face was found on '{path}'.").as_dict()})
        continue
    facts = {"face": 0, "width": 2, "height": 2, "crop": 256, "landmarks": [[0.0, 0.0, 0.0]] * 68, "notices": []}
    data = np.frombuffer(path.read_bytes(), np.uint8)
    names = (
        (".npz", "_normal.png")
        if json.loads(sys.argv[1])["form"] == "files"
        else ("normal.png", "mask.png", "parts.png")
    )
    write_frame(OUT, {"facts": facts}, dict.fromkeys(names, data))
    write_frame(OUT, {"done": 1})
