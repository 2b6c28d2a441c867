# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne batch`: the normals, or the faces in Blender, of any number of photos, on all cores or on a cluster."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hffne.cli.options import (
    add_build_options,
    add_engine_options,
    add_size_option,
    build_arguments,
    engine_arguments,
    face_choice,
    size_argument,
    whole,
)
from hffne.cli.report import print_progress
from hffne.errors import ConfigurationError, NoFaceError, OutputError
from hffne.exit_codes import DONE
from hffne.service import protocol

if TYPE_CHECKING:
    from hffne.batch.run import Runner
    from hffne.batch.settings import BatchSettings
    from hffne.cli.options import Subparsers

# Memory of a process that builds faces, with its Blender and its engine.
BUILD_GIGABYTES = 2


def add_parser(subparsers: Subparsers) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        "batch",
        help="estimate the normals of all photos of a folder, and go on where a run was stopped",
        description="Do what `hffne normals` does for every photo of a folder and its subfolders, in several "
        "processes. The same command goes on where it was stopped. TARGET/report.json names every photo that failed.",
    )
    parser.add_argument("source", metavar="SOURCE", help="a folder, or an address such as s3://bucket/photos")
    parser.add_argument("-o", "--output", required=True, metavar="TARGET", help="a folder, or an address")
    parser.add_argument(
        "--face", type=face_choice, default="largest", metavar="N|all", help="which face, as for `hffne normals`"
    )
    add_size_option(parser)
    add_engine_options(parser)
    parser.add_argument(
        "--form",
        default="files",
        choices=["files", "webdataset", "parquet"],
        help="files: <stem>.npz and <stem>_normal.png of each photo (default); webdataset or parquet: shards with the "
        "normals and the mask as PNG, and the landmarks",
    )
    parser.add_argument("--shard", type=whole(), metavar="N", help="photos in one shard (default: 256)")
    parser.add_argument("--uncompressed", action="store_true", help="write .npz without compression")
    parser.add_argument(
        "--workers", type=whole(1, 1024), metavar="N", help="processes (default: one a core; on a GPU one)"
    )
    parser.add_argument(
        "--at-once",
        type=whole(1, 1024),
        metavar="N",
        help="photos that a process computes together, their faces in one pass of a network (default: 1; on a GPU 8)",
    )
    parser.add_argument(
        "--ray", metavar="ADDRESS|auto", help="use a Ray cluster (needs the extra 'cluster'): its address, or auto"
    )
    parser.add_argument("--retry", action="store_true", help="also try the photos again that failed in an earlier run")
    group = parser.add_argument_group("faces in Blender")
    group.add_argument(
        "--build",
        choices=protocol.BASES,
        help="instead of normals, what `hffne build` writes for each photo: a .blend with a head or a mask, its "
        "textures and a preview. Needs Blender",
    )
    add_build_options(group)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the batch; 0, or as for `hffne normals` the exit code of a failure."""
    from hffne.batch.places import open_place
    from hffne.batch.run import run_batch
    from hffne.batch.settings import SHARD, BatchSettings
    from hffne.batch.shards import check
    from hffne.errors import HffneError

    engine = {**engine_arguments(args), **size_argument(args)}
    engine.pop("device")
    for name in {"weights", "coarse"} & set(engine):
        engine[name] = str(engine[name].absolute())
    build = _build_settings(args)
    if build:
        # The only model that Blender is given.
        engine.pop("model")
    settings = BatchSettings(engine, args.face, args.form, not args.uncompressed, args.shard or SHARD, build)
    _check_apart(args.source, args.output)
    check(args.form)
    if build and not args.ray:
        from hffne.batch.builds import options_of
        from hffne.blender import check_blender

        check_blender(options_of(settings, args.device))
    source, target = open_place(args.source, args.output), open_place(args.output)
    runner, at_once = _runner(args, settings)
    made = run_batch(source, target, settings, runner, not args.ray, args.retry, print_progress, at_once)
    print(f"{made['done']} photos done, {made['faces']} faces; {made['failed']} failed -> {args.output}")
    if made["failed"]:
        print(f"{args.output}/report.json names them and says why.")
    failures = [HffneError.from_dict(failure) for failure in made["failures"]]
    if any(isinstance(error, NoFaceError) for error in failures):
        return NoFaceError.exit_code
    return failures[0].exit_code if failures else DONE


def _build_settings(args: argparse.Namespace) -> dict[str, Any] | None:
    """How faces are built, None without --build. Raises ConfigurationError for options that do not go together."""
    build = build_arguments(args)
    if not args.build:
        if build:
            raise ConfigurationError(
                f"--{next(iter(build)).replace('_', '-')} needs --build.", hint="Add --build head."
            )
        return None
    wrong = {
        "--face all": args.face == "all",
        "--form": args.form != "files",
        "--uncompressed": args.uncompressed,
        "--model paper": args.model != "compact",
        "--stochastic": args.stochastic,
        "--crop": args.crop != "auto",
        "--at-once": args.at_once is not None,
    }
    for name in (name for name, given in wrong.items() if given):
        raise ConfigurationError(f"{name} does not go together with --build.", hint=f"Leave out {name}.")
    if "blender" in build and os.path.dirname(build["blender"]):
        build["blender"] = os.path.abspath(build["blender"])
    return {"base": args.build, **build}


def _runner(args: argparse.Namespace, settings: BatchSettings) -> tuple[Runner, int]:
    """What runs the batch, and how many photos a process computes together, as far as that is known here."""
    if args.ray:
        from hffne.batch.cluster import Cluster

        runner = Cluster(args.ray, args.device, args.workers, at_once=args.at_once, tell=print_progress)
        return runner, args.at_once or 1
    from hffne.batch.run import Processes, usual_at_once, usual_count
    from hffne.batch.worker import Worker

    usual = usual_count(args.device, 1 if settings.build is None else BUILD_GIGABYTES)
    at_once = args.at_once or (usual_at_once(args.device) if settings.build is None else 1)
    return Processes(partial(Worker, settings, args.device, at_once=at_once), args.workers or usual), at_once


def _check_apart(source: str, target: str) -> None:
    """Refuse a target that is the source: the results would be taken for photos. Raises OutputError."""
    same = source.rstrip("/") == target.rstrip("/")
    if same or ("://" not in source + target and Path(source).resolve() == Path(target).resolve()):
        raise OutputError("The target is the source.", hint="Name another folder for the results.")
