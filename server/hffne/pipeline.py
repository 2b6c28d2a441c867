# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way: photo -> FaceEstimate (normals on pixels) -> FaceAsset (mesh and textures).

Importing this module is cheap; torch is imported when an `Engine` is made.
"""

import os
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from hffne.errors import Cancelled, HffneError
from hffne.exemplar import base_exemplar
from hffne.geometry import mesh, unwrap
from hffne.geometry.band_merge import enlarge, merge
from hffne.geometry.grids import sample
from hffne.geometry.multi_photo import combine, reference
from hffne.geometry.project import MAX_SIZE, Projection, project
from hffne.geometry.uv import landmark_uvs, template
from hffne.geometry.vectors import normalize
from hffne.photo.crop import SIDE_OVER_RADIUS, Crop, crop_for_box, take, to_gray

# The position map's and the coarse network's crop.
CROP = 256
# Larger crops must be a multiple of the fine network's coarsest pixel; beyond this no photo shows more.
STEP, LARGEST = 32, 2048
# What a larger crop adds is finer than this sigma in its own pixels.
FINER = 2.0
# The second crop may not run away from the detector's by more than this factor.
_SIDE_LIMIT = 2.0
# By how much the network must doubt another box less than the detector's own, see Engine._first_look.
LEAD = 0.7


@dataclass
class FaceEstimate:
    """What was found about one face of a photo.

    crop         the Crop that all pictures below are on, at their size S
    position_map (U, U, 3) float32, pixels of the crop at 256: x right, y down, z to the viewer
    coarse, fine, normal  (S, S, 3) float32 unit normals in camera space (x right, y up, z to the viewer):
                 the coarse network's, the fine network's, and the product's
    mask         (S, S) bool: the face, as the base shape covers it
    landmarks    (68, 3) float32, iBUG order: x, y in pixels of the photo, z in the same unit to the viewer
    shape        the base shape (geometry.mesh.BaseShape)
    projection   the base shape on the crop (geometry.project.Projection)
    """

    crop: Crop
    position_map: np.ndarray
    coarse: np.ndarray
    fine: np.ndarray
    normal: np.ndarray
    mask: np.ndarray
    landmarks: np.ndarray
    shape: mesh.BaseShape
    projection: Projection

    def on_photo(self, shape):
        """Normals on the photo's own pixels: normal (H, W, 3), coarse (H, W, 3) float32, mask (H, W) bool.

        shape: (H, W). Within the crop's square the normals are given beside the face too; elsewhere they are zero.
        """
        mask = self.spread(self.mask.astype(np.float32), shape) > 0.5
        return self.spread(self.normal, shape), self.spread(self.coarse, shape), mask

    def spread(self, picture, shape):
        """A picture on the crop, unit normals (S, S, 3) or values (S, S), on a photo of `shape` (H, W); zero elsewhere."""
        height, width = shape[:2]
        crop = self.crop.resized(len(picture))
        if picture.ndim == 3 and crop.turns:
            picture = picture @ crop.unturning.T
        # Zeros cost no memory until they are written to, so a large photo is no burden.
        whole = np.zeros((height, width, *picture.shape[2:]), np.float32)
        left, right = (int(np.clip(round(crop.center_x + s * crop.reach), 0, width)) for s in (-1, 1))
        top, bottom = (int(np.clip(round(crop.center_y + s * crop.reach), 0, height)) for s in (-1, 1))
        if left < right and top < bottom:
            part = _back(picture, crop, left, top, right, bottom)
            whole[top:bottom, left:right] = normalize(part) if part.ndim == 3 else part
        return whole

    def landmarks_of(self, points):
        """(68, 3) landmarks in photo pixels from a position map in pixels of the crop at 256."""
        return self.crop.resized(CROP).to_photo(sample(points, template().landmarks))


@dataclass
class FaceAsset:
    """A face to be built in Blender: `mesh` (geometry.mesh.FaceMesh), `textures` (geometry.unwrap.Textures), camera.

    camera: "rotation" 3x3 object axes -> camera axes, "scale" pixels of the crop at 256 per meter, "center" the
    crop pixel of the object's origin, "crop" {center_x, center_y, side, size}, "photo_size" [width, height].
    maps: the further maps that were asked for, arrays by name, see maps.registry.
    """

    mesh: mesh.FaceMesh
    textures: unwrap.Textures
    camera: dict
    notices: list = field(default_factory=list)
    maps: dict = field(default_factory=dict)

    def as_message(self):
        """(body, arrays) for the wire: plain types, and the arrays by name."""
        body = {"units": "m", "camera": self.camera, "regions": list(self.mesh.regions), "notices": list(self.notices)}
        arrays = {
            "vertices": self.mesh.vertices,
            "uvs": self.mesh.uvs,
            "quads": self.mesh.quads,
            "region_weights": self.mesh.region_weights,
            "normal": self.textures.normal,
            "color": self.textures.color,
            "confidence": self.textures.confidence,
            **self.maps,
            "landmarks": landmark_uvs(),
        }
        return body, arrays


class Engine:
    """The networks, loaded once, and what is done with them.

    device, device_name, model: what runs where, for people. size: the fine network's crop in pixels (`check_size`).
    networks: models.Models, the same on plain arrays. stochastic: leave the published coarse network's dropout on.
    Raises HffneError for a missing device, missing weights or a wrong size.
    """

    def __init__(self, device=None, model="compact", size=CROP, stochastic=False):
        from hffne import models

        check_size(size)
        self.networks = models.load_models(device, model, stochastic=stochastic)
        self.device = str(self.networks.device)
        self.device_name = models.device_name(self.networks.device)
        self.model = self.networks.name
        self.size = size
        # OpenCV's and torch's threads wait actively for one another when both take all cores.
        cv2.setNumThreads(min(4, os.cpu_count() or 1))

    def normals(self, photo, face, report=None, cancelled=None, merged=True, size=None, exemplar=None):
        """The normals of one face: FaceEstimate.

        photo: photo.load.Photo; face: photo.detect.Face. report(stage, fraction, message) is told of progress,
        cancelled() is asked between the stages; Cancelled is raised when it says yes. merged=False leaves the
        fine network's normal as it is; size: another crop than the engine's. exemplar: what the
        fine network takes for the coarse network's normal: unit normals (256, 256, 3), or "base" for those of the base
        mesh. Raises ShapeError when no shape can be made out, HffneError for a wrong size.
        """
        step = _Steps(report, cancelled)
        step("prn", 0.10, "Finding the shape of the face")
        return self._on_crop(photo, self.crop(photo, face), step, merged, size, exemplar)

    def crop(self, photo, face):
        """The Crop at 256 that a face is looked at on: around its position map on the detector's crop, the head upright."""
        first, position = self._first_look(photo, face)
        return _crop_around(position, first)

    def normals_on(self, photo, crop, merged=True, size=None):
        """The same as `normals` for a square that is known already: a Crop, at any size."""
        return self._on_crop(photo, crop.resized(CROP), _Steps(None, None), merged, size)

    def _on_crop(self, photo, crop, step, merged, size, exemplar=None):
        models, size = self.networks, self.size if size is None else check_size(size)
        gray = to_gray(take(photo.rgb, crop))
        shape = mesh.regularize(self._both_ways(gray)[0])
        position = shape.position_map()
        projection = project(position, min(size, MAX_SIZE))
        step("coarse", 0.25, "Estimating the coarse normals")
        coarse = self.coarse_normal(gray)
        step("fine", 0.35, "Estimating the fine normals")
        if exemplar is None:
            exemplar = coarse
        elif isinstance(exemplar, str):
            exemplar = base_exemplar(projection)
        levels = _levels(size)
        fines = []
        for level in levels if merged else levels[-1:]:
            gray = gray if level == CROP else to_gray(take(photo.rgb, crop.resized(level)))
            fines.append(models.fine(gray, enlarge(exemplar, level)))
        step("merge", 0.60, "Joining shape and relief")
        # Where lips or nostrils fold over, a few pixels show no outer side; they are face all the same.
        mask = cv2.morphologyEx(projection.mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0
        normal = _join(coarse, fines, mask) if merged else fines[-1]
        estimate = FaceEstimate(
            crop.resized(size),
            position,
            enlarge(coarse, size),
            fines[-1],
            normal,
            _resized(mask, size),
            None,
            shape,
            projection,
        )
        estimate.landmarks = estimate.landmarks_of(position)
        return estimate

    def _first_look(self, photo, face):
        """The crop to begin with and its position map (U, U, 3).

        A detector that is sure is right. Else what it saw in its other looks is tried too: the network is at one with
        itself about a photo and its mirror image where it sees a face.
        """
        best = crop_for_box(face.box, CROP)
        position, doubt = self._both_ways(to_gray(take(photo.rgb, best)))
        for box, turns in face.others:
            crop = crop_for_box(box, CROP, turns)
            found, its_doubt = self._both_ways(to_gray(take(photo.rgb, crop)))
            if its_doubt < (1 if turns else LEAD) * doubt:
                best, position, doubt = crop, found, its_doubt
        return best, position

    def _both_ways(self, gray):
        """Position map of a crop and of its mirror image, averaged, and the share of the face by which they differ.

        So the mirrored photo gives the mirrored shape, with less noise.
        """
        plain = self.networks.position_map(gray)
        mirrored = self.networks.position_map(np.ascontiguousarray(gray[:, ::-1]))[:, ::-1]
        mirrored = mirrored * np.float32([-1, 1, 1]) + np.float32([len(gray) - 1, 0, 0])
        mean, mask = (plain + mirrored) / 2, template().mask
        spread = np.square(mean[mask] - mean[mask].mean(0)).sum(1).mean()
        return mean, float(np.sqrt(np.square(plain - mirrored)[mask].sum(1).mean() / max(spread, 1e-6)))

    def coarse_normal(self, gray):
        """Crop (256, 256) -> coarse normal (256, 256, 3), of the photo and of its mirror image.

        The published network is run once, as it was published.
        """
        plain = self.networks.coarse(gray)
        if self.model == "paper":
            return plain
        mirrored = self.networks.coarse(np.ascontiguousarray(gray[:, ::-1]))[:, ::-1] * np.float32([-1, 1, 1])
        return normalize(plain + mirrored).astype(np.float32)

    def asset(self, photo, estimate, texture_size=1024, grid=128, report=None, cancelled=None, maps=()):
        """What Blender builds from an estimate: FaceAsset. grid: vertices along a side of the UV layout.

        maps: names of the further maps to make, of maps.registry.MAPS.
        """
        return self.combined([(photo, estimate)], texture_size, grid, report, cancelled, maps)

    def combined(self, views, texture_size=1024, grid=128, report=None, cancelled=None, maps=()):
        """The same from several photos of one person: FaceAsset with the camera of the one that saw most.

        views: list of (photo, estimate); maps as for `asset`.
        """
        step = _Steps(report, cancelled)
        seen = []
        for photo, estimate in views:
            step("unwrap", 0.70, "Unwrapping the face")
            crop = estimate.crop.resized(CROP)
            seen.append(
                unwrap.unwrap(estimate.shape, estimate.projection, estimate.normal, photo.rgb, crop, texture_size)
            )
        if len(views) > 1:
            step("combine", 0.76, "Merging the photos")
        photo, estimate = views[reference(seen)]
        shape, textures = combine([view[1].shape for view in views], seen)
        estimate = replace(estimate, shape=shape)
        crop = estimate.crop.resized(CROP)
        derived = {}
        if maps:
            from hffne.maps.registry import make_maps

            step("maps", 0.80, "Deriving the other maps")
            derived = make_maps(maps, photo, estimate, textures)
        step("mesh", 0.90, "Making the mesh")
        camera = {
            "rotation": [[float(v) for v in row] for row in crop.unturning @ shape.rotation],
            "scale": float(shape.scale),
            "center": [float(v) for v in crop.unturned_points(np.float32([*shape.center, 0]))[:2]],
            "crop": {"center_x": crop.center_x, "center_y": crop.center_y, "side": crop.side, "size": crop.size},
            "photo_size": [int(v) for v in photo.rgb.shape[1::-1]],
        }
        notices = []
        if crop.side < 96:
            notices.append("The face is small on this photo; a larger one would give more detail.")
        return FaceAsset(mesh.build_mesh(shape, grid), textures, camera, notices, derived)


def check_size(size):
    """A size of the fine network's crop that can be used, or HffneError."""
    if size % STEP or not CROP <= size <= LARGEST:
        raise HffneError(
            f"The crop cannot have {size} pixels.",
            code="bad_size",
            hint=f"Choose a multiple of {STEP} from {CROP} to {LARGEST}.",
        )
    return size


def _levels(size):
    """The crops that the fine network sees for a result of `size`: 256, its doubles, and the size itself."""
    doubles = [CROP]
    while doubles[-1] * 2 < size:
        doubles.append(doubles[-1] * 2)
    return doubles if size == CROP else [*doubles, size]


def _join(coarse, fines, mask):
    """The shape of the coarse normal, the relief of the fine ones (s, s, 3), each finer than the one before.

    The networks know relief best at the size that they were trained on, where pores are too fine to be seen. So
    wrinkles come from the small crop, and each larger crop adds only what is too fine for the one before it.
    """
    normal = merge(enlarge(coarse, len(fines[0])), fines[0], _resized(mask, len(fines[0])))
    for fine in fines[1:]:
        size = len(fine)
        normal = merge(enlarge(normal, size), fine, _resized(mask, size), FINER * CROP / size)
    return normal


def _resized(mask, size):
    """A mask (s, s) at another size."""
    if len(mask) == size:
        return mask
    return cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR) > 0.5


