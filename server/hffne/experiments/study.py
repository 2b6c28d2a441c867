# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's ablations (Table 3, Figures 8 and 9) trained and measured with equal budgets, a row a configuration.

Stage 1 is trained once and leaves early exemplar networks; each row is a stage 2 of its own on them. What was trained
already is taken up, so the studies share their common row and an interrupted study goes on.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hffne.evaluation.contact_sheet import normal_picture
from hffne.evaluation.metrics import angles, average, summary
from hffne.training.paper import config as configuration
from hffne.training.paper.run import train
from hffne.training.paper.samples import SetSource, truth_on
from hffne.training.paper.stages import CoarseStage, FineStage, at_its_size, coarse_network, fine_network
from hffne.weights.store import load_weights

SHOWN = 4  # faces on the sheet


@dataclass(frozen=True)
class Row:
    """One configuration. share: of stage 1's steps, after which the exemplars were made."""

    name: str
    share: float = 0.5
    architecture: str = "A3"
    modulation: str = "stylegan2"
    exemplar: str = "paired"

    @property
    def folder(self):
        return f"fine_{self.share:g}_{self.architecture}_{self.modulation}_{self.exemplar}"


# The paper's stage 1 has 200k iterations: 1k, 50k and 100k of them. Its method is the row Iter100k / A3 / StyleGAN2.
STUDIES = {
    "initialization": (
        Row("Iter1k", 1 / 200),
        Row("Iter50k", 1 / 4),
        Row("Iter100k"),
        Row("Iter200k", 1.0),
        Row("unpaired", exemplar="unpaired"),
    ),
    "architecture": (Row("A1", architecture="A1"), Row("A2", architecture="A2"), Row("A3")),
    "modulation": (Row("w/o modulation", modulation="none"), Row("AdaIN", modulation="adain"), Row("StyleGAN2")),
}


def run_study(fabric, name, folder, output, config, engine=None, items=(), faces=60, seed=0, workers=0, report=print):
    """Train and measure the rows of a study: plain data, see `table`, and the rows of a contact sheet.

    folder: a set of `hffne train data`. Both stages learn from its renders, stage 2 without their normals; measured is
    in-domain on `faces` renders that training held out, out of domain on `items` (datasets.yaleb.YalePhoto, found by
    `engine`): raw angular errors of the fine network's normals over the face, and the exemplars' own.
    """
    folder, output, began = Path(folder), Path(output), time.time()
    steps = config["coarse"]["steps"]
    kept = {
        share: max(1, round(share * steps))
        for share in sorted({row.share for rows in STUDIES.values() for row in rows})
    }
    config = config | {"coarse": config["coarse"] | {"keep": sorted(kept.values())}}
    source = SetSource(folder, config["size"], labeled=True)
    torch.manual_seed(seed)
    train(fabric, CoarseStage(config), source, config, output / "coarse", seed, workers, report=report)
    held_out = SetSource(folder, config["size"], labeled=True, held_out=True)
    held_out = [_as_face(held_out.sample(np.random.default_rng([seed, k]))) for k in range(faces)]
    wild = [face for face in (_found(engine, item, config["size"]) for item in items) if face is not None]
    results, pictures = (
        [],
        [[("photo", _gray(f[0])), ("truth", normal_picture(f[1], f[2]))] for f in held_out[:SHOWN] + wild[:SHOWN]],
    )
    for row in STUDIES[name]:
        started = time.time()
        own = config | {
            "fine": config["fine"]
            | {"architecture": row.architecture, "modulation": row.modulation, "exemplar": row.exemplar}
        }
        coarse = load_weights(coarse_network(own), output / "coarse" / f"generator_{kept[row.share]}.safetensors")
        torch.manual_seed(seed)
        train(fabric, FineStage(own, coarse), source, own, output / row.folder, seed, workers, report=report)
        fine = load_weights(fine_network(own), output / row.folder / "fine.safetensors")
        shown = []
        measured = {"row": row.name, "exemplar_steps": kept[row.share]}
        for domain, those in (("in_domain", held_out), ("out_of_domain", wild)):
            if those:
                guesses = [guess(coarse.eval(), fine.eval(), gray) for gray, _, _ in those]
                if row.exemplar == "unpaired":  # as it was trained: with the exemplar of the face before
                    guesses = [guess(coarse, fine, f[0], before[0]) for f, before in zip(those, guesses[-1:] + guesses)]
                for k, part in enumerate(("exemplar", "fine")):
                    measured[f"{domain}_{part}"] = average(
                        [summary(angles(g[k][mask], truth[mask])) for g, (_, truth, mask) in zip(guesses, those)]
                    ).as_dict()
                shown += [(g, mask) for g, (_, _, mask) in zip(guesses[:SHOWN], those)]
        for tiles, (both, mask) in zip(pictures, shown):
            tiles.append((f"{row.name}: exemplar", normal_picture(both[0])))
            tiles.append((f"{row.name}: fine", normal_picture(both[1])))
        results.append(measured | {"seconds": round(time.time() - started, 1)})
    data = {
        "study": name,
        "rows": results,
        "model": config["model"],
        "size": config["size"],
        "coarse_steps": steps,
        "fine_steps": config["fine"]["steps"],
        "batch": config["batch"],
        "seed": seed,
        "faces": len(held_out),
        "photos": len(wild),
        "seconds": round(time.time() - began, 1),
    }
    labels = [f"render {k + 1}" for k in range(min(SHOWN, len(held_out)))]
    labels += [f"photo {k + 1}" for k in range(len(pictures) - len(labels))]
    return data, list(zip(labels, pictures))


