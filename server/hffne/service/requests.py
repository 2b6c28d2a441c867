# SPDX-License-Identifier: GPL-3.0-or-later
"""A request of the engine as a typed object, read from a message and checked against `protocol`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hffne.errors import RequestError
from hffne.service import protocol


@dataclass(frozen=True)
class HelloRequest:
    """Load the engine and describe it."""


@dataclass(frozen=True)
class FacesRequest:
    """Detect the faces of a photo; `thumbnails` is the side of a picture of each in pixels, 0 for none."""

    photo: Path
    thumbnails: int


@dataclass(frozen=True)
class PictureRequest:
    """A square of a photo around a center, `side` pixels of the photo wide, as a picture of `size` pixels."""

    photo: Path
    center_x: float
    center_y: float
    side: float
    size: int


@dataclass(frozen=True)
class GenerateRequest:
    """Build one face.

    photos        one photo, or several of one person
    face          which face of each photo: "largest", or a number from 0, the largest first
    texture_size  the textures' side in pixels
    base          "head" or "mask"
    lod           density of a head's mesh: "full", "half" or "game"
    grid          vertices along a side of a mask's UV layout
    size          side of the fine network's crop in pixels, or None for the engine's own
    color         whether the color texture is sent
    keep          what covers the face and stays in the textures, names of protocol.COVERS
    maps          names of the further maps, see maps.registry
    correction    of each point of an artist's correction x, y, z and its weight's x, y, z; see geometry.smooth_field
    """

    photos: tuple[Path, ...]
    face: int | str
    texture_size: int
    base: str
    lod: str
    grid: int
    size: int | None
    color: bool
    keep: tuple[str, ...]
    maps: tuple[str, ...]
    correction: tuple[float, ...] = ()


Request = HelloRequest | FacesRequest | PictureRequest | GenerateRequest

# The types of message that are answered with a "result"; "cancel" and "shutdown" are not.
ANSWERED = tuple(protocol.RESULTS)


def parse(message: Mapping[str, Any]) -> Request:
    """The request that a message of a type in ANSWERED holds. Raises RequestError when it is not as described."""
    kind = message["type"]
    try:
        fields = protocol.checked_fields(protocol.REQUESTS[kind], message)
        if kind == "generate" and "photos" not in message and "photo" not in message:
            raise protocol.ProtocolError("'photo' or 'photos' must be given.")
        paths = fields["photos"] or [fields["photo"]] if kind == "generate" else []
        if not all(paths):
            raise protocol.ProtocolError("'photos' must be a list of paths that are not empty.")
        correction = fields.get("correction", ())
        if len(correction) % 6 or any(abs(value) > protocol.MAX_METERS for value in correction):
            raise protocol.ProtocolError("'correction' must be six numbers of meters for each point.")
    except protocol.ProtocolError as error:
        raise RequestError(str(error), hint=error.hint or None) from None
    if kind == "faces":
        return FacesRequest(Path(fields["photo"]), fields["thumbnails"])
    if kind == "picture":
        return PictureRequest(
            Path(fields["photo"]), fields["center_x"], fields["center_y"], fields["side"], fields["size"]
        )
    if kind == "generate":
        return GenerateRequest(
            photos=tuple(Path(path) for path in paths),
            face=fields["face"],
            texture_size=fields["texture_size"],
            base=fields["base"],
            lod=fields["lod"],
            grid=fields["grid"],
            size=fields["size"],
            color=fields["color"],
            keep=tuple(fields["keep"]),
            maps=tuple(fields["maps"]),
            correction=tuple(correction),
        )
    return HelloRequest()


def heartbeat(message: Mapping[str, Any]) -> float | None:
    """The seconds between two "alive" messages that a message requests, or None; a wrong value counts as none."""
    seconds = message.get("heartbeat")
    wanted = protocol.REQUESTS["hello"].fields["heartbeat"]
    return float(seconds) if seconds is not None and wanted.allows(seconds) else None
