# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a face's own form come through, or what faces are like? The same rendered face, smooth and with waves in it.

Everything else stays: texture, light, pose, crop. Of the change of the true normals a network shows a part, the
response, for two reasons: one picture does not tell all (a light from the lens says nothing of a slope's sign), and a
network that knows faces well may hardly look at the shading. Errors against the truth cannot tell the two from a
face that is near to the mean.
"""

from dataclasses import dataclass, field

import numpy as np

from hffne.errors import NoFaceError
from hffne.evaluation.rendered import PLAIN, Scene
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo

LIGHTS = {"sun": PLAIN, "flash": Scene(sun=(0.0, 0.1, 1.0), sky=0.1, strength=0.9)}
WAVELENGTHS = (1.0, 2.5, 5.0, 10.0)  # centimeters; an eye is 3 wide, a face 14
SLOPE = 0.3  # of the waves where they are steepest
EDGE = 0.5  # where the normal changes by more than this something else came into sight


@dataclass
class Response:
    """One form in one light: for each face its change of the true normals (root mean square of x and y), how much of it
    the product's normals show (the slope of their change on it), and the correlation of the two changes."""

    light: str
    wavelength: float
    change: list = field(default_factory=list)
    response: list = field(default_factory=list)
    correlation: list = field(default_factory=list)

    def add(self, ours, true):
        """Take in one face: changes of normals (N, 3)."""
        ours, true = ours[:, :2].ravel(), true[:, :2].ravel()
        self.change.append(float(np.sqrt(np.mean(true * true))))
        self.response.append(float(ours @ true / (true @ true)))
        self.correlation.append(float(ours @ true / np.sqrt((ours @ ours) * (true @ true) + 1e-12)))

    def as_dict(self):
        return {
            "light": self.light,
            "wavelength_cm": self.wavelength,
            "faces": len(self.change),
            "change": float(np.mean(self.change)),
            "response": float(np.mean(self.response)),
            "correlation": float(np.mean(self.correlation)),
        }


def waves(wavelength):
    """What moves vertices (V, 3) in depth by waves of a length in cm, up and down as from side to side."""

    def reshape(shape):
        moved, turn = shape.copy(), 2 * np.pi / wavelength
        moved[:, 2] += SLOPE / turn * np.cos(turn * shape[:, 0]) * np.cos(turn * shape[:, 1])
        return moved

    return reshape


def evaluate(engine, studio, faces=10, report=print):
    """The response to each form in each light, of `faces` rendered faces of a rendered.Studio: a list of Response."""
    results = []
    for light, scene in LIGHTS.items():
        plain = [_Before(engine, studio.face(number, scene)) for number in range(faces)]
        for wavelength in WAVELENGTHS:
            results.append(Response(light, wavelength))
            for number, before in enumerate(plain):
                results[-1].add(*before.changes(engine, studio.face(number, scene, waves(wavelength))))
            report(f"{light}, waves of {wavelength:g} cm: {np.mean(results[-1].response):.2f}")
    return results


class _Before:
    """A rendered face, and what the product makes of it."""

    def __init__(self, engine, face):
        photo = Photo(face.rgb)
        self.face = face
        self.estimate = engine.normals(photo, face.to_look_at(find_faces(photo)))
        self.normal, _, self.mask = self.estimate.on_photo(face.rgb.shape)

    def changes(self, engine, other):
        """Our change and the true one (N, 3) on the pixels that show the same of both faces, on the same crop."""
        normal, _, mask = engine.normals_on(Photo(other.rgb), self.estimate.crop).on_photo(other.rgb.shape)
        true = other.normal - self.face.normal
        same = self.mask & mask & self.face.mask & other.mask & (np.abs(true).max(2) < EDGE)
        if not same.any():
            raise NoFaceError("The rendered face and its result share no pixel.")
        return (normal - self.normal)[same], true[same]


def table(results):
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


def as_dict(results):
    """The report as plain data."""
    return {"benchmark": "response", "forms": [r.as_dict() for r in results]}
