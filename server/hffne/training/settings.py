# SPDX-License-Identifier: GPL-3.0-or-later
"""Every setting of a training run, as the keys of a recipe file; `recipe` reads and checks them.

Standard library only, so that a recipe is checked before torch is loaded.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from hffne.typed_json import Range

Positive: TypeAlias = Annotated[float, Range(above=0)]
NotNegative: TypeAlias = Annotated[float, Range(least=0)]
Share: TypeAlias = Annotated[float, Range(least=0, most=1)]
Count: TypeAlias = Annotated[int, Range(least=1)]
Architecture: TypeAlias = Literal["A1", "A2", "A3", "attention", "spatial", "alone", "FNR2R"]
Modulation: TypeAlias = Literal["stylegan2", "adain", "none"]
_Decay: TypeAlias = Annotated[float, Range(least=0, below=1)]

# What the perceptual term is divided by (`PaperFineSettings.balance`).
BALANCES = {"paper-text": 1.0, "paper-code": 256.0 * 256.0}


@dataclass(frozen=True)
class Optimizer:
    """The optimizer that each network has.

    name           "adam" or "adamw"
    learning_rate  its highest value, see Schedule
    weight_decay   of adamw, 0 for none
    clip           the largest norm of the gradient, 0 for no limit
    betas          the decay rates of Adam's two running means
    """

    name: Literal["adam", "adamw"]
    learning_rate: Positive
    weight_decay: NotNegative
    clip: NotNegative
    betas: tuple[_Decay, _Decay] = (0.9, 0.999)


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes.

    name    "constant", or "one-cycle": it rises from 1/25 and falls to almost zero (Smith and Topin, 2019)
    warmup  one-cycle: the share of the steps in which it rises
    """

    name: Literal["constant", "one-cycle"]
    warmup: Share


