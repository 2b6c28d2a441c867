# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine does for each type of request: "hello", "faces", "picture" and "generate".

torch, OpenCV and the networks are imported by the first request that needs them, so that an incomplete installation
is an answer and not a process that does not start.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hffne import __version__
from hffne.errors import Cancelled
from hffne.progress import CancelCheck, ProgressCallback
from hffne.service import frames, protocol
from hffne.service.failures import is_out_of_memory
from hffne.service.requests import FacesRequest, GenerateRequest, PictureRequest, Request

if TYPE_CHECKING:
    import numpy as np

    from hffne.engine_interface import FaceEngine
    from hffne.photo.crop import Crop
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo

LOG = logging.getLogger("hffne.engine")

# `make()` creates the engine on the chosen device, `make("cpu")` one on the CPU.
MakeEngine = Callable[..., "FaceEngine"]
Reply = tuple[dict[str, Any], "dict[str, np.ndarray] | None"]

# (photo, estimate) of each photo, and what the answer says of the first one.
_Views = tuple[list[tuple["Photo", Any]], dict[str, Any]]

# The share of the progress bar that ends with the last photo's estimate; unwrapping and building fill the rest.
_ESTIMATED = 0.7


class Handlers:
    """Answers requests with one engine, which the first request loads.

    make_engine   creates the engine, see MakeEngine; called again with "cpu" when the device fails
    """

    def __init__(self, make_engine: MakeEngine) -> None:
        self._make_engine = make_engine
        self.engine: FaceEngine | None = None
        self._device_notice: str | None = None
        self._kept: tuple[object, _Views] | None = None

    def answer(self, request: Request, report: ProgressCallback, cancelled: CancelCheck) -> Reply:
        """(body of the result, its arrays). Raises HffneError, Cancelled, or whatever goes wrong."""
        if isinstance(request, FacesRequest):
            return self._faces(request)
        if isinstance(request, PictureRequest):
            return _picture(request)
        if isinstance(request, GenerateRequest):
            return self._generate(request, report, cancelled)
        return self._hello()

    def _hello(self) -> Reply:
        engine = self._loaded_engine()
        body = {
            "protocol": frames.PROTOCOL_VERSION,
            "version": __version__,
            "device": engine.device,
            "device_name": engine.device_name,
            "models": [engine.model],
        }
        return body, None

    def _faces(self, request: FacesRequest) -> Reply:
        from hffne.photo.detect import find_faces
        from hffne.photo.load import load_photo

        photo = load_photo(request.photo)
        faces = find_faces(photo)
        body = {
            "photo_size": list(photo.size),
            "faces": [{"box": list(face.box), "score": face.score} for face in faces],
            "notices": list(photo.notices),
        }
        if not request.thumbnails:
            return body, None
        side = request.thumbnails
        return body, {"thumbnails": _thumbnails(photo, faces, side), "overview": _overview(photo, side)}

    def _generate(self, request: GenerateRequest, report: ProgressCallback, cancelled: CancelCheck) -> Reply:
        views, first = self._views(request, report, cancelled)
        output = (request.texture_size, request.grid, report, cancelled, request.maps)
        form = {"base": request.base, "lod": request.lod, **_correction(request)}
        if len(views) == 1:
            built = self._on_device("build", *views[0], *output, **form)
        else:
            built = self._on_device("build_multi_photo", views, *output, **form)
        if cancelled():
            raise Cancelled
        body, arrays = built.as_message()
        if not request.color:
            arrays.pop("color", None)
        notices = [notice for photo, _ in views for notice in photo.notices] + list(body.get("notices", []))
        body.update(
            name=request.photos[0].stem,
            **first,
            texture_size=request.texture_size,
            notices=notices + ([self._device_notice] if self._device_notice else []),
        )
        return body, arrays

    def _views(self, request: GenerateRequest, report: ProgressCallback, cancelled: CancelCheck) -> _Views:
        """What the networks find on the photos; the last one is kept, for other sizes, maps and meshes of a face."""
        key = _key(request)
        if self._kept is not None and key is not None and self._kept[0] == key:
            report("kept", _ESTIMATED, "The photo is known")
            return self._kept[1]
        # Before the next one takes memory.
        self._kept = None
        views = self._estimated(request, report, cancelled)
        self._kept = (key, views)
        return views

    def _estimated(self, request: GenerateRequest, report: ProgressCallback, cancelled: CancelCheck) -> _Views:
        from hffne.photo.detect import choose_faces, find_faces
        from hffne.photo.load import load_photo

        def stop_if_cancelled() -> None:
            if cancelled():
                raise Cancelled

        options: dict[str, Any] = {} if request.size is None else {"size": request.size}
        if request.keep:
            options["keep"] = request.keep
        views, first = [], {}
        for number, path in enumerate(request.photos):
            report_photo = _report_of_photo(report, number, len(request.photos))
            report_photo("load", 0.0, "Reading the photo")
            photo = load_photo(path)
            stop_if_cancelled()
            report_photo("detect", 0.05, "Finding the face")
            faces = find_faces(photo)
            index, face = choose_faces(faces, request.face, path)[0]
            stop_if_cancelled()
            views.append((photo, self._on_device("normals", photo, face, report_photo, cancelled, **options)))
            if number == 0:
                first = {"faces": len(faces), "face": index, "box": list(face.box), "photo_size": list(photo.size)}
        return views, first

    def _loaded_engine(self) -> "FaceEngine":
        if self.engine is None:
            self.engine = self._make_engine()
        return self.engine

    def _on_device(self, method: str, *arguments: Any, **options: Any) -> Any:
        """The result of the engine's method; when the device fails, on the CPU, and so for everything after it."""
        engine = self._loaded_engine()
        try:
            return getattr(engine, method)(*arguments, **options)
        except RuntimeError as error:
            # An unplugged device, a crashed driver: each backend raises its own words, all as RuntimeError. Any other
            # cause fails on the CPU as well, and is reported then.
            if str(engine.device) == "cpu" or is_out_of_memory(error):
                raise
            LOG.exception("the device %s failed", engine.device)
        name = engine.device_name
        # Both references, so that the failed engine's memory is free before the next one is loaded.
        self.engine = None
        del engine
        self.engine = self._make_engine("cpu")
        self._device_notice = f"The device {name} failed; the engine uses the CPU until it is started again."
        return getattr(self.engine, method)(*arguments, **options)


