# SPDX-License-Identifier: GPL-3.0-or-later
"""What a face's crop and its surroundings show: the face itself, or what covers it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from hffne.geometry.feature_masks import eye_distance
from hffne.geometry.grids import blur, fill_gaps, smoothstep
from hffne.geometry.loose_strands import loose_strands
from hffne.geometry.vectors import length_of, normalize
from hffne.parts import BROWS, CLOTH, FACE, GLASSES, HAIR, LIPS, MOUTH, OCCLUDER, PARTS, SKIN
from hffne.photo.crop import CROP, Crop

# Pixels of 256 around the crop that are looked at too: ears, neck and skull reach beyond it.
MARGIN = 64
WIDE = CROP + 2 * MARGIN
# How likely a pixel must be of the face at least, and from where it is; the border that is left out, in pixels of 256.
_LIKELY = 0.5, 0.9
_RELIEF = 0.2, 0.5
_THIN, _RELIEF_BESIDE = (GLASSES, HAIR), (0.5, 1.0)
_EDGE, _SOFT = np.ones((5, 5), np.uint8), 1.2
# How much weaker folds are on lips, and on so many pixels of 256 around them: heads are off by 10.0 degrees round the
# mouth instead of 10.8, a photometric stereo's by 12.5 instead of 13.1.
_LIPS_FADE, _BESIDE_LIPS = 0.75, np.ones((9, 9), np.uint8)
# From how likely on what covers the face is painted over, and so many pixels of 256 around it, which are mixed with it
# or in its shadow. And how likely skin must be whose brightness is painted there.
_COVERED, _AROUND, _AROUND_HAIR = (0.15, 0.4), np.ones((7, 7), np.uint8), np.ones((11, 11), np.uint8)
_BARE = 0.7, 0.95
# How likely things before the face are, where the shape goes on from around them; how far it reaches, a sigma in
# pixels of 256, and what the things' own pixels count.
_HARD, _SURE, _BENEATH, _AT_LEAST = (GLASSES, OCCLUDER, CLOTH), (0.5, 0.8), 5.0, 0.02
# Pixels of 256 from which on a thing is too wide for that; the sigma of the border to the base shape.
_WIDE, _FADES = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15)), 3.0
# Pixels of 256 of lips that are too few to judge by; the mouth's share of the lips up to which it is closed.
_FEW, _SLIT = 80, 0.04
# The brows' points; how far off them, in distances of the eyes, brows end, and how far hair hangs down on them.
_BROWS = slice(17, 22), slice(22, 27)
_OFF_BROWS, _HANGS = (0.05, 0.09), 0.25
# The share of the face that must look like one; below it the network does not know what it sees.
_LEAST_SEEN = 0.15
# Parts that cover a face, as the user calls them.
_COVERS = {"hair": "Hair", "glasses": "Glasses", "occluder": "Something", "cloth": "Clothes or a hat"}
# The share of the face that is worth a notice, and from which the face is hardly seen.
_WORTH_SAYING, _HARDLY_SEEN = 0.03, 0.5


@dataclass(frozen=True)
class FaceParts:
    """The parts on a face's crop at 256 and MARGIN pixels around it.

    shares  (P, WIDE, WIDE) float16: how likely each of `parts.PARTS` is
    kept    numbers of the parts that count as the face
    """

    shares: np.ndarray
    kept: tuple[int, ...] = FACE

    @staticmethod
    def bare() -> "FaceParts":
        """Nothing but skin, where no network looked."""
        shares = np.zeros((len(PARTS), WIDE, WIDE), np.float16)
        shares[SKIN] = 1
        return FaceParts(shares)

    def keeping(self, names: Iterable[str]) -> "FaceParts":
        """The same with further parts, by name, that count as the face: "hair", "glasses"."""
        return replace(self, kept=(*FACE, *(PARTS.index(name) for name in names)))

    def believed(self, mask: np.ndarray) -> "FaceParts":
        """The same, or `bare` where hardly anything of the face `mask` (s, s) is said to be one: a statue."""
        return self if 1 - sum(self.covered(mask).values()) >= _LEAST_SEEN else self.bare()

    def without_fringe(self, landmarks: np.ndarray) -> "FaceParts":
        """The same, with what is taken for brows told to be hair where it hangs from above and lies off the brows.

        landmarks (68, 2+): iBUG points in pixels of the crop at 256.
        """
        points = landmarks[:, :2] + MARGIN
        unit = eye_distance(points)
        apart = np.ones((WIDE, WIDE), np.uint8)
        for brow in _BROWS:
            cv2.polylines(apart, [np.round(points[brow] * 16).astype(np.int32)], False, (0,), 1, shift=4)
        off = smoothstep(*_OFF_BROWS, cv2.distanceTransform(apart, cv2.DIST_L2, 5) / unit).astype(np.float32)
        # Where no skin lies between it and the hair above.
        reach = max(round(_HANGS * unit), 1)
        below = cv2.dilate((self.part == HAIR).astype(np.uint8), np.ones((reach, 3), np.uint8), anchor=(1, reach - 1))
        return self._as_hair(BROWS, off * below)

    def without_strands(self, gray: np.ndarray, landmarks: np.ndarray) -> "FaceParts":
        """The same, with `loose_strands` on the forehead told to be hair.

        gray (256, 256) 0..1: of the crop; landmarks (68, 2+): iBUG points in its pixels.
        """
        part = self.part_on_crop()
        return self._as_hair(SKIN, np.pad(loose_strands(gray, part == SKIN, part == HAIR, landmarks), MARGIN))

    def _as_hair(self, kind: int, share: np.ndarray) -> "FaceParts":
        """The same with a share (WIDE, WIDE) of what is taken for a part told to be hair."""
        at = np.nonzero(share)
        moved = (self.shares[kind][at] * share[at]).astype(np.float16)
        if not moved.any():
            return self
        shares = self.shares.copy()
        shares[kind][at] -= moved
        shares[HAIR][at] += moved
        return replace(self, shares=shares)

    @cached_property
    def part(self) -> np.ndarray:
        """(WIDE, WIDE) uint8: the likeliest part's number."""
        # NumPy compares float16 one by one; those that are not negative are in the order of their bits.
        bits = np.ascontiguousarray(self.shares).view(np.int16)
        most, part = bits[0].copy(), np.zeros(bits.shape[1:], np.uint8)
        for number, likely in enumerate(bits[1:], 1):
            np.putmask(part, likely > most, number)
            np.maximum(most, likely, out=most)
        return part

    @cached_property
    def _likely(self) -> np.ndarray:
        return self.shares[list(self.kept)].sum(0, dtype=np.float32)

    @cached_property
    def face(self) -> np.ndarray:
        """(WIDE, WIDE) float32 0..1: how far a pixel shows the face and is not at the edge of what covers it."""
        # The edge's pixels are mixed, and a cover's shadow lies beside it.
        least = cv2.erode(smoothstep(*_LIKELY, self._likely).astype(np.float32), _EDGE)
        return np.minimum(least, cv2.GaussianBlur(least, (0, 0), _SOFT))

    def face_at(self, at: np.ndarray) -> np.ndarray:
        """`face` (...) at positions (..., 2+) of the crop at 256."""
        x, y = (np.ascontiguousarray(at[..., k], np.float32).reshape(len(at), -1) + np.float32(MARGIN) for k in (0, 1))
        shown = cv2.remap(self.face, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return shown.reshape(at.shape[:-1])

    def relief_on_crop(self, size: int) -> np.ndarray:
        """How far (S, S) the crop's pixels at `size` show the relief of the face: as `face`, up to the edge of what
        covers it, for an edge's mixed colors do no harm here; but beside glasses and hair, whose shadows and strands
        look like folds."""
        inner = self._relief
        return inner if size == CROP else cv2.resize(inner, (size, size), interpolation=cv2.INTER_LINEAR)

    @cached_property
    def off_lips(self) -> np.ndarray:
        """How far (256, 256) pixels of the crop are off the lips, whose red the fine network takes for folds."""
        near = cv2.dilate(self._inner(self.shares[[LIPS, MOUTH]].sum(0, dtype=np.float32)), _BESIDE_LIPS)
        return np.asarray(1 - _LIPS_FADE * cv2.GaussianBlur(near, (0, 0), 2.0), np.float32)

    @cached_property
    def _relief(self) -> np.ndarray:
        """`relief_on_crop` at 256."""
        inner = self._inner(smoothstep(*_RELIEF, self._likely).astype(np.float32))
        thin = [k for k in _THIN if k not in self.kept]
        if thin:
            beside = cv2.dilate(self._inner(self.shares[thin].sum(0, dtype=np.float32)), _EDGE)
            inner = inner * (1 - smoothstep(*_RELIEF_BESIDE, cv2.GaussianBlur(beside, (0, 0), 1.0)).astype(np.float32))
        return inner

    def shape_beneath(self, coarse: np.ndarray, base: Callable[[], np.ndarray]) -> np.ndarray:
        """Coarse normals (256, 256, 3) of the crop without glasses and things before the face.

        Under narrow ones, as frames, they go on from around; wide ones, as dark lenses, a hand or a mask, hide what the
        coarse network would need to see: there the shape is the base mesh's, base() (256, 256, 3), zero beside it.
        """
        covers = [k for k in _HARD if k not in self.kept]
        likely = self._inner(self.shares[covers].sum(0, dtype=np.float32)) if covers else np.zeros(1, np.float32)
        sure = smoothstep(*_SURE, likely).astype(np.float32)
        if not sure.any():
            return coarse
        share = cv2.GaussianBlur(cv2.dilate(sure, _EDGE), (0, 0), _SOFT)
        around = normalize(blur(coarse, _BENEATH, 1 - share + np.float32(_AT_LEAST)))
        beneath = normalize(coarse + (around - coarse) * share[..., None])
        wide = cv2.dilate(cv2.morphologyEx(sure, cv2.MORPH_OPEN, _WIDE), _AROUND)
        if not wide.any():
            return np.asarray(beneath, np.float32)
        mesh = base()
        known: np.ndarray = (length_of(mesh) > 0.5).astype(np.float32)
        mesh = normalize(blur(mesh, _SOFT, known))  # over the nostrils, too, which turn inward
        known = cv2.erode(cv2.morphologyEx(known, cv2.MORPH_CLOSE, _WIDE), _AROUND)
        wide = cv2.GaussianBlur(np.minimum(wide, known), (0, 0), _FADES)[..., None]
        return normalize(beneath * (1 - wide) + mesh * wide).astype(np.float32)

    def painted_over(self, gray: np.ndarray) -> np.ndarray:
        """Gray values (S, S) of the crop with skin like that around painted over what covers the face.

        A network that looks for relief then finds none there: neither frames of glasses nor strands of hair, nor
        their effect on the skin beside them.
        """
        share, bare = self._cover_and_skin
        if not (share.any() and bare.any()):
            return gray
        small = gray if len(gray) == CROP else cv2.resize(gray, (CROP, CROP), interpolation=cv2.INTER_AREA)
        paint = cv2.GaussianBlur(fill_gaps(small[..., None], bare)[..., 0], (0, 0), _SOFT)
        paint, share = (cv2.resize(a, gray.shape[::-1], interpolation=cv2.INTER_LINEAR) for a in (paint, share))
        return np.asarray(gray + (paint - gray) * share, np.float32)

    @cached_property
    def _cover_and_skin(self) -> tuple[np.ndarray, np.ndarray]:
        """How far (256, 256) pixels of the crop are covered or beside a cover, and how far they are bare skin."""
        share = np.zeros((WIDE, WIDE), np.float32)
        for covers, around in ((_HARD, _AROUND), ((HAIR,), _AROUND_HAIR)):
            likely = self.shares[[k for k in covers if k not in self.kept]].sum(0, dtype=np.float32)
            share = np.maximum(share, cv2.dilate(smoothstep(*_COVERED, likely).astype(np.float32), around))
        skin = smoothstep(*_BARE, self.shares[SKIN].astype(np.float32)) * (1 - share)
        return self._inner(cv2.GaussianBlur(share, (0, 0), 1.0)), self._inner(skin.astype(np.float32))

    def part_on_crop(self) -> np.ndarray:
        """`part` (256, 256) on the crop."""
        return self._inner(self.part)

    def _inner(self, picture: np.ndarray) -> np.ndarray:
        return picture[MARGIN : MARGIN + CROP, MARGIN : MARGIN + CROP]

    def covered(self, mask: np.ndarray) -> dict[str, float]:
        """The share of the face `mask` (s, s) of the crop that each part takes which is not the face, by name."""
        inner = self.part_on_crop()
        shown = cv2.resize(mask.astype(np.uint8), (CROP, CROP), interpolation=cv2.INTER_NEAREST) > 0
        count = np.bincount(inner[shown], minlength=len(PARTS)) / max(int(shown.sum()), 1)
        return {name: float(count[k]) for k, name in enumerate(PARTS) if k not in self.kept and count[k] > 0}

    @property
    def mouth_closed(self) -> bool:
        """Whether lips are seen and nothing between them."""
        inner = self.part_on_crop()
        lips = int((inner == LIPS).sum())
        return lips > _FEW and (inner == MOUTH).sum() < _SLIT * lips

    def notices(self, mask: np.ndarray) -> list[str]:
        """What covers the face `mask`, as sentences for the user."""
        shares = {name: share for name, share in self.covered(mask).items() if name in _COVERS}
        sentences = []
        if sum(shares.values()) > _HARDLY_SEEN:
            sentences.append(
                f"{sum(shares.values()):.0%} of the face is covered; what is not seen is completed from the rest."
            )
            return sentences
        for name, share in shares.items():
            if share >= _WORTH_SAYING:
                verb = "cover" if name in ("glasses", "cloth") else "covers"
                sentences.append(f"{_COVERS[name]} {verb} {share:.0%} of the face; the skin there is completed.")
        return sentences


def wide_crop(crop: Crop) -> Crop:
    """The crop with its margin, WIDE pixels a side."""
    return Crop(crop.center_x, crop.center_y, crop.side * WIDE / CROP, WIDE, crop.turns)
