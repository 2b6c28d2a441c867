# SPDX-License-Identifier: GPL-3.0-or-later
"""``hffne train pack TASK``: one file of what a training run on another machine needs."""

import argparse
from pathlib import Path

from hffne.cli.train import networks


def add_parser(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the step to the command line."""
    text = "write one file of what a training run on another machine needs"
    parser = steps.add_parser(
        "pack",
        help=text,
        description="Takes the options of `hffne train TASK` and writes the recipe, the files of the training set that "
        "the task uses and the weights that it begins with, with checksums. `hffne train TASK --pack FILE` runs it.",
    )
    tasks = parser.add_subparsers(dest="step", metavar="TASK", required=True)
    for task in networks.TASKS:
        packed = tasks.add_parser(task, help=f"for `hffne train {task}`", description=f"{text.capitalize()}.")
        packed.add_argument(
            "--set", type=Path, dest="folder", metavar="DIR", required=True, help="a set of `hffne train data`"
        )
        packed.add_argument("-o", "--output", type=Path, metavar="FILE.tar", required=True)
        networks.add_task_options(packed, task)
        packed.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the file; returns the exit code."""
    from hffne.errors import PackError
    from hffne.training.pack import write_pack
    from hffne.training.sources import SetSource

    if options.output.suffix != ".tar":
        raise PackError(f"'{options.output}' must end in .tar.", hint="A pack is a tar file.")
    recipe = networks.recipe_of(options)
    # Opens every array and hashes every file, so that what is missing is told now.
    source = networks.job_of(options, recipe).source
    assert isinstance(source, SetSource)
    paths = {name: getattr(options, name, None) for name in networks.INPUTS}
    inputs = {name: path for name, path in paths.items() if path}
    files = source.files()
    size = write_pack(options.output, recipe, options.seed, options.folder, files, inputs)
    print(f"{options.output}: {size / 1e6:.1f} MB, {len(files)} arrays, {len(inputs)} files to begin with.")
    print(f"There: hffne train {recipe.task} --pack {options.output.name} --output run")
    return 0
