# SPDX-License-Identifier: GPL-3.0-or-later
"""``hffne train data``: make the training set."""

import argparse
import os
from pathlib import Path

from hffne.cli.options import whole

_CHECKED = 120  # renders of the people held out


def add_parser(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the step to the command line."""
    parser = steps.add_parser(
        "data",
        help="make the training set",
        description="Fits the face model to photos, and renders faces. What is there already is kept.",
    )
    parser.add_argument("--set", type=Path, required=True, dest="folder", metavar="DIR", help="the set's folder")
    parser.add_argument(
        "--shapes", type=Path, required=True, metavar="DIR", help="folder of ict_facekit.npz (ICT-FaceKit, MIT)"
    )
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="any folder of face photos")
    parser.add_argument("--scan-normals", type=Path, metavar="FILE", help="a head scan's tangent-space normal map")
    parser.add_argument("--heads", type=Path, metavar="DIR", help="folder of a second head family (VALID, MIT)")
    parser.add_argument(
        "--head-renders", type=whole(0), default=2600, help="how many renders of it (default: %(default)s)"
    )
    parser.add_argument(
        "--close-renders",
        type=whole(0),
        default=0,
        help="how many close-ups for the fine network (default: %(default)s)",
    )
    parser.add_argument("--close-photos", type=whole(0), default=0, help="how many of photos (default: %(default)s)")
    parser.add_argument("--painted", type=Path, metavar="DIR", help="painted heights of faces (MB-Lab) for close-ups")
    parser.add_argument("--scan-heights", type=Path, metavar="FILE", help="a head scan's displacement map, likewise")
    parser.add_argument(
        "--parsing-people",
        type=whole(0),
        default=0,
        help="how many renders of dressed people for the parsing and the shading network, with --heads "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--parsing-photos",
        type=whole(0),
        default=0,
        help="how many photos for the parsing network (default: %(default)s)",
    )
    parser.add_argument(
        "--relit-photos",
        type=whole(0),
        default=0,
        help="how many in another light, for the shading network (default: %(default)s)",
    )
    parser.add_argument(
        "--eye-people",
        type=whole(0),
        default=0,
        help="how many large renders of people for the eyes network, with --heads (default: %(default)s)",
    )
    parser.add_argument("--eye-photos", type=whole(0), default=0, help="how many photos for it (default: %(default)s)")
    parser.add_argument(
        "--posed-people",
        type=whole(0),
        default=0,
        help="how many renders of people from every side for the position map network, with --heads "
        "(default: %(default)s)",
    )
    parser.add_argument("--skies", type=Path, metavar="FILE", help="environment maps (.npz of linear arrays) for them")
    parser.add_argument("--renders", type=whole(0), default=8000, help="how many renders (default: %(default)s)")
    parser.add_argument("--crops", type=whole(0), default=2, help="crops of each photo (default: %(default)s)")
    parser.add_argument(
        "--turns", type=whole(0), default=2, help="crops of each photo with the head turned (default: %(default)s)"
    )
    parser.add_argument(
        "--processes",
        type=whole(1, 1024),
        default=max(1, (os.cpu_count() or 2) - 1),
        help="processes (default: %(default)s)",
    )
    parser.add_argument("--seed", type=whole(0), default=0)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make the set; returns the exit code."""
    from hffne.errors import ConfigurationError
    from hffne.synthesis.build import build
    from hffne.synthesis.relief_maps import build_forms, build_reliefs

    folder: Path = options.folder
    for name in ("parsing_people", "eye_people", "posed_people"):
        if getattr(options, name) and not (options.heads and options.skies):
            raise ConfigurationError(
                f"--{name.replace('_', '-')} needs --heads and --skies.",
                hint="See docs/datasets.md for where both come from.",
            )
    build(
        options.shapes,
        options.photos,
        folder,
        options.renders,
        options.crops,
        options.turns,
        options.seed,
        options.processes,
    )
    if options.heads:
        from hffne.synthesis.avatar_set import build_avatars

        build_avatars(options.heads, options.shapes, folder, options.head_renders, options.seed, options.processes)
    if not (folder / "reliefs.npy").exists():
        build_reliefs(folder / "reliefs.npy", options.scan_normals, seed=options.seed)
    if not (folder / "form_pairs.npy").exists():
        build_forms(folder / "form_pairs.npy", seed=options.seed)
    if options.close_renders:
        from hffne.synthesis.close_reliefs import build_close_reliefs, load_heights
        from hffne.synthesis.closeups import build_closeups

        build_closeups(
            options.shapes,
            options.heads,
            folder,
            options.close_renders,
            options.close_photos,
            options.seed,
            options.processes,
        )
        if not (folder / "close_reliefs_0.npy").exists():
            build_close_reliefs(folder, load_heights(options.painted, options.scan_heights), seed=options.seed)
    if options.parsing_people or options.eye_people or options.posed_people:
        from hffne.synthesis import parsing_set as names

        counts: dict[str, int] = {}
        if options.parsing_people:
            counts |= {
                names.HELD_OUT_PEOPLE: _CHECKED,
                names.PEOPLE: options.parsing_people,
                names.RELIT: options.relit_photos,
                names.PHOTOS: options.parsing_photos,
            }
        if options.eye_people:
            counts |= {
                names.HELD_OUT_EYES: _CHECKED // 2,
                names.EYE_PEOPLE: options.eye_people,
                names.EYE_PHOTOS: options.eye_photos,
            }
        if options.posed_people:
            counts |= {names.HELD_OUT_POSED: _CHECKED, names.POSED: options.posed_people}
        shapes, heads, skies = options.shapes, options.heads, options.skies
        names.build_parsing(shapes, heads, skies, folder, counts, options.seed, options.processes)
    return 0
