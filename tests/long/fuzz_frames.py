# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzz both frame decoders, guided by coverage: python tests/long/fuzz_frames.py [--runs N] [libFuzzer's options]

Needs atheris, which there is for Linux only: python -m pip install ".[fuzz]". Each input goes to the engine's and to
the extension's decoder, and must give the same frames; see frame_oracle.py for what else must hold. Inputs are
half of them taken as they come and half of them wrapped into a sound header, so that the JSON behind it is reached.
"""

import argparse
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parents[1]), str(HERE.parents[1] / "server")]

import atheris

with atheris.instrument_imports(include=["hffne.service.frames", "hffne_blender.engine.frames"]):
    import frame_oracle

SEEDS = (
    b'\x01{"type":"hello","id":0}',
    b'\x01{"id":1,"arrays":[{"name":"a","dtype":"f4","shape":[1]}]}\x00\x00\x80?',
    b'\x01{"id":1,"arrays":[{"name":"a","dtype":"u1","shape":[2,2]},{"name":"b","dtype":"b1","shape":[0]}]}1234',
    b"\x00HFNE\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00{}",
)
_count, _frames, _started = 0, 0, 0.0


def one(data):
    global _count, _frames
    _count += 1
    results = []
    for frames in frame_oracle.DECODERS:
        if data[:1] and data[0] % 2:
            # The last closing brace ends the JSON, what follows is the payload.
            end = data.rfind(b"}") + 1 or len(data)
            text, payload = data[1:end], data[end:]
            head = frames.HEADER.pack(frames.MAGIC, frames.PROTOCOL_VERSION, 0, len(text), len(payload))
            stream = head + text + payload
        else:
            stream = data[1:]
        results.append(
            [
                (message, {k: (v.dtype, v.tobytes()) for k, v in arrays.items()})
                for message, arrays in frame_oracle.check(frames, stream)
            ]
        )
    assert results[0] == results[1]
    _frames += len(results[0])
    if _count % 100_000 == 0:
        print(f"inputs {_count}, whole frames {_frames}, {time.monotonic() - _started:.0f} s", flush=True)


def main():
    global _started
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs (default: %(default)s)")
    parser.add_argument("--corpus", type=Path, help="folder that keeps what reached new code")
    options, rest = parser.parse_known_args()
    arguments = [
        sys.argv[0],
        f"-atheris_runs={options.runs}",
        "-timeout=10",
        "-rss_limit_mb=1024",
        "-max_len=512",
        *rest,
    ]
    if options.corpus:
        options.corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(SEEDS):
            (options.corpus / f"seed{number}").write_bytes(seed)
        arguments.append(str(options.corpus))
    _started = time.monotonic()
    atheris.Setup(arguments, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
