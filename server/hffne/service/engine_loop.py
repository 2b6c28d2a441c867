# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: read requests from a pipe, answer with progress, results and errors.

One thread reads, so that a cancel is seen while a request runs; the thread that
called `EngineLoop.run` works, one request after the other. Whatever goes wrong
crosses the pipe as data (code, message, hint); tracebacks go to the log only.
"""

import logging
import os
import queue
import sys
import threading
import time
from pathlib import Path

from hffne import __version__
from hffne.errors import (
    BusyError,
    Cancelled,
    FileAccessError,
    HffneError,
    IncompleteInstallationError,
    InternalError,
    NotEnoughMemoryError,
    RequestError,
    ResultTooLargeError,
)
from hffne.service import frames, parent_watch

LOG = logging.getLogger("hffne.engine")

# A client that asks for more at once does not wait for answers.
MAX_WAITING = 64
TEXTURE_SIZES = (64, 4096)
GRIDS = (8, 512)
THUMBNAILS = (0, 512)
# A crowd is chosen from by number.
MOST_THUMBNAILS = 24
# Of one person, for one merged face.
MOST_PHOTOS = 12
# A client that has gone gets no answer, so a stage that does not end in this time is not waited for.
GRACE_SECONDS = 5.0
HEARTBEATS = (0.1, 60.0)


def serve(device=None, model="compact", **options):
    """Run the engine on this process's stdin and stdout until either closes.

    Returns the exit code: 0 after a shutdown request or the end of the input,
    1 when the input was no sound stream of frames.
    """
    reader, writer = _claim_pipes()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")

    def make_engine(device=device):
        # Late, because it imports torch; a broken engine must still answer with an error.
        from hffne.pipeline import Engine

        return Engine(device=device, model=model, **options)

    def end():
        LOG.info("the client has gone in the middle of a stage")
        os._exit(0)

    def give_up():
        timer = threading.Timer(GRACE_SECONDS, end)
        timer.daemon = True
        timer.start()

    # The thread that reads may be blocked by a pipe which another program holds open.
    parent_watch.watch(end)
    return EngineLoop(reader, writer, make_engine, give_up).run()


def _claim_pipes():
    """Take stdin and stdout for frames alone.

    The descriptors 0 and 1 themselves are redirected, so that a stray print, of
    Python or of a C library, lands in the log and cannot break the stream.
    """
    sys.stdout.flush()
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return reader, writer


class EngineLoop:
    """The protocol on one pair of streams.

    make_engine  gives a pipeline.Engine; `make_engine("cpu")` one on the CPU, for when a device fails
    ended        called, on the reading thread, when no further request can come
    """

    def __init__(self, reader, writer, make_engine, ended=lambda: None):
        self._reader = reader
        self._writer = writer
        self._make_engine = make_engine
        self._ended = ended
        self._engine = None
        self._device_notice = None
        self._beating = False
        self._write_lock = threading.Lock()
        self._requests = queue.Queue()
        self._pending = {}  # id -> Event that is set when the request is cancelled
        self._pending_lock = threading.Lock()
        self._broken = False
        self._handlers = {"hello": self._hello, "faces": self._faces, "generate": self._generate}

    def run(self):
        """Serve until shutdown or the end of the input; returns the exit code."""
        thread = threading.Thread(target=self._read, name="requests", daemon=True)
        thread.start()
        try:
            while (request := self._requests.get()) is not None:
                self._serve_one(request)
        except OSError:
            LOG.info("the client has gone")
        return 1 if self._broken else 0

    # The reading thread

    def _read(self):
        try:
            while True:
                try:
                    frame = frames.read_frame(self._reader)
                except frames.FrameError as error:
                    self._refuse_frame(error)
                    if not error.in_step:
                        self._broken = True
                        break
                    continue
                if frame is None or not self._accept(frame[0]):
                    break
        except (OSError, ValueError):
            LOG.info("the client has gone")
        except Exception:
            LOG.exception("reading failed")
            self._broken = True
        finally:
            # Whoever asked is gone or wants an end: stop at the next stage.
            with self._pending_lock:
                for event in self._pending.values():
                    event.set()
            self._requests.put(None)
            self._ended()

    def _refuse_frame(self, error):
        LOG.warning("%s", error.message)
        hint = "" if isinstance(error, frames.VersionMismatch) else RequestError.hint
        self._send({"type": "error", "id": None, "code": error.code, "message": error.message, "hint": hint})

    def _accept(self, message):
        """Take in one message; False ends the engine."""
        kind, number = message.get("type"), message.get("id")
        if kind == "shutdown":
            return False
        if type(number) is not int:
            self._send_error(None, RequestError("A request needs an 'id', a whole number."))
            return True
        if kind == "cancel":
            with self._pending_lock:
                event = self._pending.get(number)
            if event:
                event.set()
            return True
        if not isinstance(kind, str) or kind not in self._handlers:
            self._send_error(number, RequestError(f"The engine knows no request of the type {kind!r:.60}."))
            return True
        with self._pending_lock:
            refusal = None
            if number in self._pending:
                refusal = RequestError(f"The id {number} belongs to a request that is not answered yet.")
            elif len(self._pending) >= MAX_WAITING:
                refusal = BusyError("Too many requests are waiting.")
            else:
                self._pending[number] = threading.Event()
        if refusal:
            self._send_error(number, refusal)
        else:
            # Here, not on the working thread: importing torch is the first thing that may take long.
            self._start_heartbeat(message.get("heartbeat"))
            self._requests.put(message)
        return True

    def _start_heartbeat(self, seconds):
        """Say every so often that the process lives, and the seconds of processor time that it has used.

        A slow stage uses processor time, one that hangs does not: so a client can tell them apart.
        """
        if self._beating or type(seconds) not in (int, float) or not HEARTBEATS[0] <= seconds <= HEARTBEATS[1]:
            return
        self._beating = True

        def beat():
            try:
                while True:
                    self._send({"type": "alive", "id": None, "cpu": time.process_time()})
                    time.sleep(seconds)
            except (OSError, ValueError):
                pass  # the working thread notices it, too

        threading.Thread(target=beat, name="heartbeat", daemon=True).start()

    # The working thread

    def _serve_one(self, request):
        number = request["id"]
        with self._pending_lock:
            event = self._pending[number]
        try:
            reply, arrays = self._work(request, number, event)
        finally:
            with self._pending_lock:
                self._pending.pop(number, None)
        try:
            self._send(reply, arrays)
        except frames.FrameError as error:
            LOG.error("the result of request %s cannot be sent: %s", number, error.message)
            self._send_error(number, ResultTooLargeError(f"The result cannot be sent: {error.message}"))

    def _work(self, request, number, event):
        """The final reply to a request: (message, arrays)."""

        def report(stage, fraction, message=""):
            fraction = min(max(float(fraction), 0.0), 1.0)
            self._send({"type": "progress", "id": number, "stage": stage, "fraction": fraction, "message": message})

        try:
            if event.is_set():
                raise Cancelled
            body, arrays = self._handlers[request["type"]](request, report, event.is_set)
            return {"type": "result", "id": number, **body}, arrays
        except Cancelled:
            return {"type": "cancelled", "id": number}, None
        except HffneError as error:
            LOG.info("request %s: %s", number, error.message)
            return _error_reply(number, error), None
        except OSError as error:
            # A dead pipe ends the engine; any other failure of files is an answer.
            if isinstance(error, (BrokenPipeError, ConnectionError)):
                raise
            LOG.exception("request %s failed", number)
            return _error_reply(number, FileAccessError(f"A file cannot be used: {error}")), None
        except Exception as error:
            LOG.exception("request %s failed", number)
            return _error_reply(number, _explained(error)), None

    def _hello(self, request, report, cancelled):
        engine = self._ready_engine()
        body = {
            "protocol": frames.PROTOCOL_VERSION,
            "version": __version__,
            "device": engine.device,
            "device_name": engine.device_name,
            "models": [engine.model],
        }
        return body, None

    def _faces(self, request, report, cancelled):
        from hffne.photo.detect import find_faces
        from hffne.photo.load import load_photo

        photo = load_photo(_photo_path(request))
        faces = find_faces(photo)
        body = {
            "photo_size": list(photo.size),
            "faces": [{"box": list(face.box), "score": face.score} for face in faces],
            "notices": list(photo.notices),
        }
        side = _whole_number(request, "thumbnails", 0, THUMBNAILS)
        if not side:
            return body, None
        return body, {"thumbnails": _thumbnails(photo, faces, side)}

    def _generate(self, request, report, cancelled):
        from hffne.photo.detect import choose_faces, find_faces
        from hffne.photo.load import load_photo

        paths = _photo_paths(request)
        which = _which_face(request)
        texture_size = _whole_number(request, "texture_size", 1024, TEXTURE_SIZES)
        grid = _whole_number(request, "grid", 128, GRIDS)
        size = {"size": _crop_size(request)} if "size" in request else {}
        color = request.get("color", True)
        if not isinstance(color, bool):
            raise RequestError("'color' is true or false.")
        maps = _maps(request)

        def check():
            if cancelled():
                raise Cancelled

        views = []
        for number, path in enumerate(paths):
            of_all = f" {number + 1} of {len(paths)}" if len(paths) > 1 else ""

            def told(stage, fraction, message, number=number, of_all=of_all):
                # Up to the unwrapping each photo has its share of the bar.
                report(
                    stage,
                    0.7 * (number + fraction / 0.7) / len(paths) if fraction < 0.7 else fraction,
                    message + of_all,
                )

            told("load", 0.0, "Reading the photo")
            photo = load_photo(path)
            check()
            told("detect", 0.05, "Finding the face")
            faces = find_faces(photo)
            index, face = choose_faces(faces, which, path)[0]
            check()
            estimate = self._computed("normals", photo, face, told, cancelled, **size)
            views.append((photo, estimate))
            if number == 0:
                first = {"faces": len(faces), "face": index, "box": list(face.box), "photo_size": list(photo.size)}
        asked = (texture_size, grid, report, cancelled, maps)
        asset = (
            self._computed("build", *views[0], *asked)
            if len(views) == 1
            else self._computed("build_multi_photo", views, *asked)
        )
        check()
        body, arrays = asset.as_message()
        if not color:
            arrays.pop("color", None)
        body.update(
            name=paths[0].stem,
            **first,
            texture_size=texture_size,
            notices=[
                *(notice for photo, _ in views for notice in photo.notices),
                *body.get("notices", []),
                *filter(None, [self._device_notice]),
            ],
        )
        return body, arrays

    def _ready_engine(self):
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine

    def _computed(self, method, *arguments, **options):
        """What the engine's method gives; when the device fails, on the CPU, and everything further as well."""
        engine = self._ready_engine()
        try:
            return getattr(engine, method)(*arguments, **options)
        except RuntimeError as error:
            # A pulled plug, a crashed driver: each backend says it in its own words, all as RuntimeError. If it is
            # something else, it fails on the CPU, too, and is told then.
            if str(engine.device) == "cpu" or _out_of_memory(error):
                raise
            LOG.exception("the device %s failed", engine.device)
        self._engine = None
        name = engine.device_name
        del engine
        self._engine = self._make_engine("cpu")
        self._device_notice = f"The device {name} failed; the engine goes on with the CPU until it is started again."
        return getattr(self._engine, method)(*arguments, **options)

    # Writing, from both threads

    def _send(self, message, arrays=None):
        with self._write_lock:
            frames.write_frame(self._writer, message, arrays)

    def _send_error(self, number, error):
        self._send(_error_reply(number, error))


