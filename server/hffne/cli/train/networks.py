# SPDX-License-Identifier: GPL-3.0-or-later
"""``hffne train prn|coarse|fine|parsing|shading|eyes|mouth|paper-coarse|paper-fine``: train a network by a recipe."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hffne.cli.options import whole

if TYPE_CHECKING:
    from hffne.training.recipe import Recipe
    from hffne.training.sources import SampleSource
    from hffne.training.tasks.base import TrainingTask

TASKS = {
    "prn": ("prn", "the position map network"),
    "coarse": ("coarse", "the coarse network, which makes the exemplar"),
    "fine": ("fine", "the fine network, on a trained coarse network"),
    "parsing": ("parsing", "the parsing network, which tells skin from what covers it"),
    "shading": ("shading", "the shading network, which takes the light out of the colors"),
    "eyes": ("eyes", "the eyes network, which sees them from close up"),
    "mouth": ("mouth", "the mouth network, likewise"),
    "paper-coarse": ("paper", "stage 1 as published"),
    "paper-fine": ("paper", "stage 2 as published"),
}


def add_parsers(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add a step for each task to the command line; each has only the options that it uses."""
    for task, (_, text) in TASKS.items():
        parser = steps.add_parser(
            task,
            help=f"train {text}",
            description=f"Trains {text}. The settings are a recipe's; options that change them are recorded with "
            "the weights. Ctrl-C stops with a checkpoint; the same command resumes the run.",
        )
        add_task_options(parser, task)
        data = parser.add_mutually_exclusive_group(required=True)
        data.add_argument("--set", type=Path, dest="folder", metavar="DIR", help="a set of `hffne train data`")
        data.add_argument("--pack", type=Path, metavar="FILE", help="a file of `hffne train pack`, instead of a set")
        parser.add_argument(
            "--output",
            type=Path,
            metavar="DIR",
            help="checkpoint, log and weights (default: SET/STEP, or the pack's name without its ending)",
        )
        _add_machine_options(parser)
        if task == "paper-coarse":
            parser.add_argument("--photoface", type=Path, metavar="DIR", help="Photoface instead of the set's renders")
        elif task == "paper-fine":
            parser.add_argument(
                "--faces",
                type=_weighted_folder,
                action="append",
                metavar="DIR[=WEIGHT]",
                help="any folder of face photos instead of the set's; repeat it to mix several by weight (default: 1)",
            )
        parser.set_defaults(run=run)


def add_task_options(parser: argparse.ArgumentParser, task: str) -> None:
    """Add the options that change what a task learns: its recipe, and the files that it begins with."""
    _add_common(parser, TASKS[task][0], task.startswith("paper-"))
    if not task.startswith("paper-"):
        parser.add_argument(
            "--start",
            type=Path,
            metavar="FILE",
            help="weights to begin from, at half the learning rate"
            + ("; a network of half the size is extended" if task == "coarse" else ""),
        )
    if task in ("parsing", "shading", "eyes", "mouth"):
        _file(parser, "--encoder", "EfficientNet-Lite0's weights from ImageNet (.pth), for the encoder")
    if task == "coarse":
        _file(parser, "--teacher", "weights whose low frequencies are kept everywhere but near lids and lips")
    if task == "paper-fine":
        _file(
            parser,
            "--coarse-weights",
            "the exemplar network, a file of stage 1 (or an early one, generator_<step>; default: "
            "SET/paper-coarse/generator.safetensors)",
        )
        _file(parser, "--exemplar-file", "one exemplar for all faces")
        _file(parser, "--vgg", "VGG19's weights for relu1_2 (and for E_R); without it, a filter bank")


def _add_common(parser: argparse.ArgumentParser, recipe: str, paper: bool) -> None:
    parser.add_argument(
        "--recipe",
        *(["--config"] if paper else []),
        default=recipe,
        metavar="FILE|NAME",
        help="a recipe file, or the name of one in training/recipes (default: %(default)s)",
    )
    parser.add_argument("--steps", type=whole(0), help="training steps (default: the recipe's)")
    parser.add_argument("--batch", type=whole(1, 65536), help="samples a step (default: the recipe's)")
    parser.add_argument("--rate", type=float, metavar="SHARE", help="share of the learning rate (default: 1)")
    parser.add_argument("--full-precision", action="store_true", help="float32 throughout")
    parser.add_argument("--seed", type=whole(0), default=0)


def _add_machine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--until", type=whole(), metavar="STEP", help="stop after this step, with a checkpoint")
    parser.add_argument("--threads", type=whole(1, 1024), help="torch threads (default: torch's own)")
    parser.add_argument(
        "--workers",
        type=whole(0, 1024),
        default=1,
        help="processes that draw samples, for each device (default: %(default)s)",
    )
    parser.add_argument("--accelerator", default="auto", help="cpu, cuda, mps or auto (Lightning Fabric)")
    parser.add_argument("--devices", default="1", help="how many devices, or auto (default: %(default)s)")
    parser.add_argument("--nodes", type=whole(1, 1024), default=1, help="how many machines (default: %(default)s)")


