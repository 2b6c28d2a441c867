# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's ablations (Table 3, Figures 8 and 9) trained and measured with equal budgets, a row a configuration.

Stage 1 is trained once and leaves early exemplar networks; each row is a stage 2 of its own on them. What has been
trained already is used again, so the studies share their common row and an interrupted study is resumed.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import nn

from hffne.datasets.yaleb import YalePhoto
from hffne.errors import ConfigurationError
from hffne.evaluation.contact_sheet import Row as SheetRow
from hffne.evaluation.contact_sheet import normal_picture
from hffne.evaluation.metrics import angles, average, summary
from hffne.experiments.rows import STUDIES
from hffne.geometry.grids import blur
from hffne.geometry.vectors import normalize, rotate_between
from hffne.networks.refiners import fine_network
from hffne.training.loop import Report, train
from hffne.training.perceptual import State, read_vgg
from hffne.training.recipe import Recipe, read_recipe
from hffne.training.sources import Sample, SampleSource
from hffne.training.sources.cropping import truth_on
from hffne.training.sources.face_set import FaceSamples
from hffne.training.sources.photoface import PhotofaceSource
from hffne.training.sources.photos import PhotoSource
from hffne.training.tasks.base import at_its_size
from hffne.training.tasks.paper_coarse import PaperCoarse, coarse_network
from hffne.training.tasks.paper_fine import PaperFine
from hffne.weights.notes import file_hash
from hffne.weights.store import load_weights

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from hffne.pipeline import Engine

SHOWN = 4  # faces on the sheet
RELIEF = 1 / 48  # sigma as a share of the crop's side: what is finer is relief

# A gray face (S, S) in 0..1, its true normals (S, S, 3), and where they are known (S, S) bool.
Face: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class StudyData:
    """What a study learns from and is measured on.

    labeled   samples with normals: stage 1 learns from them, and stage 2 without their normals where photos is None
    held_out  others of the same kind, to measure on
    kind      their name in the table
    photos    samples without normals for stage 2, or None; some of them are shown on the sheet
    """

    labeled: SampleSource
    held_out: SampleSource
    kind: str
    photos: SampleSource | None = None


def study_data(
    folder: Path | None, settings: "Budget", photoface: Path | None = None, photos: Path | None = None
) -> StudyData:
    """The data of a study: a set of `hffne train data`, or Photoface in its place, and photos for stage 2.

    Raises HffneError where data is missing.
    """
    size = settings.coarse.size
    faces = PhotoSource(photos, size) if photos else None
    if photoface:
        parts = [PhotofaceSource(photoface, size, settings.seed, held_out) for held_out in (False, True)]
        return StudyData(parts[0], parts[1], "Photoface held out", faces)
    if folder is None:
        raise ConfigurationError("There are no faces to learn from.", hint="Name --set SET or --photoface DIR.")
    drawing = settings.coarse.data
    labeled, held_out = (FaceSamples(folder, size, drawing, held_out=part) for part in (False, True))
    return StudyData(labeled, held_out, "renders held out", faces)


@dataclass(frozen=True)
class Budget:
    """What all rows have in common: the recipes of both stages, the seed, the processes that draw samples."""

    coarse: Recipe
    fine: Recipe
    seed: int = 0
    workers: int = 0

    @property
    def kept(self) -> dict[float, int]:
        """Each row's share of stage 1's steps, and the step itself."""
        shares = sorted({row.share for rows in STUDIES.values() for row in rows})
        return {share: max(1, round(share * self.coarse.steps)) for share in shares}


def budget(
    recipe: str | Path,
    size: int | None = None,
    coarse_steps: int | None = None,
    fine_steps: int | None = None,
    seed: int = 0,
    workers: int = 0,
) -> Budget:
    """The budget of a recipe, see `recipe.read_recipe`, with what is not None changed. Raises ConfigurationError."""
    stages = []
    for task, steps in (("paper-coarse", coarse_steps), ("paper-fine", fine_steps)):
        changes = {name: value for name, value in (("size", size), ("steps", steps)) if value is not None}
        stages.append(read_recipe(recipe, task).changed(changes))
    return Budget(stages[0], stages[1], seed, workers)


