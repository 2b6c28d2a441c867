# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: a photo and a face on it -> FaceEstimate (normals on pixels) -> TexturedFace (mesh and textures).

Importing this module is cheap; torch is imported when an `Engine` is made.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from hffne import crop_levels
from hffne.corrected import closed_mask, corrected, with_shape
from hffne.errors import WeightsError
from hffne.estimate import FaceEstimate
from hffne.exemplar import Exemplar, base_exemplar, exemplar_on_crop
from hffne.feature_normals import look_at_features
from hffne.framing import chosen_framing, in_the_middle, middle_of, widened
from hffne.geometry.band_merge import resize_normals
from hffne.geometry.base_shape import fit_base_shape, head_roll
from hffne.geometry.face_parts import FaceParts, wide_crop
from hffne.geometry.grids import sample
from hffne.geometry.outlines import on_outlines
from hffne.geometry.project import project
from hffne.geometry.smooth_field import SmoothField
from hffne.geometry.unlit import centered
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.normal_integration import shape_by_normals
from hffne.onnx_exemplar import OnnxExemplar
from hffne.photo.crop import CROP, PUBLISHED, SIDE_OVER_RADIUS, Crop, crop_for_box, extract_crop, to_gray
from hffne.photo.detail_size import detail_size
from hffne.photo.detect import Face
from hffne.progress import CancelCheck, ProgressCallback, StageReporter
from hffne.shared_views import shared
from hffne.textured_base import LastBase, textured_head, textured_mask
from hffne.textured_face import TexturedFace, photo_camera

if TYPE_CHECKING:
    from hffne.lockstep import SharedNetworks
    from hffne.models import Models
    from hffne.photo.load import Photo

# What is chosen by itself on a processor without a GPU: 2048 takes three times as long, for pores of half a millimeter.
LARGEST_ON_CPU = 1024
# The side of the second crop may differ from the detector's by at most this factor.
_SIDE_LIMIT = 2.0
# Another box replaces the detector's own only when its crop error is below this share of the own box's.
_CROP_ERROR_SHARE = 0.7
# What the landmarks' move, in sides of the crop, adds to the mirror error. A face's own box moves them by 0.01 to 0.02
# of a side, another by 0.03 to 0.06.
_MOVED = 10.0
# Maps that need the photo's colors without its light.
_NEED_GAIN = {"albedo", "relight"}
# Photo pixels: below this side of the crop the user is advised to use a larger face.
_SMALL_FACE = 96


