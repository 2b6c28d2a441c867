# SPDX-License-Identifier: GPL-3.0-or-later
"""Interrupts `hffne build` at random moments and looks for what stays: files, processes, tracebacks.

    python tests/long/interrupts.py PHOTO [--times 100] [--seed 1]

Each run is ended by Ctrl-C, TERM, HUP or KILL. After the first three nothing may stay at once; after KILL no process,
and no file once the next run in the same folder has ended. Linux only: processes are found in /proc.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
# Seconds in which children notice that their parent was killed.
NOTICE = 15.0


def _heed_signals():
    """A shell starts what runs in its background deaf to Ctrl-C, and children inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def interrupt(photo, output, temporary, number, after):
    """Run a build, send it a signal after some seconds; returns (exit code, text on stderr)."""
    mark = f"HFFNE_TRIAL={temporary}"
    path = os.pathsep.join([str(ROOT / "server"), str(ROOT)])
    environ = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(temporary), "HFFNE_TRIAL": str(temporary)}
    command = [sys.executable, "-m", "hffne", "build", str(photo), "-o", str(output)]
    command += ["--texture-size", "256", "--grid", "32", "--base", "mask", "--maps", "none", "--samples", "4"]
    process = subprocess.Popen(
        command,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_heed_signals,
    )
    time.sleep(after)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors, mark


def running(mark):
    """The ids of processes that have a variable in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def leftovers(output, temporary):
    """Names of temporary files in both folders."""
    names = [path.name for path in temporary.iterdir()]
    return names + [path.name for path in output.glob(".*")] if output.exists() else names


def trial(photo, number, after):
    """What is wrong after one interrupt, as a list of sentences."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        output, temporary = Path(folder) / "out", Path(folder) / "tmp"
        temporary.mkdir()
        code, errors, mark = interrupt(photo, output, temporary, number, after)
        if "Traceback" in errors:
            wrong.append(f"a traceback: {errors[-600:]}")
        end = time.monotonic() + (NOTICE if number == signal.SIGKILL else 0)
        while running(mark) and time.monotonic() < end:
            time.sleep(0.2)
        left = running(mark)
        if left:
            wrong.append(f"{len(left)} processes")
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        files = leftovers(output, temporary)
        if number != signal.SIGKILL and files:
            wrong.append(f"files {files}")
        made = (
            sorted(path.name for path in output.iterdir() if not path.name.startswith(".")) if output.exists() else []
        )
        if made and len(made) < 3:
            wrong.append(f"a part of the results: {made}")
    return code, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photo", type=Path)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=15.0, help="seconds of the latest interrupt")
    options = parser.parse_args()
    generator = random.Random(options.seed)
    bad = 0
    for count in range(options.times):
        number, after = SIGNALS[count % len(SIGNALS)], generator.uniform(0.05, options.longest)
        code, wrong = trial(options.photo.absolute(), number, after)
        bad += bool(wrong)
        print(f"{count} {number.name} after {after:.2f} s: exit code {code}, {wrong or 'nothing left'}", flush=True)
    print(f"{options.times} interrupts, {bad} left something")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
