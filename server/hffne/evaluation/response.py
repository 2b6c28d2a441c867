# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the normals show the shape of this face, or that of the average face?

Measured on the same rendered face, smooth and with waves; texture, light, pose and crop stay. The share of the change
of the true normals that a network shows, the response, is below 1 for two reasons: one picture does not contain all of
it (a light near the lens says nothing about a slope's sign), and a network that knows the average face well may use
little of the shading. Errors against the ground truth cannot show this for a face that is close to the average.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hffne.errors import NoFaceError
from hffne.evaluation.rendered import PLAIN, HeldOutFaces, RenderedFace, Scene
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo

if TYPE_CHECKING:
    from hffne.pipeline import Engine

LIGHTS = {"sun": PLAIN, "flash": Scene(sun=(0.0, 0.1, 1.0), sky=0.1, strength=0.9)}
WAVELENGTHS = (1.0, 2.5, 5.0, 10.0)  # centimeters; an eye is 3 wide, a face 14
SLOPE = 0.3  # of the waves where they are steepest
EDGE = 0.5  # where the normal changes by more than this, another part of the surface became visible


@dataclass
class Response:
    """Waves of one length (cm) in one light, with a value for each face.

    change       the change of the true normals, root mean square of x and y
    response     the share of it that the final normals show: the slope of their change on the true change
    correlation  of the two changes
    """

    light: str
    wavelength: float
    change: list[float] = field(default_factory=list)
    response: list[float] = field(default_factory=list)
    correlation: list[float] = field(default_factory=list)

    def add(self, ours: np.ndarray, true: np.ndarray) -> None:
        """Add one face: our and the true changes of the normals (N, 3)."""
        ours, true = ours[:, :2].ravel(), true[:, :2].ravel()
        self.change.append(float(np.sqrt(np.mean(true * true))))
        self.response.append(float(ours @ true / (true @ true)))
        self.correlation.append(float(ours @ true / np.sqrt((ours @ ours) * (true @ true) + 1e-12)))

    def as_dict(self) -> dict[str, Any]:
        """The means over the faces as plain data."""
        return {
            "light": self.light,
            "wavelength_cm": self.wavelength,
            "faces": len(self.change),
            "change": float(np.mean(self.change)),
            "response": float(np.mean(self.response)),
            "correlation": float(np.mean(self.correlation)),
        }


def waves(wavelength: float) -> Callable[[np.ndarray], np.ndarray]:
    """A function that moves vertices (V, 3) in depth by waves of a length in cm, vertically and horizontally."""

    def reshape(shape: np.ndarray) -> np.ndarray:
        moved, turn = shape.copy(), 2 * np.pi / wavelength
        moved[:, 2] += SLOPE / turn * np.cos(turn * shape[:, 0]) * np.cos(turn * shape[:, 1])
        return moved

    return reshape


def evaluate(
    engine: "Engine", held_out: HeldOutFaces, faces: int = 10, report: Callable[[str], object] = print
) -> list[Response]:
    """The response to each wavelength in each light, of `faces` rendered faces."""
    results = []
    for light, scene in LIGHTS.items():
        smooth = [_SmoothFace(engine, held_out.face(number, scene)) for number in range(faces)]
        for wavelength in WAVELENGTHS:
            result = Response(light, wavelength)
            for number, face in enumerate(smooth):
                result.add(*face.changes(engine, held_out.face(number, scene, waves(wavelength))))
            results.append(result)
            report(f"{light}, waves of {wavelength:g} cm: {np.mean(result.response):.2f}")
    return results


class _SmoothFace:
    """A rendered face without waves, and its estimated normals."""

    def __init__(self, engine: "Engine", face: RenderedFace) -> None:
        photo = Photo(face.rgb)
        self.face = face
        estimate = engine.normals(photo, face.choose_face(find_faces(photo)))
        self.crop = estimate.crop
        self.normal, _, self.mask = estimate.on_photo(face.rgb.shape)

    def changes(self, engine: "Engine", other: RenderedFace) -> tuple[np.ndarray, np.ndarray]:
        """Our change and the true one (N, 3) on the pixels that show the same of both faces, on the same crop."""
        normal, _, mask = engine.normals_on(Photo(other.rgb), self.crop).on_photo(other.rgb.shape)
        true = other.normal - self.face.normal
        same = self.mask & mask & self.face.mask & other.mask & (np.abs(true).max(2) < EDGE)
        if not same.any():
            raise NoFaceError("The rendered face and its result share no pixel.")
        return (normal - self.normal)[same], true[same]


def table(results: Sequence[Response]) -> str:
    """The report as Markdown."""
    lines = [
        f"{len(results[0].change)} faces",
        "",
        "| light | waves | change of the true normals | response | correlation |",
        "|---|---|---|---|---|",
    ]
    for row in (r.as_dict() for r in results):
        lines.append(
            f"| {row['light']} | {row['wavelength_cm']:g} cm | {row['change']:.3f} | {row['response']:.2f} | "
            f"{row['correlation']:.2f} |"
        )
    return "\n".join(lines)


def as_dict(results: Sequence[Response]) -> dict[str, Any]:
    """The report as plain data."""
    return {"benchmark": "response", "forms": [r.as_dict() for r in results]}
