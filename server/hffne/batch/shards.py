# SPDX-License-Identifier: GPL-3.0-or-later
"""Many faces in one file: tar files as WebDataset reads them, or Parquet. The same faces give the same bytes."""

import io
import json
import tarfile
from collections.abc import Sequence
from typing import Any

from hffne.batch.settings import Form
from hffne.errors import ExtraMissingError

# Facts of `faces.faces_of`, with "photo", and {ending: content}.
Sample = tuple[dict[str, Any], dict[str, bytes]]

ENDINGS = {"webdataset": ".tar", "parquet": ".parquet"}


def shard_name(form: Form, number: int) -> str:
    """The name of shard `number` in the target."""
    return f"shards/{number:06d}{ENDINGS[form]}"


def check(form: Form) -> None:
    """Raise ExtraMissingError for Parquet without pyarrow."""
    if form == "parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            hint = 'Run: python -m pip install "hffne[cluster]"'
            raise ExtraMissingError("Parquet needs pyarrow.", hint=hint) from None


def encode(form: Form, samples: Sequence[Sample]) -> bytes:
    """The content of a shard. Raises ExtraMissingError for Parquet without pyarrow."""
    return _parquet(samples) if form == "parquet" else _tar(samples)


def _tar(samples: Sequence[Sample]) -> bytes:
    """For each sample <number>.json, <number>.mask.png, <number>.normal.png and <number>.parts.png."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number, (facts, files) in enumerate(samples):
            for ending, data in sorted({"json": json.dumps(facts).encode(), **files}.items()):
                entry = tarfile.TarInfo(f"{number:06d}.{ending}")
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def _parquet(samples: Sequence[Sample]) -> bytes:
    """A row for each sample: the facts, and the pictures as bytes."""
    check(form="parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        {
            "photo": pa.string(),
            "face": pa.int32(),
            "width": pa.int32(),
            "height": pa.int32(),
            "crop": pa.int32(),
            "landmarks": pa.list_(pa.list_(pa.float32())),
            "notices": pa.list_(pa.string()),
            "normal.png": pa.binary(),
            "mask.png": pa.binary(),
            "parts.png": pa.binary(),
        }
    )
    table = pa.Table.from_pylist([{**facts, **files} for facts, files in samples], schema)
    stream = io.BytesIO()
    # The pictures are compressed already.
    pq.write_table(table, stream, compression="none", use_dictionary=False)
    return stream.getvalue()
