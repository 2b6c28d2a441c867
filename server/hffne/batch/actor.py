# SPDX-License-Identifier: GPL-3.0-or-later
"""What a batch runs on the nodes of a cluster."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hffne.batch import records
from hffne.batch.jobs import Job, do_job
from hffne.batch.places import Folder, open_place
from hffne.batch.settings import BatchSettings
from hffne.batch.worker import Worker
from hffne.errors import ClusterError, HffneError, NoPhotosError, OutputError
from hffne.service.failures import explain

if TYPE_CHECKING:
    import numpy as np

_SAME_PATH = "A folder must be on all machines under one path: mount it there, or use an object store."


def other_version() -> ClusterError:
    """The error of a node whose results would be others."""
    text = "it has another version of hffne, or other networks"
    return ClusterError(text, hint="Install the same version on all nodes.")


def hash_here(settings: dict[str, Any]) -> str:
    """The hash of a batch's settings with this machine's version and networks, see `BatchSettings.manifest`."""
    return str(BatchSettings.from_dict(settings).manifest()["hash"])


class Actor:
    """Does jobs on one core or GPU of the cluster, until one fails for want of something on its node.

    source, target: addresses. settings: `BatchSettings.as_dict`. hash: its hash where the batch was started.
    device, command, at_once: see `worker.Worker`.
    """

    def __init__(
        self,
        source: str,
        target: str,
        settings: dict[str, Any],
        hash: str,
        device: str | None,
        command: Sequence[str] | None,
        at_once: int,
    ) -> None:
        self._error: HffneError | None = None
        try:
            if hash_here(settings) != hash:
                raise other_version()
            self._settings = BatchSettings.from_dict(settings)
            self._source, self._target = open_place(source), open_place(target)
            if isinstance(self._source, Folder) and not self._source.path.is_dir():
                raise NoPhotosError(f"There is no folder '{source}' there.", hint=_SAME_PATH)
            if not records.is_claimed(self._target, hash):
                raise OutputError(f"'{target}' is another folder there.", hint=_SAME_PATH)
            self._worker = Worker(self._settings, device, command, at_once=at_once)
        except Exception as error:
            self._error = explain(error)

    def __call__(self, batch: "dict[str, np.ndarray]") -> dict[str, list[str]]:
        """{"answer": [JSON with "number" and "records" of a job, or "node" and "error"]}."""
        pairs = zip(batch["number"], batch["photos"], strict=True)
        return {"answer": [json.dumps(self._answer(int(number), str(photos))) for number, photos in pairs]}

    def _answer(self, number: int, photos: str) -> dict[str, Any]:
        if self._error is None:
            try:
                job = Job(number, tuple((name, size, other) for name, size, other in json.loads(photos)))
                done = do_job(job, self._source, self._target, self._worker, self._settings)
                records.keep(self._target, number, done, alone=False)
                return {"number": number, "records": done}
            except Exception as error:
                # Another job would only be computed in vain: the other nodes do the rest.
                self._error = explain(error)
        import ray

        return {"node": ray.get_runtime_context().get_node_id(), "error": self._error.as_dict()}
