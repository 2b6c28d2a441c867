# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzing without further packages: frames, the engine's answers and photo files, changed at random.

    python tests/long/fuzz.py [--frames 9000000] [--answers 1000000] [--photos 20000] [--seed 1] [--json FILE]

Exit code 1 when anything escapes: an exception that is no error of the format, a part taken for a whole, an answer that
is accepted although it is wrong, a decoder that crashes, hangs or takes more memory than is stated.
"""

import argparse
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parents[1]), str(HERE.parents[1] / "server")]

import fuzz_answers
import fuzz_mutations
import fuzz_photos

PARTS = {"frames": fuzz_mutations, "answers": fuzz_answers, "photos": fuzz_photos}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=9_000_000, help="inputs of both frame decoders")
    parser.add_argument("--answers", type=int, default=1_000_000, help="answers and other messages of the engine")
    parser.add_argument("--photos", type=int, default=20_000, help="photo files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    report = {}
    for name, part in PARTS.items():
        count, started = getattr(options, name), time.monotonic()
        if not count:
            continue
        found, escaped = part.run(count, options.seed)
        report[name] = {
            "inputs": count,
            "seconds": round(time.monotonic() - started),
            "outcomes": dict(found.most_common()),
            "escaped": dict(escaped),
        }
        print(json.dumps({name: report[name]}, indent=1), flush=True)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return int(any(part["escaped"] for part in report.values()))


if __name__ == "__main__":
    sys.exit(main())
