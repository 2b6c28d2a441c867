# SPDX-License-Identifier: GPL-3.0-or-later
"""What other modules use of an engine. `pipeline.Engine` has all of it; stand-ins in tests have one of these."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from hffne.geometry.smooth_field import SmoothField
from hffne.photo.crop import Crop
from hffne.photo.detect import Face
from hffne.photo.load import Photo
from hffne.progress import CancelCheck, ProgressCallback


class FaceMessage(Protocol):
    """A built face that can be sent, as textured_face.TexturedFace."""

    def as_message(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """(body, arrays) for the wire protocol: plain types, and the arrays by name."""


@runtime_checkable
class NormalsEngine(Protocol):
    """Estimates normals: what measuring uses."""

    def normals(self, photo: Photo, face: Face) -> Any:
        """The estimate of one face, see `pipeline.Engine.normals`."""


@runtime_checkable
class CropEngine(NormalsEngine, Protocol):
    """Estimates normals on given squares as well: what measuring stability uses."""

    def crop(self, photo: Photo, face: Face) -> Crop:
        """The crop on which a face is estimated, see `pipeline.Engine.crop`."""

    def normals_on(self, photo: Photo, crop: Crop) -> Any:
        """The estimate on that crop, see `pipeline.Engine.normals_on`."""


@runtime_checkable
class FaceEngine(NormalsEngine, Protocol):
    """Builds faces: what the service uses.

    device       torch's name of the device, e.g. "cuda:0"
    device_name  its name for the user
    model        the configuration, "compact" or "paper"
    """

    device: str
    device_name: str
    model: str

    def normals(
        self,
        photo: Photo,
        face: Face,
        report: ProgressCallback | None = None,
        cancelled: CancelCheck | None = None,
    ) -> Any:
        """The estimate of one face, see `pipeline.Engine.normals`."""

    def build(
        self,
        photo: Photo,
        estimate: Any,
        texture_size: int = 1024,
        grid: int = 128,
        report: ProgressCallback | None = None,
        cancelled: CancelCheck | None = None,
        maps: Sequence[str] = (),
        base: str = "mask",
        lod: str = "full",
        field: SmoothField | None = None,
    ) -> FaceMessage:
        """The face of one photo, see `pipeline.Engine.build`."""

    def build_multi_photo(
        self,
        views: Sequence[tuple[Photo, Any]],
        texture_size: int = 1024,
        grid: int = 128,
        report: ProgressCallback | None = None,
        cancelled: CancelCheck | None = None,
        maps: Sequence[str] = (),
        base: str = "mask",
        lod: str = "full",
        field: SmoothField | None = None,
    ) -> FaceMessage:
        """The face of several photos of one person, see `pipeline.Engine.build_multi_photo`."""
