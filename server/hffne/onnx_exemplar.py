# SPDX-License-Identifier: GPL-3.0-or-later
"""Any network that estimates normals, exported to ONNX, in the coarse network's place: it makes the exemplar.

Beside ``FILE.onnx`` lies ``FILE.json`` with the conventions of its input and output (see Conventions); the folder
``onnx_conventions`` has some for public networks. ONNX Runtime runs it, an extra of this package.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import cv2
import numpy as np

from hffne.errors import OnnxFileError, OnnxRuntimeMissingError
from hffne.geometry.vectors import normalize
from hffne.photo.crop import CROP, Crop, extract_crop
from hffne.typed_json import KeyProblem, Range, parsed

EXAMPLES = Path(__file__).with_name("onnx_conventions")

_Side: TypeAlias = Annotated[int, Range(least=16, most=4096)]
_Index: TypeAlias = Annotated[int, Range(least=0)]
_Deviation: TypeAlias = Annotated[float, Range(above=0)]
_Axis: TypeAlias = Literal["x", "-x", "y", "-y", "z", "-z"]


@dataclass(frozen=True)
class Conventions:
    """What a network takes and gives.

    title      words about it
    size       (height, width) of its input in pixels; the square crop is resized to it
    color      the order of the input's channels: "rgb", "bgr" or "gray" (one channel)
    white      the number that white is, before mean and deviation: 1 or 255
    mean, deviation   for each input channel: (value - mean) / deviation
    output     the name of the output that holds normals, "" for the first
    layout     of that output: "channels-first" (1, C, H, W) or "channels-last" (1, H, W, C)
    channels   which of its channels are x, y and z
    axes       right, up and toward the viewer in terms of these: ["x", "-y", "-z"] where y looks down and z away
    encoded    whether it gives n * 0.5 + 0.5
    """

    title: str
    size: tuple[_Side, _Side]
    color: Literal["rgb", "bgr", "gray"]
    white: _Deviation
    mean: tuple[float, ...]
    deviation: tuple[_Deviation, ...]
    output: str
    layout: Literal["channels-first", "channels-last"]
    channels: tuple[_Index, _Index, _Index]
    axes: tuple[_Axis, _Axis, _Axis]
    encoded: bool = False


def read_conventions(path: Path) -> Conventions:
    """The conventions of a JSON file. Raises OnnxFileError, which names the first wrong key."""
    try:
        found = parsed(Conventions, json.loads(path.read_text("utf-8")))
    except OSError:
        names = ", ".join(sorted(file.name for file in EXAMPLES.glob("*.json")))
        raise OnnxFileError(
            f"There is no '{path}', which tells the network's conventions.",
            hint=f"Write it after one of '{EXAMPLES}': {names}.",
        ) from None
    except ValueError as error:  # KeyProblem too
        wrong = f"{error.path} {error.text}" if isinstance(error, KeyProblem) else f"not valid JSON: {error}"
        raise OnnxFileError(f"'{path}': {wrong}.") from None
    count = 1 if found.color == "gray" else 3
    for name, values in (("mean", found.mean), ("deviation", found.deviation)):
        if len(values) != count:
            raise OnnxFileError(f"'{path}': {name} has {len(values)} values, but the input has {count} channels.")
    if len({axis[-1] for axis in found.axes}) != 3:
        raise OnnxFileError(f"'{path}': axes must name x, y and z once each.")
    return found


class OnnxExemplar:
    """A network in an ONNX file. path: the file; conventions: see Conventions."""

    def __init__(self, path: str | Path, device: str = "cpu") -> None:
        """device: torch's name of the device. Raises OnnxFileError, OnnxRuntimeMissingError."""
        self.path = Path(path)
        if not self.path.is_file():
            raise OnnxFileError(f"There is no ONNX file '{path}'.", hint="Check the path.")
        self.conventions = read_conventions(self.path.with_suffix(".json"))
        try:
            import onnxruntime
        except ImportError:
            raise OnnxRuntimeMissingError("ONNX Runtime is not installed.") from None
        wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
        providers = [p for p in [*wanted, "CPUExecutionProvider"] if p in onnxruntime.get_available_providers()]
        try:
            self.session: Any = onnxruntime.InferenceSession(str(self.path), providers=providers)
        except Exception as error:  # ONNX Runtime's own words for a damaged file or an operator that it has not
            raise OnnxFileError(f"'{path}' cannot be loaded: {' '.join(str(error).split())}") from error
        inputs, outputs = self.session.get_inputs(), [one.name for one in self.session.get_outputs()]
        if len(inputs) != 1:
            raise OnnxFileError(f"'{path}' has {len(inputs)} inputs; it must have one, the picture.")
        self.input, self.output = inputs[0].name, self.conventions.output or outputs[0]
        if self.output not in outputs:
            raise OnnxFileError(f"'{path}' has no output {self.output!r}, only: {', '.join(outputs)}.")

    def on_crop(self, rgb: np.ndarray, crop: Crop) -> np.ndarray:
        """Unit normals (256, 256, 3) float32 in camera space of a crop of a photo (H, W, 3) uint8 or uint16.

        Raises OnnxFileError where the network's output is not what its conventions say.
        """
        height, width = self.conventions.size
        picture = extract_crop(rgb, crop.resized(max(height, width, CROP)))
        if picture.shape[:2] != (height, width):
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        try:
            (out,) = self.session.run([self.output], {self.input: self._input(picture)})
        except Exception as error:  # as above: an input of another shape, an operator that fails
            raise OnnxFileError(f"'{self.path}' failed: {' '.join(str(error).split())}") from error
        normal = self._normals(np.asarray(out, np.float32))
        normal = cv2.resize(normal, (CROP, CROP), interpolation=cv2.INTER_AREA if height > CROP else cv2.INTER_LINEAR)
        # Where it gives nothing, the background, it looks at the viewer.
        empty = np.linalg.norm(normal, axis=2, keepdims=True) < 1e-3
        return normalize(np.where(empty, np.array([0, 0, 1], np.float32), normal)).astype(np.float32)

    def _input(self, picture: np.ndarray) -> np.ndarray:
        """A picture (H, W, 3) RGB in 0..1 as the network takes it, (1, C, H, W)."""
        known = self.conventions
        if known.color == "gray":
            picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
        elif known.color == "bgr":
            picture = picture[..., ::-1]
        values = (picture * known.white - np.array(known.mean)) / np.array(known.deviation)
        return np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32)

    def _normals(self, out: np.ndarray) -> np.ndarray:
        """The network's output as unit normals (h, w, 3) in camera space."""
        known = self.conventions
        picture = out.reshape(out.shape[-3:]) if out.ndim >= 3 and out.size == np.prod(out.shape[-3:]) else out
        if picture.ndim == 3 and known.layout == "channels-first":
            picture = picture.transpose(1, 2, 0)
        if picture.ndim != 3 or picture.shape[2] <= max(known.channels) or min(picture.shape[:2]) < 16:
            raise OnnxFileError(f"'{self.path}' gives {out.shape}, which is not a picture of normals in its layout.")
        if not np.isfinite(picture).all():
            raise OnnxFileError(f"'{self.path}' gives values that are not finite.")
        values = picture[..., list(known.channels)]
        if known.encoded:
            values = values * 2 - 1
        parts = [values[..., "xyz".index(axis[-1])] * (-1 if axis[0] == "-" else 1) for axis in known.axes]
        normal: np.ndarray = normalize(np.ascontiguousarray(np.stack(parts, -1), np.float32))
        return normal
