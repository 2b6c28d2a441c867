# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch on a Ray cluster: an actor for each core or GPU does the jobs, Ray Data hands them out.

Each actor has one child process for the photos, as on a single machine, so a photo that ends its process does not end
the actor. Lost actors and nodes, their jobs' retries, back-pressure and the number of actors are Ray's.
"""

import json
import logging
import socket
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hffne import __version__
from hffne.batch import records
from hffne.batch.jobs import Job, do_job
from hffne.batch.places import Place, open_place
from hffne.batch.records import Record
from hffne.batch.run import AT_ONCE
from hffne.batch.settings import BatchSettings
from hffne.batch.worker import Worker
from hffne.errors import ClusterError, ExtraMissingError, HffneError

if TYPE_CHECKING:
    import numpy as np

# More would only cost the scheduler time.
MOST_BLOCKS = 10_000
# To wait for an answer from the cluster's address.
SECONDS = 10.0


class Cluster:
    """A Runner (see `run`) on the Ray cluster at an address; "auto": the one that this machine belongs to.

    device: as for `pipeline.Engine`, of all workers. workers: at most so many actors; None: as many as there is room.
    command: see `worker.Worker`. at_once: photos that an actor computes together; None: several on a GPU.
    Raises ExtraMissingError without Ray.
    """

    def __init__(
        self,
        address: str,
        device: str | None = None,
        workers: int | None = None,
        command: Sequence[str] | None = None,
        at_once: int | None = None,
    ) -> None:
        try:
            import ray.data
        except ImportError:
            raise ExtraMissingError(
                "A cluster needs Ray.", hint='Run: python -m pip install "hffne[cluster]"'
            ) from None
        self._ray = ray
        self._address, self._device, self._workers, self._command = address, device, workers, command
        self._at_once = at_once

    def __call__(
        self, jobs: Iterable[Job], source: Place, target: Place, settings: BatchSettings
    ) -> Iterator[list[Record]]:
        """Do the jobs; each actor writes its results and their records itself.

        A job that a node cannot write does not end the others. Raises ClusterError when the cluster is not there or
        fails; at the end, the first error of a node.
        """
        self._connect()
        items = [{"number": job.number, "photos": json.dumps(job.photos)} for job in jobs]
        resources = self._ray.cluster_resources()
        uses_gpu = (self._device or "").startswith("cuda") or (self._device is None and resources.get("GPU", 0) > 0)
        most = self._workers or max(1, int(resources.get("GPU" if uses_gpu else "CPU", 1)))
        arguments = {
            "source": source.address,
            "target": target.address,
            "settings": settings.as_dict(),
            "device": self._device,
            "command": self._command,
            "at_once": self._at_once or (AT_ONCE if uses_gpu and settings.build is None else 1),
            "hash": settings.manifest()["hash"],
        }
        data = self._ray.data.from_items(items, override_num_blocks=min(len(items), MOST_BLOCKS)).map_batches(
            _Actor,
            fn_constructor_kwargs=arguments,
            batch_size=1,
            num_cpus=0 if uses_gpu else 1,
            num_gpus=1 if uses_gpu else 0,
            compute=self._ray.data.ActorPoolStrategy(min_size=1, max_size=most),
        )
        failed: HffneError | None = None
        try:
            for row in data.iter_rows():
                answer = json.loads(row["answer"])
                if "error" in answer:
                    failed = failed or HffneError.from_dict(answer["error"])
                else:
                    yield answer["records"]
        except self._ray.exceptions.RayError as error:
            raise ClusterError(f"The cluster failed: {_one_line(error)}", hint=_CONTINUE) from None
        if failed is not None:
            failed.hint = f"{failed.hint} {_CONTINUE}".strip()
            raise failed

    def _connect(self) -> None:
        # Its progress is ours to show.
        self._ray.data.DataContext.get_current().enable_progress_bars = False
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.ERROR)
        if self._ray.is_initialized():
            return
        _reach(self._address)
        try:
            self._ray.init(self._address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, OSError, ValueError, RuntimeError) as error:
            raise ClusterError(
                f"The cluster '{self._address}' cannot be used: {_one_line(error)}",
                hint="Start it (`ray start --head`), and use the same versions of Python and Ray everywhere.",
            ) from None


_CONTINUE = "The other photos are done; the same command goes on with the rest."


class _Actor:
    """Does jobs on one core or GPU of the cluster."""

    def __init__(
        self,
        source: str,
        target: str,
        settings: dict[str, Any],
        device: str | None,
        command: Sequence[str] | None,
        at_once: int,
        hash: str,
    ) -> None:
        self._places = source, target
        self._settings = BatchSettings.from_dict(settings)
        self._same = self._settings.manifest()["hash"] == hash
        self._worker = Worker(self._settings, device, command, at_once=at_once)

    def __call__(self, batch: "dict[str, np.ndarray]") -> dict[str, list[str]]:
        """{"answer": [JSON of the records, or of the error that kept a job from being done]}."""
        pairs = zip(batch["number"], batch["photos"], strict=True)
        return {"answer": [json.dumps(self._answer(int(number), str(photos))) for number, photos in pairs]}

    def _answer(self, number: int, photos: str) -> dict[str, Any]:
        try:
            if not self._same:
                raise ClusterError(
                    f"The node {socket.gethostname()} has another version of hffne ({__version__}) or other networks.",
                    hint="Install the same version on all nodes.",
                )
            source, target = (open_place(place) for place in self._places)
            job = Job(number, tuple((name, size, other) for name, size, other in json.loads(photos)))
            done = do_job(job, source, target, self._worker, self._settings)
            records.keep(target, number, done, alone=False)
        except HffneError as error:
            return {"error": error.as_dict()}
        return {"records": done}


def _reach(address: str) -> None:
    """Raise ClusterError where nothing answers at "host:port": Ray would try for minutes, and end the program."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host, int(port)), SECONDS).close()
        except OSError as error:
            text = f"The cluster '{address}' does not answer: {_one_line(error)}"
            raise ClusterError(text, hint="Start it (`ray start --head`) and check the address.") from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