class _Steps:
    """Tells of a stage that begins, and stops before it when the result is no longer wanted."""

    def __init__(self, report, cancelled):
        self._report, self._cancelled = report, cancelled

    def __call__(self, stage, fraction, message):
        if self._cancelled is not None and self._cancelled():
            raise Cancelled
        if self._report is not None:
            self._report(stage, fraction, message)


def _crop_around(position, crop):
    """The square around a position map that was found on `crop`, as the training's crops are laid, the head upright."""
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
    return replace(crop, center_x=x, center_y=y, side=side, turns=(crop.turns + mesh.lean(position) / 90) % 4)


def _back(picture, crop, left, top, right, bottom):
    """A crop's picture on the photo's pixels left..right, top..bottom."""
    step = crop.side / crop.size
    if step > 1:
        method = cv2.INTER_CUBIC
    else:
        # The photo is coarser than the crop: average first what falls into one of its pixels.
        method = cv2.INTER_LINEAR
        if step < 0.7:
            picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / step, borderType=cv2.BORDER_REPLICATE)
    if picture.ndim == 2:
        method = cv2.INTER_LINEAR
    # From the window's pixel to the crop's.
    matrix = cv2.invertAffineTransform(crop.matrix - [[0, 0, left], [0, 0, top]])

    def warp(layer, method, border):
        return cv2.warpAffine(
            layer, matrix, (right - left, bottom - top), flags=method | cv2.WARP_INVERSE_MAP, borderMode=border
        )

    part = warp(picture, method, cv2.BORDER_REPLICATE)
    if crop.turns % 1:  # the window's corners lie beside the square
        part[warp(np.ones(picture.shape[:2], np.uint8), cv2.INTER_NEAREST, cv2.BORDER_CONSTANT) == 0] = 0
    return part