@dataclass(frozen=True)
class Drawing:
    """How samples are drawn from a training set, see `sources.face_set.FaceSamples`.

    photos      share of photos, the others are renders
    relief      strength of the relief put on renders
    profiles    how much more often a full profile is drawn than a frontal render
    quick       shade every second pixel only, where relief and fine edges do not matter
    moves       share of samples that is turned, scaled and shifted in its plane
    antithetic  renders come in pairs: the forms that are raised in one are hollow in the other
    studios     share of renders under one lamp, with even skin and strong forms, seen by a good camera
    avatars     share of renders that show the second head family, where the set has it; they are drawn alone
    clean       share of samples that nothing hides or cuts, seen by a good camera: where faces differ shows best there
    people      share of renders that show dressed people from every side, with position maps alone, where the set has
                them
    """

    photos: Share
    relief: NotNegative
    profiles: NotNegative
    quick: bool
    moves: Share
    antithetic: bool
    studios: Share
    avatars: Share
    clean: Share
    people: Share = 0.0

    def for_checking(self) -> "Drawing":
        """The same share of photos and of moved samples, without what is drawn more often to learn from it."""
        return Drawing(self.photos, 1.0, 0.0, False, self.moves, False, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Intervals:
    """After how many steps what is done.

    log            a line of losses
    smoothing      share of the former value that a logged loss keeps with each step, 0 for the step's own
    check          metrics on held-out samples
    check_batches  how many micro batches of them
    picture        a picture for TensorBoard
    save           checkpoint and weights
    """

    log: Count
    smoothing: Annotated[float, Range(least=0, below=1)]
    check: Count
    check_batches: Annotated[int, Range(least=0)]
    picture: Count
    save: Count


@dataclass(frozen=True)
class PositionSettings:
    """Task prn: the weight of each term, see `losses`.

    position    the position map, with the head's pose
    pose        the linear part of its error
    shape       the face's shape without the pose
    registered  the landmarks alone, of samples whose position maps are registered to the layout by them
    """

    position: NotNegative
    pose: NotNegative
    shape: NotNegative
    registered: NotNegative = 0.0


@dataclass(frozen=True)
class CoarseWeights:
    """Task coarse: the weight of each term. normal, gradient and forms: renders; the others: photos."""

    normal: NotNegative
    gradient: NotNegative
    broad: NotNegative
    fit: NotNegative
    photometric: NotNegative
    forms: NotNegative


@dataclass(frozen=True)
class FeatureWeights:
    """Task coarse: factors of a pixel's weight within 0.12 eye distances of lids and lips, see `feature_weights`.

    fit_lids, fit_lips        photos, where they follow their fits pixel by pixel
    first_lids                renders of the first head family
    second_lids, second_lips  renders of the second
    """

    fit_lids: NotNegative
    fit_lips: NotNegative
    first_lids: NotNegative
    second_lids: NotNegative
    second_lips: NotNegative


@dataclass(frozen=True)
class TeacherSettings:
    """Task coarse: how an older network's normals are kept, where one is given as teacher.

    weight         of the term
    sigma          what is broader than this is kept, in pixels of 256
    second_family  factor of the weight on renders of the second head family
    """

    weight: NotNegative
    sigma: Positive
    second_family: NotNegative


@dataclass(frozen=True)
class CoarseSettings:
    """Task coarse.

    weights  of the terms
    features factors of the weight near lids and lips
    teacher  used only with a teacher
    broad    photos follow their fits in what is broader than this (sigma in pixels of 256)
    folds    the band (two sigmas, same unit) whose light the folds of a photo must explain
    """

    weights: CoarseWeights
    features: FeatureWeights
    teacher: TeacherSettings
    broad: Positive
    folds: tuple[Positive, Positive]


@dataclass(frozen=True)
class FineWeights:
    """Task fine: the weight of each term. normal, detail and gradient: renders; the others: photos."""

    normal: NotNegative
    detail: NotNegative
    gradient: NotNegative
    exemplar: NotNegative
    photometric: NotNegative
    perceptual: NotNegative


@dataclass(frozen=True)
class FineSettings:
    """Task fine.

    weights  of the terms
    band     detail is what is finer than this (sigma in pixels of 256)
    patch    side in pixels of the squares that are cut from each sample
    parts    how many squares of each sample
    architecture, modulation, vector, hidden
             see PaperFineSettings. The squares do not know where on the exemplar they lie, so only what does not lay
             both on each other
    """

    weights: FineWeights
    band: Positive
    patch: Annotated[int, Range(least=32, multiple=32)]
    parts: Count
    architecture: Literal["A3", "attention", "alone"] = "A3"
    modulation: Modulation = "stylegan2"
    vector: Count = 128
    hidden: Share = 0.0


@dataclass(frozen=True)
class PartWeights:
    """Task parsing: what a pixel of each part weighs, see `parts.PARTS`."""

    background: NotNegative
    skin: NotNegative
    brows: NotNegative
    eyes: NotNegative
    lips: NotNegative
    mouth: NotNegative
    hair: NotNegative
    glasses: NotNegative
    occluder: NotNegative
    cloth: NotNegative


@dataclass(frozen=True)
class ParsingSettings:
    """Task parsing.

    parts  weights of the pixels
    dice   weight of the term of that name
    """

    parts: PartWeights
    dice: NotNegative


@dataclass(frozen=True)
class ShadingSettings:
    """Task shading: the weight of each term.

    gain      logarithms of the light
    gradient  their differences between neighbors
    albedo    linear colors without light
    """

    gain: NotNegative
    gradient: NotNegative
    albedo: NotNegative


@dataclass(frozen=True)
class FeatureSettings:
    """Tasks eyes and mouth: the weight of each term.

    normal       the angle
    chord        of the angle's term: how much its chord counts beside one minus its cosine
    gradient     differences between neighbors
    broad        photos: how far the coarse normals are left beside lids and lips in what is broader than `sigma`
    photometric  photos: the light on bare skin that no light explains by the normals, in the band `folds`
    sigma        in pixels of a square
    folds        two sigmas, same unit
    """

    normal: NotNegative
    chord: NotNegative
    gradient: NotNegative
    broad: NotNegative
    photometric: NotNegative
    sigma: Positive
    folds: tuple[Positive, Positive]


@dataclass(frozen=True)
class PaperCoarseSettings:
    """Task paper-coarse.

    lambda_l1      weight of the L1 term beside the discriminator's
    discriminator  width of the discriminator
    """

    lambda_l1: NotNegative
    discriminator: Count


@dataclass(frozen=True)
class PaperFineSettings:
    """Task paper-fine.

    lambda_ref    weight of the reconstruction (equation 10)
    architecture  of networks.variants; "FNR2R" sees the color face where the source has color
    modulation    of networks.variants
    exemplar      "paired", "unpaired" (another face's of the micro batch) or "base" (the face model's normals)
    balance       the perceptual term beside the reconstruction: "paper-text", both are means over pixels and features;
                  "paper-code", the perceptual mean is divided by 256 * 256 too, as in the published script
    area          where both terms are measured: "face", or "picture", all of the crop, as in the published script
    loss          "paper", or "cosine", one minus the cosine to the exemplar and no perceptual term, as with FNR2R
    vector        numbers of z; compact widths only
    hidden        share of samples whose exemplar the network does not see (it is zero)
    """

    lambda_ref: NotNegative
    architecture: Architecture
    modulation: Modulation
    exemplar: Literal["paired", "unpaired", "base"]
    balance: Literal["paper-text", "paper-code"] = "paper-text"
    area: Literal["face", "picture"] = "face"
    loss: Literal["paper", "cosine"] = "paper"
    vector: Count = 128
    hidden: Share = 0.0


Settings: TypeAlias = (
    PositionSettings
    | CoarseSettings
    | FineSettings
    | ParsingSettings
    | ShadingSettings
    | FeatureSettings
    | PaperCoarseSettings
    | PaperFineSettings
)

# Each task and the type of its own settings.
TASKS: dict[str, type[Settings]] = {
    "prn": PositionSettings,
    "coarse": CoarseSettings,
    "fine": FineSettings,
    "parsing": ParsingSettings,
    "shading": ShadingSettings,
    "eyes": FeatureSettings,
    "mouth": FeatureSettings,
    "paper-coarse": PaperCoarseSettings,
    "paper-fine": PaperFineSettings,
}