def run_study(
    fabric: "Fabric",
    name: str,
    source: StudyData,
    output: str | Path,
    settings: Budget,
    engine: "Engine | None" = None,
    items: Sequence[YalePhoto] = (),
    faces: int = 60,
    report: Report = print,
    vgg: Path | None = None,
) -> tuple[dict[str, Any], list[SheetRow]]:
    """Train and measure the rows of a study: plain data, see `table`, and the rows of a contact sheet.

    source: see StudyData. Measured are raw angular errors over the face of the exemplars and of the fine network's
    normals, and how far their relief follows the true one (`relief_correlation`): in-domain on `faces` samples that
    training held out, out of domain on `items`, whose faces are detected by `engine`. vgg: VGG19's file, see
    `perceptual.read_vgg`, for the rows that need it. Raises ConfigurationError without it.
    """
    if vgg is None and any(row.vgg for row in STUDIES[name]):
        raise ConfigurationError(f"The study {name} needs VGG19's weights.", hint="Name their file with --vgg.")
    features = read_vgg(vgg) if vgg else None
    output, began = Path(output), time.time()
    coarse_recipe, fine_recipe, seed, kept = settings.coarse, settings.fine, settings.seed, settings.kept
    size = coarse_recipe.size
    coarse_recipe = coarse_recipe.changed({"keep": sorted(set(kept.values()))})
    train(
        fabric,
        lambda: PaperCoarse(coarse_recipe),
        coarse_recipe,
        source.labeled,
        output / "coarse",
        seed,
        # A run goes on with more steps, a study does not.
        inputs={"budget": f"{coarse_recipe.steps} steps"}
        | ({"split": source.labeled.split} if isinstance(source.labeled, PhotofaceSource) else {}),
        workers=settings.workers,
        report=report,
    )
    domains = {
        "in_domain": [_as_face(source.held_out.draw(np.random.default_rng([seed, k]))[0]) for k in range(faces)],
        "out_of_domain": _detected(engine, items, size),
        "shown": _without_truth(source.photos, seed),
    }
    shown = [face for those in domains.values() for face in those[:SHOWN]]
    pictures = [[("photo", _gray(f[0])), ("truth", normal_picture(f[1], f[2]))] for f in shown]
    results = []
    fine_source = source.photos or source.labeled
    for row in STUDIES[name]:
        started = time.time()
        own = row.recipe(fine_recipe)
        exemplars = output / "coarse" / f"generator_{kept[row.share]}.safetensors"
        train(
            fabric,
            _fine_task(own, exemplars, features if row.vgg else None),
            own,
            fine_source,
            output / row.folder,
            seed,
            inputs={"coarse": file_hash(exemplars), "budget": f"{own.steps} steps"}
            | ({"vgg": file_hash(vgg)} if row.vgg and vgg else {}),
            workers=settings.workers,
            report=report,
        )
        coarse = load_weights(coarse_network(own), exemplars).eval()
        fine = load_weights(
            fine_network(own.model, asdict(own.settings)), output / row.folder / "fine.safetensors"
        ).eval()
        measured: dict[str, Any] = {"row": row.name, "exemplar_steps": kept[row.share]}
        estimates: list[tuple[np.ndarray, np.ndarray]] = []
        for domain, those in domains.items():
            if those:
                numbers, normals = _measured(coarse, fine, those, row.exemplar == "unpaired")
                if domain != "shown":
                    measured |= {f"{domain}_{part}": value for part, value in numbers.items()}
                estimates += normals[:SHOWN]
        for tiles, both in zip(pictures, estimates, strict=True):
            tiles.append((f"{row.name}: exemplar", normal_picture(both[0])))
            tiles.append((f"{row.name}: fine", normal_picture(both[1])))
        results.append(measured | {"seconds": round(time.time() - started, 1)})
    data = {
        "study": name,
        "kind": source.kind,
        "rows": results,
        "model": coarse_recipe.model,
        "size": size,
        "coarse_steps": coarse_recipe.steps,
        "fine_steps": fine_recipe.steps,
        "batch": coarse_recipe.batch,
        "seed": seed,
        "faces": len(domains["in_domain"]),
        "photos": len(domains["out_of_domain"]),
        "seconds": round(time.time() - began, 1),
    }
    labels = [f"held out {k + 1}" for k in range(min(SHOWN, len(domains["in_domain"])))]
    labels += [f"photo {k + 1}" for k in range(len(pictures) - len(labels))]
    return data, list(zip(labels, pictures, strict=True))


def _without_truth(photos: SampleSource | None, seed: int) -> list[Face]:
    """Faces that are shown only."""
    return [_as_face(photos.draw(np.random.default_rng([seed, k]))[0]) for k in range(SHOWN)] if photos else []


def _fine_task(recipe: Recipe, exemplars: Path, vgg: State | None) -> Callable[[], PaperFine]:
    """What makes the task of a row."""
    return lambda: PaperFine(recipe, load_weights(coarse_network(recipe), exemplars), vgg)


