# SPDX-License-Identifier: GPL-3.0-or-later
"""``hffne train paper-coarse|paper-fine``: the paper's own two stages, on any number of devices."""

from pathlib import Path

STEPS = ("paper-coarse", "paper-fine")


def add_options(parser):
    group = parser.add_argument_group("paper-coarse and paper-fine, the training as published; see docs/paper.md")
    group.add_argument(
        "--config", default="paper", metavar="FILE|paper|compact", help="the configuration (default paper)"
    )
    group.add_argument(
        "--photoface", type=Path, metavar="DIR", help="paper-coarse: Photoface instead of a set's renders"
    )
    group.add_argument(
        "--faces", type=Path, metavar="DIR", help="paper-fine: any folder of face photos instead of a set's"
    )
    group.add_argument(
        "--coarse-weights",
        type=Path,
        metavar="FILE",
        help="paper-fine: the exemplar network, a file of stage 1 (or an early one, generator_<step>)",
    )
    group.add_argument("--exemplar-file", type=Path, metavar="FILE", help="paper-fine: one exemplar for all faces")
    group.add_argument(
        "--vgg",
        type=Path,
        metavar="FILE",
        help="paper-fine: VGG19's weights for relu1_2 (and for E_R); without, a filter bank",
    )
    group.add_argument("--accelerator", default="auto", help="cpu, cuda, mps or auto (Lightning Fabric)")
    group.add_argument("--devices", default="1", help="how many devices, or auto")
    group.add_argument("--nodes", type=int, default=1, help="how many machines")
    group.add_argument("--workers", type=int, default=0, help="processes that draw samples, for each device")


def run(options):
    from hffne.training.paper.config import read_config

    config = read_config(options.config)
    import torch

    from hffne.training.paper.run import train

    if options.threads:
        torch.set_num_threads(options.threads)
    fabric = make_fabric(options.accelerator, options.devices, options.nodes, config["precision"])
    stage, source = (_coarse if options.step == "paper-coarse" else _fine)(options, config)
    train(
        fabric,
        stage,
        source,
        config,
        options.output or options.folder / options.step,
        options.seed,
        options.workers,
        options.steps,
    )
    return 0


def make_fabric(accelerator, devices, nodes, precision):
    """A launched Fabric. Raises HffneError where it is not installed, or has no such device."""
    from hffne.errors import DeviceError, HffneError

    try:
        import tensorboard  # noqa: F401
        from lightning_fabric import Fabric
    except ImportError:
        raise HffneError(
            "Lightning Fabric and TensorBoard are not installed.", hint='Run: python -m pip install -e ".[train]"'
        ) from None
    try:
        devices = devices if devices == "auto" else int(devices)
        strategy = "auto" if devices == 1 and nodes == 1 else "ddp"
        fabric = Fabric(
            accelerator=accelerator, devices=devices, num_nodes=nodes, precision=precision, strategy=strategy
        )
    except Exception as error:  # Fabric's own words for a device or a precision that is not there
        raise DeviceError(f"Training cannot start: {' '.join(str(error).split())}") from error
    fabric.launch()
    return fabric


def _coarse(options, config):
    import torch

    from hffne.training.paper import samples, stages

    torch.manual_seed(options.seed)
    if options.photoface:
        return stages.CoarseStage(config), samples.PhotofaceSource(options.photoface, config["size"], options.seed)
    return stages.CoarseStage(config), samples.SetSource(options.folder, config["size"], labeled=True)


def _fine(options, config):
    import torch

    from hffne.exemplar import read_exemplar
    from hffne.training.paper import perceptual, samples, stages
    from hffne.weights.store import load_weights

    torch.manual_seed(options.seed)
    weights = options.coarse_weights or options.folder / "paper-coarse" / "generator.safetensors"
    coarse = load_weights(stages.coarse_network(config), weights)
    vgg = perceptual.read_vgg(options.vgg) if options.vgg else None
    own = torch.from_numpy(read_exemplar(options.exemplar_file)).permute(2, 0, 1) if options.exemplar_file else None
    stage = stages.FineStage(config, coarse, vgg, own)
    if options.faces:
        return stage, samples.PhotoSource(options.faces, config["size"])
    return stage, samples.SetSource(options.folder, config["size"], labeled=False)
