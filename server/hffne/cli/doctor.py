# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne doctor`: check the engine and print what a report of a problem needs."""


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "doctor",
        help="check the engine; print a report for a question or a bug",
        description="Print versions, device and models, and try each part. The report holds no photo, and the user's "
        "folder and name are masked. Exit code 1 when a check fails.",
    )
    parser.set_defaults(run=run)


def run(args):
    from hffne.doctor import report

    lines, good = report()
    print("\n".join(lines))
    return 0 if good else 1