def relief_correlation(normal: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """How far the relief of normals (S, S, 3) follows the true one's on `mask` (S, S) bool: the correlation, -1 to 1.

    Relief is what is finer than RELIEF of the side, relative to the surface that it sits on.
    """
    low, true_low = (normalize(blur(n, RELIEF * len(mask), mask)) for n in (normal, truth))
    ours = (rotate_between(normal, low, true_low) - true_low)[mask]
    wanted = (truth - true_low)[mask]
    return float((ours * wanted).sum() / max(np.linalg.norm(ours) * np.linalg.norm(wanted), 1e-9))


def _measured(
    coarse: nn.Module, fine: nn.Module, faces: list[Face], unpaired: bool
) -> tuple[dict[str, dict[str, Any]], list[tuple[np.ndarray, np.ndarray]]]:
    """The errors of the exemplars and of the fine normals of some faces, and the normals themselves."""
    normals = [estimate(coarse, fine, gray) for gray, _, _ in faces]
    if unpaired:  # as it was trained: with the exemplar of the face before
        before = [normals[-1], *normals[:-1]]
        normals = [estimate(coarse, fine, f[0], b[0]) for f, b in zip(faces, before, strict=True)]
    numbers = {}
    known = [(both, truth, mask) for both, (_, truth, mask) in zip(normals, faces, strict=True) if mask.any()]
    for k, part in enumerate(("exemplar", "fine")):
        errors = [summary(angles(both[k][mask], truth[mask])) for both, truth, mask in known]
        reliefs = [relief_correlation(both[k], truth, mask) for both, truth, mask in known]
        numbers[part] = average(errors).as_dict() | {"relief": float(np.mean(reliefs))} if known else {}
    return numbers, normals


@torch.inference_mode()
def estimate(
    coarse: nn.Module, fine: nn.Module, gray: np.ndarray, exemplar: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Gray face (S, S) in 0..1 -> exemplar and fine normals (S, S, 3). exemplar: another face's, in its place."""
    picture = torch.from_numpy(gray)[None, None]
    if exemplar is None:
        side = coarse.input_size
        assert isinstance(side, int)
        used = at_its_size(coarse, side, picture)
    else:
        used = torch.from_numpy(np.ascontiguousarray(exemplar.transpose(2, 0, 1)))[None]
    first, second = (normal[0].permute(1, 2, 0).numpy() for normal in (used, fine(picture, used)))
    return first, second


def table(data: dict[str, Any]) -> str:
    """The study as Markdown, in the form of Table 3."""
    domains = [d for d in ("in_domain", "out_of_domain") if any(f"{d}_fine" in row for row in data["rows"])]
    titles = {"in_domain": data["kind"], "out_of_domain": "Extended Yale B"}
    head = ["Experiment"]
    for domain in domains:
        head += [f"{titles[domain]}: exemplar", "Mean ± std", "< 20°", "< 25°", "< 30°", "relief"]
    lines = [
        f"Study {data['study']}: {data['model']}, {data['size']} px, {data['coarse_steps']} steps of stage 1, "
        f"{data['fine_steps']} of each stage 2, batch {data['batch']}, seed {data['seed']}; "
        f"{data['faces']} faces held out, {data['photos']} photos; {data['seconds'] / 60:.1f} min",
        "",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
    ]
    for row in data["rows"]:
        cells = [row["row"]]
        for domain in domains:
            fine, exemplar = row[f"{domain}_fine"], row[f"{domain}_exemplar"]
            cells += [
                f"{exemplar['mean']:.1f}",
                f"{fine['mean']:.1f} ± {fine['std']:.1f}",
                *(f"{fine[f'under_{limit}']:.1f}%" for limit in (20, 25, 30)),
                f"{exemplar['relief']:.2f}, {fine['relief']:.2f}",
            ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_json(data: dict[str, Any]) -> bytes:
    """The study as the content of a JSON file."""
    return json.dumps(data, indent=1).encode()


def _as_face(sample: Sample) -> Face:
    normal = sample["normal"].permute(1, 2, 0).numpy()
    return sample["gray"][0].numpy(), normal, (sample["weight"].numpy() > 0.5) & (np.square(normal).sum(2) > 0.5)


def _detected(engine: "Engine | None", items: Sequence[YalePhoto], size: int) -> list[Face]:
    """Photos and their true normals on the engine's crops, without those where no face is detected."""
    from hffne.photo.crop import extract_crop, to_gray
    from hffne.photo.detect import find_faces
    from hffne.photo.load import load_photo

    faces: list[Face] = []
    if engine is None:
        return faces
    for item in items:
        photo = load_photo(item.photo)
        boxes = find_faces(photo)
        if boxes:
            crop = engine.crop(photo, boxes[0])
            faces.append(
                (to_gray(extract_crop(photo.rgb, crop.resized(size))), *truth_on(crop, size, *item.ground_truth()))
            )
    return faces


def _gray(gray: np.ndarray) -> np.ndarray:
    return np.repeat((np.clip(gray, 0, 1) * 255).astype(np.uint8)[..., None], 3, 2)