@torch.inference_mode()
def guess(coarse, fine, gray, exemplar=None):
    """Gray face (S, S) -> exemplar and fine normals (S, S, 3). exemplar: another face's, in its place."""
    picture = torch.from_numpy(gray)[None, None]
    if exemplar is None:
        taken = at_its_size(coarse, picture)
    else:
        taken = torch.from_numpy(np.ascontiguousarray(exemplar.transpose(2, 0, 1)))[None]
    return tuple(normal[0].permute(1, 2, 0).numpy() for normal in (taken, fine(picture, taken)))


def table(data):
    """The study as Markdown, in the form of Table 3."""
    domains = [d for d in ("in_domain", "out_of_domain") if any(f"{d}_fine" in row for row in data["rows"])]
    titles = {"in_domain": "renders held out", "out_of_domain": "Extended Yale B"}
    head = ["Experiment"]
    for domain in domains:
        head += [f"{titles[domain]}: exemplar", "Mean ± std", "< 20°", "< 25°", "< 30°"]
    lines = [
        f"Study {data['study']}: {data['model']}, {data['size']} px, {data['coarse_steps']} steps of stage 1, "
        f"{data['fine_steps']} of each stage 2, batch {data['batch']}, seed {data['seed']}; "
        f"{data['faces']} renders, {data['photos']} photos; {data['seconds'] / 60:.1f} min",
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
            ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def study_config(wanted, size=None, coarse_steps=None, fine_steps=None):
    """A configuration with the study's own budgets."""
    config = configuration.read_config(wanted)
    config |= {"size": size or config["size"]}
    for stage, steps in (("coarse", coarse_steps), ("fine", fine_steps)):
        config[stage] = config[stage] | {"steps": steps or config[stage]["steps"]}
    return configuration.checked(config)


def as_json(data):
    return json.dumps(data, indent=1).encode()


def _as_face(sample):
    return sample["gray"][0].numpy(), sample["normal"].permute(1, 2, 0).numpy(), sample["weight"].numpy() > 0.5


def _found(engine, item, size):
    """A photo and its truth on the engine's crop; None where no face is found."""
    from hffne.photo.crop import extract_crop, to_gray
    from hffne.photo.detect import find_faces
    from hffne.photo.load import load_photo

    photo = load_photo(item.photo)
    faces = find_faces(photo)
    if not faces:
        return None
    crop = engine.crop(photo, faces[0])
    return to_gray(extract_crop(photo.rgb, crop.resized(size))), *truth_on(crop, size, *item.ground_truth())


def _gray(gray):
    return np.repeat((np.clip(gray, 0, 1) * 255).astype(np.uint8)[..., None], 3, 2)