def _weighted_folder(text: str) -> tuple[Path, float]:
    """The type of DIR[=WEIGHT]. Raises argparse.ArgumentTypeError."""
    folder, equals, weight = text.rpartition("=")
    if not equals or Path(text).is_dir():
        return Path(text), 1.0
    try:
        value = float(weight)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{weight}' is not a weight above 0")
    return Path(folder), value


def _file(parser: argparse.ArgumentParser, name: str, text: str) -> None:
    parser.add_argument(name, type=Path, metavar="FILE", help=text)


# The options that name files which a run begins with.
INPUTS = ("start", "encoder", "teacher", "coarse_weights", "exemplar_file", "vgg")


@dataclass
class Job:
    """What is trained on what.

    make_task  see loop.train
    source     the samples to learn from
    held_out   the samples to check on, or None
    inputs     hashes of the files that the run begins with
    """

    make_task: "Callable[[], TrainingTask]"
    source: "SampleSource"
    held_out: "SampleSource | None"
    inputs: dict[str, str]


def run(options: argparse.Namespace) -> int:
    """Train the task; returns the exit code."""
    # Before other processes are started: they find it unpacked.
    options = _unpacked(options) if options.pack else options
    recipe = recipe_of(options)
    # Before torch and the data are loaded.
    from hffne.training.fabric import make_fabric

    fabric = make_fabric(options.accelerator, options.devices, options.nodes, recipe.precision)
    import torch

    from hffne.training.loop import train

    if options.threads:
        torch.set_num_threads(options.threads)
    job = job_of(options, recipe)
    train(
        fabric,
        job.make_task,
        recipe,
        job.source,
        options.output or options.folder / options.step,
        seed=options.seed,
        held_out=job.held_out,
        inputs=job.inputs,
        workers=options.workers,
        until=options.until,
    )
    return 0


def recipe_of(options: argparse.Namespace) -> "Recipe":
    """The recipe, with what the options change."""
    from hffne.training.recipe import Recipe, read_recipe

    recipe = options.recipe
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(recipe, options.step)
    changes: dict[str, Any] = {}
    if options.steps is not None:
        changes["steps"] = options.steps
    if options.batch is not None:
        changes["batch"] = options.batch
        if recipe.micro_batch == recipe.batch:
            changes["micro_batch"] = options.batch
    if options.full_precision:
        changes["precision"] = "32-true"
    # The recipe of a pack has it already.
    starts = getattr(options, "start", None) and not getattr(options, "pack", None)
    share = (1.0 if options.rate is None else options.rate) * (0.5 if starts else 1.0)
    if share != 1.0:
        changes["optimizer.learning_rate"] = recipe.optimizer.learning_rate * share
    return recipe.changed(changes) if changes else recipe


def job_of(options: argparse.Namespace, recipe: "Recipe") -> Job:
    """What a task learns from. Raises HffneError where something is missing."""
    from hffne.training.sources.closeups import CloseupSamples
    from hffne.training.sources.face_set import FaceSamples
    from hffne.training.sources.features import FeatureSamples
    from hffne.training.sources.mixed import MixedSource
    from hffne.training.sources.parsing import ParsingSamples
    from hffne.training.sources.photoface import PhotofaceSource
    from hffne.training.sources.photos import PhotoSource
    from hffne.training.sources.shading import ShadingSamples

    make_task, inputs = _task(options, recipe)
    if getattr(options, "photoface", None):
        training, test = (PhotofaceSource(options.photoface, recipe.size, options.seed, part) for part in (False, True))
        return Job(make_task, training, test if test.sessions else None, inputs | {"split": training.split})
    if getattr(options, "faces", None):
        faces = [PhotoSource(folder, recipe.size) for folder, _ in options.faces]
        source = faces[0] if len(faces) == 1 else MixedSource(faces, [weight for _, weight in options.faces])
        return Job(make_task, source, None, inputs)
    if recipe.task == "fine":
        close, checked = (CloseupSamples(options.folder, recipe.data, held_out) for held_out in (False, True))
        return Job(make_task, close, checked, inputs)
    of_colors: dict[str, Callable[..., ParsingSamples | ShadingSamples | FeatureSamples]] = {
        "parsing": ParsingSamples,
        "shading": ShadingSamples,
        "eyes": FeatureSamples,
        "mouth": partial(FeatureSamples, feature="mouth"),
    }
    if recipe.task in of_colors:
        samples_of = of_colors[recipe.task]
        shown, checked_on = (
            samples_of(options.folder, recipe.size, recipe.data, held_out) for held_out in (False, True)
        )
        return Job(make_task, shown, checked_on, inputs)
    samples = FaceSamples(options.folder, recipe.size, recipe.data)
    held_out = FaceSamples(options.folder, recipe.size, recipe.data.for_checking(), held_out=True)
    return Job(make_task, samples, held_out, inputs)


