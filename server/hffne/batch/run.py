# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch on this machine: one process for each core, or for the GPU."""

import json
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hffne.batch import records
from hffne.batch.jobs import Job, do_job, jobs_of
from hffne.batch.places import Place
from hffne.batch.progress import Progress
from hffne.batch.records import Record
from hffne.batch.settings import BatchSettings
from hffne.batch.worker import MakeWorker
from hffne.errors import NoPhotosError

# Photos that are recorded together where each record is a file of its own.
TOGETHER = 16
# Photos that go through the networks of a GPU together.
AT_ONCE = 8

# Does the jobs and yields the records of each, in any order. Raises HffneError where it cannot go on.
Runner = Callable[[Iterable[Job], Place, Place, BatchSettings], Iterator[list[Record]]]


def run_batch(
    source: Place,
    target: Place,
    settings: BatchSettings,
    runner: Runner,
    alone: bool,
    retry: bool = False,
    progress: Callable[[str], object] | None = None,
    at_once: int = 1,
) -> dict[str, Any]:
    """Compute all photos of `source` that `target` has no results of; returns the report, which is also written.

    runner: `Processes`, or `cluster.Cluster`. alone: no other process writes records (the runner keeps none itself).
    retry: also the photos that failed before. progress: called with lines for the user.
    at_once: photos that a worker computes together.

    Raises NoPhotosError, OtherSettingsError; and, after the report is written, what the runner raises.
    """
    photos = source.photos()
    if not photos:
        raise NoPhotosError("There are no photos in the source.")
    manifest = records.claim(target, settings)
    known = records.read(target)
    names = records.still_to_do(photos, known, settings, retry)
    together = settings.shard if settings.sharded else max(at_once, 1 if alone and target.local else TOGETHER)
    jobs = jobs_of(names, photos, list(known.values()), settings, together)
    shown = Progress(len(photos), len(photos) - len(names), progress)
    try:
        for done in runner(jobs, source, target, settings) if names else ():
            if alone:
                records.keep(target, done[0]["job"], done, alone)
            known.update({record["photo"]: record for record in done})
            shown.add(done)
    finally:
        shown.end()
        made = records.report(photos, known, manifest)
        target.write({records.REPORT: json.dumps(made, indent=1).encode()})
    return made


class Processes:
    """A Runner with `count` child processes on this machine; worker: makes one of them."""

    def __init__(self, worker: MakeWorker, count: int) -> None:
        self._make, self._count = worker, max(1, count)

    def __call__(
        self, jobs: Iterable[Job], source: Place, target: Place, settings: BatchSettings
    ) -> Iterator[list[Record]]:
        """Do the jobs. The first result that cannot be written ends the run: no other could."""
        waiting, lock = iter(jobs), threading.Lock()
        # Few, so that the caller's writing of records holds the workers up and not the memory.
        done: queue.Queue[list[Record] | BaseException | None] = queue.Queue(2 * self._count)
        workers = [self._make() for _ in range(self._count)]
        stop = threading.Event()

        def work(index: int) -> None:
            try:
                while not stop.is_set():
                    with lock:
                        job = next(waiting, None)
                    if job is None:
                        break
                    result = do_job(job, source, target, workers[index], settings)
                    if not stop.is_set():
                        done.put(result)
            except BaseException as error:
                done.put(error)
            done.put(None)

        threads = [threading.Thread(target=work, args=(index,), daemon=True) for index in range(self._count)]
        try:
            for thread in threads:
                thread.start()
            running = len(threads)
            while running:
                # With a timeout, so that signals are noticed on Windows too.
                try:
                    result = done.get(timeout=1.0)
                except queue.Empty:
                    continue
                if isinstance(result, BaseException):
                    raise result
                if result is None:
                    running -= 1
                else:
                    yield result
        finally:
            stop.set()
            for worker in workers:
                worker.close()


def usual_at_once(device: str | None) -> int:
    """How many photos a process computes together: several on a GPU, which one face does not fill."""
    from hffne.models import pick_device

    return 1 if pick_device(device).type == "cpu" else AT_ONCE


def usual_count(device: str | None, gigabytes: int = 1) -> int:
    """How many processes to use: one for a GPU; else the cores, with so much free memory for each."""
    from hffne.models import pick_device

    if pick_device(device).type != "cpu":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return cores
    return max(1, min(cores, (free >> 30) // gigabytes))