def _key(request: GenerateRequest) -> object | None:
    """What the networks' findings depend on; None where a photo cannot be looked up."""
    try:
        files = [(path.absolute(), path.stat()) for path in request.photos]
    except OSError:
        return None
    states = tuple((path, stat.st_mtime_ns, stat.st_size, stat.st_ino) for path, stat in files)
    return states, request.face, request.size, request.keep


def _report_of_photo(report: ProgressCallback, number: int, count: int) -> ProgressCallback:
    """A callback for photo `number` of `count`: until the unwrapping each photo has its share of the bar."""
    suffix = f" {number + 1} of {count}" if count > 1 else ""

    def report_photo(stage: str, fraction: float, message: str) -> None:
        if fraction < _ESTIMATED:
            fraction = _ESTIMATED * (number + fraction / _ESTIMATED) / count
        report(stage, fraction, message + suffix)

    return report_photo


def _thumbnails(photo: "Photo", faces: "list[Face]", side: int) -> "np.ndarray":
    """A square picture of each of the first MAX_THUMBNAILS faces: (N, side, side, 3) uint8 sRGB."""
    import numpy as np

    from hffne.photo.crop import crop_for_box, extract_crop

    pictures = [extract_crop(photo.rgb, crop_for_box(face.box, size=side)) for face in faces[: protocol.MAX_THUMBNAILS]]
    return np.rint(np.array(pictures, np.float32).reshape(-1, side, side, 3) * 255).astype(np.uint8)


def _overview(photo: "Photo", side: int) -> "np.ndarray":
    """The whole photo in the middle of a black square: (side, side, 3) uint8 sRGB."""
    from hffne.photo.crop import Crop

    width, height = photo.size
    return _square(photo, Crop(width / 2, height / 2, max(width, height), side))


def _picture(request: PictureRequest) -> Reply:
    from hffne.photo.crop import Crop
    from hffne.photo.load import load_photo

    crop = Crop(request.center_x, request.center_y, request.side, request.size)
    return {}, {"picture": _square(load_photo(request.photo), crop)}


def _square(photo: "Photo", crop: "Crop") -> "np.ndarray":
    """An upright square of a photo, black beside it: (size, size, 3) uint8 sRGB."""
    import numpy as np

    from hffne.photo.crop import extract_crop

    picture = extract_crop(photo.rgb, crop)
    # Beside the photo its edge goes on.
    steps = ((np.arange(crop.size) + 0.5) / crop.size - 0.5) * crop.side
    (width, height), x, y = photo.size, crop.center_x + steps, crop.center_y + steps
    picture[(y < 0) | (y > height)] = 0
    picture[:, (x < 0) | (x > width)] = 0
    return np.rint(picture * 255).astype(np.uint8)


def _correction(request: GenerateRequest) -> dict[str, Any]:
    """The engine's option for an artist's correction of the shape; {} without one."""
    if not request.correction:
        return {}
    import numpy as np

    from hffne.geometry.smooth_field import SmoothField

    points = np.array(request.correction, np.float32).reshape(-1, 6)
    return {"field": SmoothField(points[:, :3], points[:, 3:])}