class Engine:
    """The networks, loaded once, and the computations with them.

    networks     models.Models, the same networks on plain arrays
    trained      the files of those that the user trained, by role
    device       torch's name of the device, e.g. "cuda:0"; device_name: its name for the user
    model        the configuration, "compact" or "paper"
    size         the fine network's crop in pixels (`crop_levels`); None: as each photo needs (`photo.detail_size`)
    stochastic   leave the published coarse network's dropout on (constructor only)
    weights      a folder of networks that the user trained, see `models.load_models` (constructor only)
    framing      what the coarse and the fine network see: a name of photo.crop.FRAMINGS
    coarse       an ONNX file that takes the coarse network's place (`onnx_exemplar`), or None

    Raises HffneError for a missing device, missing weights or a wrong size.
    """

    def __init__(
        self,
        device: str | None = None,
        model: str = "compact",
        size: int | None = None,
        stochastic: bool = False,
        weights: str | Path | None = None,
        framing: str = "auto",
        coarse: str | Path | None = None,
    ) -> None:
        from hffne import models

        if size is not None:
            crop_levels.check_size(size)
        self.networks = models.load_models(device, model, stochastic=stochastic, weights=weights)
        self.trained = self.networks.trained
        self.device = str(self.networks.device)
        self.device_name = models.device_name(self.networks.device)
        self.model = self.networks.name
        self.framing = chosen_framing(framing, self.model)
        self.coarse = OnnxExemplar(coarse, self.device) if coarse else None
        self.size = size
        self._last = LastBase()
        # OpenCV's and torch's threads wait actively for one another when both take all cores.
        cv2.setNumThreads(min(4, os.cpu_count() or 1))

    def with_networks(self, networks: SharedNetworks) -> Engine:
        """An engine for one thread of `lockstep.in_lockstep`."""
        other = copy.copy(self)
        other.networks, other._last = cast("Models", networks), LastBase()
        return other

    def normals(
        self,
        photo: Photo,
        face: Face,
        report: ProgressCallback | None = None,
        cancelled: CancelCheck | None = None,
        merged: bool = True,
        size: int | None = None,
        exemplar: Exemplar | np.ndarray | str | None = None,
        keep: Iterable[str] = (),
    ) -> FaceEstimate:
        """Estimate the normals of one face.

        report, cancelled: see `progress`; errors.Cancelled is raised between two stages when cancelled() returns True.
        merged: False keeps the fine network's normal without the coarse normal's low band. size: another crop than
        the engine's. exemplar: the fine network's exemplar instead of the coarse network's normal: an Exemplar of a
        file, unit normals (256, 256, 3) of a whole crop, or "base" for those of the base mesh; what it does not show is
        filled from the coarse normal. keep: what covers the face and stays, relief and color: "hair", "glasses".
        Raises ShapeError when no face shape can be estimated, HffneError for a wrong size.
        """
        self._last.forget()
        stage = StageReporter(report, cancelled)
        stage("prn", 0.10, "Finding the shape of the face")
        tighter = 1.0 if self.framing == "wide" else PUBLISHED
        return self._estimate(photo, self.crop(photo, face), stage, merged, size, exemplar, tighter, keep)

    def crop(self, photo: Photo, face: Face) -> Crop:
        """The Crop at 256 on which a face is estimated, the head upright.

        It lies around the position map that is found on the detector's crop. The framing "published" takes its middle,
        and with "picture" it lies so that the middle is the whole photo.
        """
        if self.framing == "picture":
            width, height = photo.size
            return Crop(width / 2, height / 2, max(width, height) * PUBLISHED, CROP)
        initial, position = self._initial_crop(photo, face)
        return _crop_around(position, initial)

    def normals_on(self, photo: Photo, crop: Crop, merged: bool = True, size: int | None = None) -> FaceEstimate:
        """The same as `normals` on a given square: a Crop, at any size."""
        return self._estimate(photo, crop.resized(CROP), StageReporter(), merged, size)

    def _estimate(
        self,
        photo: Photo,
        crop: Crop,
        stage: StageReporter,
        merged: bool,
        size: int | None,
        exemplar: Exemplar | np.ndarray | str | None = None,
        tighter: float = 1.0,
        keep: Iterable[str] = (),
    ) -> FaceEstimate:
        """tighter: the position map is found on `crop`, all else on its middle (`framing`)."""
        size = self.size if size is None else crop_levels.check_size(size)
        gray = to_gray(extract_crop(photo.rgb, crop))
        network_position = self._symmetric_position_map(gray)[0]
        if tighter != 1:
            crop, network_position = middle_of(crop, tighter), in_the_middle(network_position, tighter)
            gray = to_gray(extract_crop(photo.rgb, crop))
        shape = fit_base_shape(network_position)
        parts = FaceParts(self.networks.parts(extract_crop(photo.rgb, wide_crop(crop)))).keeping(keep)
        if self.model != "paper":
            shape = on_outlines(shape, parts)
        position = shape.position_map()
        projection = project(position)
        size = self._size_for(photo, crop, projection.mask) if size is None else size
        marks = sample(position, template().landmarks)
        parts = parts.believed(projection.mask).without_fringe(marks).without_strands(gray, marks)
        stage("coarse", 0.25, "Estimating the coarse normals")
        coarse = self.coarse.on_crop(photo.rgb, crop) if self.coarse else self.coarse_normal(gray)
        close = None
        if self.model != "paper":
            coarse = parts.shape_beneath(coarse, lambda: base_exemplar(projection))
            if not self.coarse:
                seen, networks = parts.relief_on_crop(CROP), self.networks
                close = look_at_features(photo.rgb, crop, coarse, marks, seen, networks.eyes, networks.mouth)
                coarse = close.on(coarse)
        stage("fine", 0.35, "Estimating the fine normals")
        exemplar_normal = exemplar_on_crop(exemplar, coarse, position, projection)
        mask = closed_mask(projection.mask)
        sizes = crop_levels.levels(size)
        fines = []
        for level in sizes if merged else sizes[-1:]:
            gray = gray if level == CROP else to_gray(extract_crop(photo.rgb, crop.resized(level)))
            if self.model != "paper":
                gray = parts.painted_over(gray)
            area = crop_levels.face_area(mask, level) if level > CROP and self.model == "compact" else None
            fines.append(self.networks.fine(gray, resize_normals(exemplar_normal, level), area))
        stage("band_merge", 0.60, "Merging coarse shape and fine relief")
        normal = crop_levels.merge_levels(coarse, fines, mask, parts) if merged else fines[-1]
        if close and merged:
            normal = close.beneath(normal)
        if not (np.isfinite(normal).all() and np.isfinite(position).all()):
            raise WeightsError(
                f"The networks of {self.model!r} gave values that are not finite.", hint="Reinstall the engine."
            )
        estimate = FaceEstimate(
            crop=crop.resized(size),
            position_map=position,
            coarse=resize_normals(coarse, size),
            fine=fines[-1],
            normal=normal,
            mask=crop_levels.resized_mask(mask, size),
            shape=shape,
            projection=projection,
            parts=parts,
        )
        if self.model != "paper":
            shape = shape_by_normals(shape, coarse, projection, parts)
        return with_shape(estimate, shape)

    def delit(self, photo: Photo, estimate: FaceEstimate) -> FaceEstimate:
        """The estimate with the gain that takes the light out of the photo's colors, where it has none."""
        if estimate.gain is not None:
            return estimate
        color = np.clip(extract_crop(photo.rgb, wide_crop(estimate.crop.resized(CROP))), 0, 1)
        return replace(estimate, gain=centered(self.networks.gain(color), color, estimate.parts))

    def _size_for(self, photo: Photo, crop: Crop, mask: np.ndarray) -> int:
        """The crop's size that shows what the photo holds of the face `mask`, as far as the device is quick at it."""
        if self.model == "paper":  # works as it was published
            return CROP
        largest = LARGEST_ON_CPU if self.device == "cpu" else crop_levels.LARGEST
        return min(detail_size(photo.rgb, crop, mask), largest)

    def _initial_crop(self, photo: Photo, face: Face) -> tuple[Crop, np.ndarray]:
        """The crop around the detector's box and the position map (U, U, 3) on it.

        Where the detector is uncertain, its other candidates are tried too, and the one with the smallest crop error
        is taken.
        """
        best = crop_for_box(face.box, CROP)
        if not face.candidates:
            return best, self._symmetric_position_map(to_gray(extract_crop(photo.rgb, best)))[0]
        best_position, best_error = self._crop_error(photo, best)
        for box, turns in face.candidates:
            crop = crop_for_box(box, CROP, turns)
            position, error = self._crop_error(photo, crop)
            if error < (1 if turns else _CROP_ERROR_SHARE) * best_error:
                best, best_position, best_error = crop, position, error
        return best, best_position

    def _crop_error(self, photo: Photo, crop: Crop) -> tuple[np.ndarray, float]:
        """The position map on a crop, and its error: how far it differs from the mirrored photo's, and from the one
        on the crop around it.

        On a face the network finds the same shape each time. An ear or a shirt that is taken for a face has a small
        mirror error at times, but the shape moves.
        """
        position, error = self._symmetric_position_map(to_gray(extract_crop(photo.rgb, crop)))
        around = _crop_around(position, crop)
        again, _ = self._symmetric_position_map(to_gray(extract_crop(photo.rgb, around)))
        first, second = (
            c.resized(CROP).to_photo(sample(p, template().landmarks))[:, :2]
            for c, p in ((crop, position), (around, again))
        )
        moved = float(np.linalg.norm(second - first, axis=1).mean()) / around.side
        return position, error + _MOVED * moved

    def _symmetric_position_map(self, gray: np.ndarray) -> tuple[np.ndarray, float]:
        """Position map of a crop and of its mirror image, averaged; and the mirror error, their difference as a share
        of the face's extent.

        A mirrored photo therefore gives the mirrored shape, and the noise is lower.
        """
        plain, mirrored = self.networks.position_map(np.stack([gray, gray[:, ::-1]]))
        mirrored = mirrored[:, ::-1] * np.array([-1, 1, 1], np.float32) + np.array([len(gray) - 1, 0, 0], np.float32)
        mean, mask = (plain + mirrored) / 2, template().mask
        variance = np.square(mean[mask] - mean[mask].mean(0)).sum(1).mean()
        return mean, float(np.sqrt(np.square(plain - mirrored)[mask].sum(1).mean() / max(variance, 1e-6)))

    def coarse_normal(self, gray: np.ndarray) -> np.ndarray:
        """Crop (256, 256) -> coarse normal (256, 256, 3), the mean over the photo and its mirror image.

        The published network is run once, as it was published.
        """
        if self.model == "paper":
            return self.networks.coarse(gray)
        plain, mirrored = self.networks.coarse(np.stack([gray, gray[:, ::-1]]))
        return normalize(plain + mirrored[:, ::-1] * np.array([-1, 1, 1], np.float32)).astype(np.float32)

    def build(
        self,
        photo: Photo,
        estimate: FaceEstimate,
        texture_size: int = 1024,
        grid: int = 128,
        report: ProgressCallback | None = None,
        cancelled: CancelCheck | None = None,
        maps: Iterable[str] = (),
        base: str = "mask",
        lod: str = "full",
        field: SmoothField | None = None,
    ) -> TexturedFace:
        """Mesh and textures from an estimate.

        texture_size: the textures' side in texels. grid: vertices along a side of the UV layout. maps: names of
        further maps, of maps.registry. report, cancelled: as for `normals`. base: "mask" or "head"; lod: the density
        of a head's mesh, a name of head.model.LODS. field: an artist's correction of the shape.
        """
        views = [(photo, estimate)]
        return self.build_multi_photo(views, texture_size, grid, report, cancelled, maps, base, lod, field)

    def build_multi_photo(
        self,
        views: Sequence[tuple[Photo, FaceEstimate]],
        texture_size: int = 1024,
        grid: int = 128,
        report: ProgressCallback | None = None,
        cancelled: CancelCheck | None = None,
        maps: Iterable[str] = (),
        base: str = "mask",
        lod: str = "full",
        field: SmoothField | None = None,
    ) -> TexturedFace:
        """The same as `build` from several photos of one person, with the camera of the photo that shows most.

        All photos share one shape; each has its own camera to it (`shared_views`). Where no sound head can be fitted,
        the result is a mask, and a notice says so.
        """
        stage = StageReporter(report, cancelled)
        stage("unwrap", 0.70, "Fitting the head" if base == "head" else "Unwrapping the face")
        notices: list[str] = []
        # A correction is another one each time.
        settings = (base, texture_size, lod if base == "head" else grid, field)
        kept = None if field else self._last.get(views, *settings)
        given = views
        if self.framing != "wide":
            views = [(photo, widened(estimate, PUBLISHED)) for photo, estimate in views]
        views = list(zip([photo for photo, _ in views], shared([each for _, each in views]), strict=True))
        cameras = [photo_camera(e.crop.resized(CROP), e.shape, p.size, n) for n, (p, e) in enumerate(views)]
        made = kept or (textured_head(views, texture_size, lod, field) if base == "head" else None)
        views = [(photo, corrected(estimate, field)) for photo, estimate in views]
        made = made or textured_mask(views, texture_size, grid)
        if base == "head" and made.layout is None:
            notices.append("No sound head could be fitted to this face; the mask was built instead.")
        if not (kept or field):
            self._last.keep(made, given, *settings)
        photo, estimate = views[made.reference]
        derived = {}
        if maps := tuple(maps):
            from hffne.maps.albedo import UNLIT_SIZE
            from hffne.maps.registry import make_maps

            stage("maps", 0.80, "Deriving the other maps")
            if _NEED_GAIN & set(maps):
                views = [(photo, self.delit(photo, each)) for photo, each in views]
                photo, estimate = views[made.reference]
            derived = make_maps(
                maps,
                photo,
                estimate,
                made.textures,
                made.layout,
                unlit=lambda: made.unlit(views, min(texture_size, UNLIT_SIZE)),
            )
        stage("mesh", 0.90, "Building the mesh")
        crop = estimate.crop.resized(CROP)
        if crop.side < _SMALL_FACE:
            notices.append("The face is small on this photo; a larger one would give more detail.")
        notices += estimate.cover_notices
        mesh, rig, landmarks = made.mesh()
        camera = cameras[made.reference]
        return TexturedFace(mesh, made.textures, camera, notices, derived, landmarks, rig, cameras)


def _crop_around(position: np.ndarray, crop: Crop) -> Crop:
    """The square around a position map given on `crop`, placed as the training's crops are, the head upright."""
    points = position[template().mask].astype(np.float64)
    if not np.isfinite(points).all():
        return crop
    middle = points.mean(0)
    radius = np.sqrt(np.square(points - middle).sum(1).mean())
    side = float(
        np.clip(SIDE_OVER_RADIUS * radius * crop.side / crop.size, crop.side / _SIDE_LIMIT, crop.side * _SIDE_LIMIT)
    )
    # A Crop's center is a continuous position, where pixel index i covers i to i + 1.
    x, y = (crop.to_photo(np.clip(middle, 0, crop.size - 1))[:2] + 0.5).tolist()
    return replace(crop, center_x=x, center_y=y, side=side, turns=(crop.turns + head_roll(position) / 90) % 4)
