# SPDX-License-Identifier: GPL-3.0-or-later
"""A job: the photos that are computed and recorded together. A shard is the result of one job."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hffne.batch.names import is_file_name
from hffne.batch.places import Place, stem_of
from hffne.batch.records import Record
from hffne.batch.settings import BatchSettings
from hffne.batch.shards import Sample, encode, shard_name
from hffne.batch.worker import Computed, Worker
from hffne.errors import HffneError, OutputError, PhotoError


@dataclass(frozen=True)
class Job:
    """Photos of one job.

    number  of the shard and of the records; the same photos have the same number in any run
    photos  [(name, bytes, the name of another photo whose files its own would replace, or "")]
    """

    number: int
    photos: tuple[tuple[str, int, str], ...]


def jobs_of(
    names: Sequence[str], photos: dict[str, int], records: Iterable[Record], settings: BatchSettings, together: int
) -> Iterator[Job]:
    """The jobs of the photos `names`, in order, with numbers that no record has; together: photos in a job."""
    taken = {record["job"] for record in records if "job" in record}
    owners: dict[str, str] = {}
    if not settings.sharded:
        for name in photos:
            # Case does not tell files apart on Windows and macOS.
            owners.setdefault(stem_of(name).casefold(), name)
    number = 0
    for start in range(0, len(names), together):
        while number in taken:
            number += 1
        part = names[start : start + together]
        others = [owners.get(stem_of(name).casefold(), name) for name in part]
        yield Job(
            number, tuple((n, photos[n], "" if other == n else other) for n, other in zip(part, others, strict=True))
        )
        number += 1


def do_job(job: Job, source: Place, target: Place, worker: Worker, settings: BatchSettings) -> list[Record]:
    """Compute a job's photos and write their results; returns a record of each photo.

    What is wrong with a photo stands in its record. Raises OutputError and StoreError where nothing can be read or
    written, and what `Worker.start` raises.
    """
    records: list[Record] = []
    samples: list[Sample] = []
    for start in range(0, len(job.photos), worker.at_once):
        some = job.photos[start : start + worker.at_once]
        results = _compute(some, source, worker, whole=settings.sharded or not target.local)
        for (name, size, _), computed in zip(some, results, strict=True):
            record: Record = {"photo": name, "bytes": size, "job": job.number}
            records.append(record)
            if computed.error is not None:
                record["error"] = computed.error.as_dict()
                continue
            record["faces"] = [facts["face"] for facts, _ in computed.faces]
            if settings.sharded:
                samples += [({"photo": name, **facts}, files) for facts, files in computed.faces]
                record["files"] = [shard_name(settings.form, job.number)]
            else:
                files = _single_files(name, computed, settings)
                target.write(files)
                record["files"] = list(files)
    if samples:
        target.write({shard_name(settings.form, job.number): encode(settings.form, samples)})
    return records


def _compute(photos: Sequence[tuple[str, int, str]], source: Place, worker: Worker, whole: bool) -> list[Computed]:
    """Compute photos of a job together; errors are in the results, but for those that hold for all photos.

    whole: whether any name can be kept, as results do not become files of this machine.
    """
    results: dict[str, Computed] = {}
    with contextlib.ExitStack() as stack:
        paths: dict[str, Path] = {}
        for name, _, other in photos:
            if other:
                error: HffneError = OutputError(
                    f"The results of '{name}' would replace those of '{other}'.",
                    hint="Rename one of them, or keep the results in shards.",
                )
                results[name] = Computed(error=error)
                continue
            if not whole and not is_file_name(name):
                error = OutputError(
                    f"The results of '{name}' cannot be written: it is no name for a file.",
                    hint="Rename it, or keep the results in shards.",
                )
                results[name] = Computed(error=error)
                continue
            try:
                paths[name] = stack.enter_context(source.file(name))
            except PhotoError as unusable:
                results[name] = Computed(error=unusable)
        computed = worker.compute_together([(path, name) for name, path in paths.items()])
    for (name, path), one in zip(paths.items(), computed, strict=True):
        if one.error is not None:
            # A copy's path says nothing.
            one.error.message = one.error.message.replace(str(path.absolute()), name)
        results[name] = one
    return [results[name] for name, _, _ in photos]


def _single_files(name: str, computed: Computed, settings: BatchSettings) -> dict[str, bytes]:
    """{file: content} of a photo, the names as of `hffne normals`."""
    files: dict[str, bytes] = {}
    for facts, contents in computed.faces:
        stem = f"{stem_of(name)}_face{facts['face']}" if settings.face == "all" else stem_of(name)
        files |= {stem + ending: data for ending, data in contents.items()}
    return files