def _error_reply(number, error):
    return {"type": "error", "id": number, **error.as_dict()}


def _explained(error):
    """An unforeseen failure as an error that can be shown; its traceback is in the log."""
    if _out_of_memory(error):
        return NotEnoughMemoryError("There is not enough memory for this photo.")
    text = " ".join(str(error).split())[:300]
    if isinstance(error, ImportError):
        return IncompleteInstallationError(
            f"The engine's environment is incomplete: {text}",
            hint=f'Install it again, in the project\'s folder: "{sys.executable}" -m pip install .',
        )
    return InternalError(f"The engine failed: {type(error).__name__}: {text}")


def _out_of_memory(error):
    """Is it for lack of memory? torch's and OpenCV's errors are known by name and words: neither is imported here."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return any(words in text for words in ("not enough memory", "allocate memory", "insufficient memory"))


def _thumbnails(photo, faces, side):
    """A square picture (N, side, side, 3) uint8 sRGB of each face, as far as there are not too many."""
    import numpy as np

    from hffne.photo.crop import crop_for_box, extract_crop

    pictures = [extract_crop(photo.rgb, crop_for_box(face.box, size=side)) for face in faces[:MOST_THUMBNAILS]]
    return np.rint(np.array(pictures, np.float32).reshape(-1, side, side, 3) * 255).astype(np.uint8)


def _photo_path(request):
    path = request.get("photo")
    if not isinstance(path, str) or not path:
        raise RequestError("'photo' is the path of a file.")
    return Path(path)


def _photo_paths(request):
    """One photo, or several of the same person."""
    paths = request.get("photos")
    if paths is None:
        return [_photo_path(request)]
    if not isinstance(paths, list) or not 1 <= len(paths) <= MOST_PHOTOS:
        raise RequestError(f"'photos' is a list of 1 to {MOST_PHOTOS} paths.", hint="Choose fewer photos.")
    return [_photo_path({"photo": path}) for path in paths]


def _which_face(request):
    which = request.get("face", "largest")
    if which == "largest" or (type(which) is int and which >= 0):
        return which
    raise RequestError("'face' is \"largest\" or a number from 0.")


def _maps(request):
    """The names of the further maps; an older client asks for none."""
    from hffne.maps.registry import MAPS

    names = request.get("maps", [])
    if not isinstance(names, list) or not set(map(str, names)) <= set(MAPS):
        raise RequestError(f"'maps' is a list of: {', '.join(MAPS)}.", hint="Choose other maps.")
    return tuple(names)


def _crop_size(request):
    """The side of the fine network's crop."""
    from hffne.pipeline import CROP, LARGEST, STEP

    size = _whole_number(request, "size", CROP, (CROP, LARGEST))
    if size % STEP:
        raise RequestError(f"'size' is a multiple of {STEP}.", hint="Choose another value.")
    return size


def _whole_number(request, key, default, limits):
    value = request.get(key, default)
    if type(value) is not int or not limits[0] <= value <= limits[1]:
        raise RequestError(f"'{key}' is a whole number from {limits[0]} to {limits[1]}.", hint="Choose another value.")
    return value