def _task(options: argparse.Namespace, recipe: "Recipe") -> "tuple[Callable[[], TrainingTask], dict[str, str]]":
    """What makes the task, and the hashes of the files that it begins with."""
    import torch

    from hffne.errors import ConfigurationError
    from hffne.exemplar import read_exemplar
    from hffne.networks.coarse import CoarseNetwork
    from hffne.training import settings
    from hffne.training.imagenet import start_encoder
    from hffne.training.perceptual import read_vgg
    from hffne.training.start import start
    from hffne.training.tasks.coarse import CoarseTask
    from hffne.training.tasks.feature import FeatureTask
    from hffne.training.tasks.fine import FineTask
    from hffne.training.tasks.paper_coarse import PaperCoarse, coarse_network
    from hffne.training.tasks.paper_fine import PaperFine
    from hffne.training.tasks.parsing import ParsingTask
    from hffne.training.tasks.prn import PositionTask
    from hffne.training.tasks.shading import ShadingTask
    from hffne.weights.store import load_weights

    own = recipe.settings
    if isinstance(own, settings.PaperCoarseSettings):
        return lambda: PaperCoarse(recipe), {}
    if isinstance(own, settings.PaperFineSettings):
        path = options.coarse_weights = coarse_weights(options)
        inputs = _inputs(coarse=path, vgg=options.vgg, exemplar=options.exemplar_file)
        vgg = read_vgg(options.vgg) if options.vgg else None
        file = options.exemplar_file
        if file and own.exemplar != "paired":
            raise ConfigurationError(
                f"--exemplar-file gives one exemplar to all faces, but the recipe's is {own.exemplar!r}.",
                hint="Leave the option out, or use a recipe whose exemplar is 'paired'.",
            )
        exemplar = torch.from_numpy(read_exemplar(file).on_mean_face()).permute(2, 0, 1) if file else None
        return lambda: PaperFine(recipe, load_weights(coarse_network(recipe), path), vgg, exemplar), inputs
    inputs = _inputs(start=options.start)
    if isinstance(own, settings.CoarseSettings):
        inputs |= _inputs(teacher=options.teacher)
    elif getattr(options, "encoder", None):
        inputs |= _inputs(encoder=options.encoder)

    def make() -> "TrainingTask":
        task: TrainingTask
        if isinstance(own, settings.PositionSettings):
            task = PositionTask(own)
        elif isinstance(own, settings.CoarseSettings):
            teacher = load_weights(CoarseNetwork(), options.teacher) if options.teacher else None
            task = CoarseTask(own, recipe.size, teacher)
        elif isinstance(own, settings.ParsingSettings):
            task = ParsingTask(own)
        elif isinstance(own, settings.ShadingSettings):
            task = ShadingTask(own)
        elif isinstance(own, settings.FeatureSettings):
            task = FeatureTask(own, recipe.task)
        else:
            task = FineTask(own)
        if getattr(options, "encoder", None):
            start_encoder(task.networks[recipe.task], options.encoder)
        if options.start:
            start(task.networks[recipe.task], options.start)
        return task

    return make, inputs


def coarse_weights(options: argparse.Namespace) -> Path:
    """The exemplar network of stage 2: the one that is named, or the set's."""
    return Path(options.coarse_weights or options.folder / "paper-coarse" / "generator.safetensors")


def _unpacked(options: argparse.Namespace) -> argparse.Namespace:
    """The options of a run whose pack is unpacked. Raises PackError, ConfigurationError, OutputError."""
    from hffne import __version__
    from hffne.errors import ConfigurationError
    from hffne.training.pack import unpack

    given = {name: getattr(options, name, None) for name in (*INPUTS, "photoface", "faces")}
    given |= {"recipe": options.recipe != TASKS[options.step][0], "seed": options.seed}
    for name in (name for name, value in given.items() if value):
        raise ConfigurationError(f"--{name.replace('_', '-')} is part of a pack.", hint=f"Leave out --{name}.")
    output = options.output or options.pack.with_suffix("")
    pack = unpack(options.pack, options.step, output / "pack")
    if pack.made.split()[0] != __version__:
        print(f"The pack was made by hffne {pack.made}, this is {__version__}.", file=sys.stderr)
    more = {"output": output, "folder": pack.folder, "recipe": pack.recipe, "seed": pack.seed}
    return argparse.Namespace(**{**vars(options), **more, **pack.inputs})


def _inputs(**paths: Path | None) -> dict[str, str]:
    """Hashes of the files that are given, by name. Raises ConfigurationError for one that is not there."""
    from hffne.errors import ConfigurationError
    from hffne.weights.notes import file_hash

    hashes = {}
    for name, path in paths.items():
        if path is None:
            continue
        if not path.is_file():
            raise ConfigurationError(f"There is no file '{path}' ({_INPUTS[name]}).", hint=_HINTS.get(name, ""))
        hashes[name] = file_hash(path)
    return hashes


_INPUTS = {
    "start": "weights to begin from",
    "coarse": "weights of the coarse network",
    "teacher": "weights of the teacher",
    "encoder": "weights of the encoder",
    "vgg": "weights of VGG19",
    "exemplar": "the exemplar",
}
_HINTS = {"coarse": "Train the coarse network first (`hffne train coarse` or `paper-coarse`), or name its weights."}
