# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that computes photos for `worker.Worker`: photos' paths on stdin, frames on stdout.

First one frame says that the networks are loaded, or that Blender starts, or why not. Each line on stdin is a JSON
object with paths of photos that are computed together. For each of them, in turn, a frame of each face or file follows,
then a frame with "done", or one with "error".
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hffne import blender
from hffne.batch.builds import BlenderEnded, builds_of, options_of
from hffne.batch.settings import BatchSettings
from hffne.child import end_by_exception
from hffne.parent_watch import call_when_parent_ends
from hffne.quick_start import without_collector
from hffne.service.failures import explain
from hffne.service.frames import write_frame

Faces = Iterable[tuple[dict[str, Any], dict[str, bytes]]] | Exception
Photos = Callable[[Sequence[Path]], Iterable[Faces]]


def main() -> int:
    """Compute photos until stdin ends. Arguments: the settings as JSON, and the device or ""."""
    call_when_parent_ends(lambda: os._exit(1))
    # What a library prints must not get between the frames.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        settings, device = BatchSettings.from_dict(json.loads(sys.argv[1])), sys.argv[2] or None
        name, photos = (_normals if settings.build is None else _builds)(settings, device)
    except Exception as error:
        write_frame(out, {"error": explain(error).as_dict()})
        return 1
    write_frame(out, {"ready": name})
    for line in sys.stdin.buffer:
        paths = [Path(path) for path in json.loads(line)["photos"]]
        try:
            for faces in photos(paths):
                _tell(out, faces)
        except BrokenPipeError:
            return 0
        except BlenderEnded:
            # As if the photo had ended this process.
            return 1
    return 0


def _normals(settings: BatchSettings, device: str | None) -> tuple[str, Photos]:
    """The device's name, and what computes normals on it."""
    with without_collector():
        import cv2

        from hffne.batch.faces import faces_of, faces_together
        from hffne.pipeline import Engine

        engine = Engine(device, **settings.engine)
    if engine.device == "cpu":
        # There is a process for each core.
        cv2.setNumThreads(1)

    def photos(paths: Sequence[Path]) -> Iterable[Faces]:
        # One alone is told face by face.
        if len(paths) == 1:
            return [faces_of(engine, paths[0], settings)]
        return faces_together(engine, paths, settings, len(paths))

    return engine.device_name, photos


def _builds(settings: BatchSettings, device: str | None) -> tuple[str, Photos]:
    """The device's name, and what builds photos in Blender."""
    end_by_exception()
    blender.check_blender(options_of(settings, device))
    return device or "", lambda paths: (builds_of(path, settings, device) for path in paths)


def _tell(out: BinaryIO, faces: Faces) -> None:
    """Write the frames of one photo."""
    try:
        if isinstance(faces, Exception):
            raise faces
        count = 0
        for facts, files in faces:
            write_frame(out, {"facts": facts}, {name: np.frombuffer(data, np.uint8) for name, data in files.items()})
            count += 1
        write_frame(out, {"done": count})
    except (BrokenPipeError, BlenderEnded):
        raise
    except Exception as error:
        write_frame(out, {"error": explain(error).as_dict()})


if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:
        # Blender is ended, its files are removed.
        code = 1
    # As in `hffne serve`: thread pools of native libraries sometimes abort a process that ends in the usual way.
    os._exit(code)
