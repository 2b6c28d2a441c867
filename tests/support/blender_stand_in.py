# SPDX-License-Identifier: GPL-3.0-or-later
"""In place of the extension's headless script: dies… ends as a crash does, full… has no room, bad… tells an error."""

import json
import os
import sys
from pathlib import Path

if "--help" in sys.argv:
    print("usage: hffne_blender.headless")
    sys.exit(0)
photo, output, error = (Path(sys.argv[sys.argv.index(name) + 1]) for name in ("--", "--output", "--error"))
told = {"full": ("cannot_write", "No space left on device", 4), "bad": ("no_shape", "It is turned away.", 1)}
if photo.stem == "dies":
    os.abort()
if photo.stem in told:
    code, message, status = told[photo.stem]
    error.write_text(json.dumps({"code": code, "message": message, "exit_code": status}))
    sys.exit(status)
output.mkdir(exist_ok=True)
(output / f"{photo.stem}.blend").write_text(" ".join(sys.argv[sys.argv.index("--engine") + 2 :]))
(output / f"{photo.stem}_texture_normal.png").write_bytes(photo.read_bytes())
