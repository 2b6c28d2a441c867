# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch on a Ray cluster: an actor for each core or GPU does the jobs, Ray Data hands them out.

Each actor has one child process for the photos, as on a single machine, so a photo that ends its process does not end
the actor. Lost actors and nodes, their jobs' retries, back-pressure and the number of actors are Ray's. A node that is
there but cannot do its jobs is left out, and the others do them.
"""

import json
import logging
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from hffne.batch.actor import Actor, hash_here, other_version
from hffne.batch.jobs import Job
from hffne.batch.places import Place
from hffne.batch.records import Record
from hffne.batch.run import AT_ONCE
from hffne.batch.settings import BatchSettings
from hffne.errors import ClusterError, ExtraMissingError, HffneError

# More would only cost the scheduler time.
MOST_BLOCKS = 10_000
# To wait for an answer from the cluster's address, and from its nodes.
SECONDS, NODE_SECONDS = 10.0, 60.0
_CONTINUE = "What was done is kept; the same command goes on with the rest."


class Cluster:
    """A Runner (see `run`) on the Ray cluster at an address; "auto": the one that this machine belongs to.

    device: as for `pipeline.Engine`, of all workers. workers: at most so many actors; None: as many as there is room.
    command: see `worker.Worker`. at_once: photos that an actor computes together; None: several on a GPU.
    tell: called with a sentence about each node that is left out.
    Raises ExtraMissingError without Ray.
    """

    def __init__(
        self,
        address: str,
        device: str | None = None,
        workers: int | None = None,
        command: Sequence[str] | None = None,
        at_once: int | None = None,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        try:
            import ray.data
        except ImportError:
            raise ExtraMissingError(
                "A cluster needs Ray.", hint='Run: python -m pip install "hffne[cluster]"'
            ) from None
        self._ray = ray
        self._address, self._device, self._workers, self._command = address, device, workers, command
        self._at_once, self._tell = at_once, tell

    def __call__(
        self, jobs: Iterable[Job], source: Place, target: Place, settings: BatchSettings
    ) -> Iterator[list[Record]]:
        """Do the jobs; each actor writes its results and their records itself.

        What a node cannot do is done by the others, without that node. Raises ClusterError when the cluster is not
        there or fails; and the last node's error when no node is left.
        """
        self._connect()
        left = {job.number: job for job in jobs}
        arguments = {
            "source": source.address,
            "target": target.address,
            "settings": settings.as_dict(),
            "hash": settings.manifest()["hash"],
            "device": self._device,
            "command": self._command,
        }
        bad = self._look_at_nodes(arguments["settings"], arguments["hash"])
        while left:
            try:
                for answer in self._answers(list(left.values()), arguments, bad):
                    if "error" in answer:
                        self._leave_out(bad, answer["node"], HffneError.from_dict(answer["error"]))
                    else:
                        left.pop(answer["number"], None)
                        yield answer["records"]
            except self._ray.exceptions.RayError as error:
                raise ClusterError(f"The cluster failed: {_one_line(error)}", hint=_CONTINUE) from None

    def _answers(
        self, jobs: Sequence[Job], arguments: dict[str, Any], bad: dict[str, HffneError]
    ) -> Iterator[dict[str, Any]]:
        """What the actors answer about the jobs, in any order. Raises the last node's error without a good one."""
        nodes = {id: node for id, node in self._nodes().items() if id not in bad}
        uses_gpu = (self._device or "").startswith("cuda") or (
            self._device is None and any(node["Resources"].get("GPU", 0) > 0 for node in nodes.values())
        )
        room = int(sum(node["Resources"].get("GPU" if uses_gpu else "CPU", 0) for node in nodes.values()))
        if bad and not room:
            *_, error = bad.values()
            error.hint = f"{error.hint} {_CONTINUE}".strip()
            raise error
        at_once = self._at_once or (AT_ONCE if uses_gpu and arguments["settings"].get("build") is None else 1)
        items = [{"number": job.number, "photos": json.dumps(job.photos)} for job in jobs]
        data = self._ray.data.from_items(items, override_num_blocks=min(len(items), MOST_BLOCKS)).map_batches(
            Actor,
            fn_constructor_kwargs={**arguments, "at_once": at_once},
            batch_size=1,
            num_cpus=0 if uses_gpu else 1,
            num_gpus=1 if uses_gpu else 0,
            compute=self._ray.data.ActorPoolStrategy(min_size=1, max_size=self._workers or max(1, room)),
            **({"label_selector": {"ray.io/node-id": f"!in({','.join(bad)})"}} if bad else {}),
        )
        for row in data.iter_rows():
            yield json.loads(row["answer"])

    def _look_at_nodes(self, settings: dict[str, Any], hash: str) -> dict[str, HffneError]:
        """{node: error} of the nodes whose results would be others, or that cannot compute."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        look, asked = self._ray.remote(hash_here), {}
        for node in self._nodes():
            there = NodeAffinitySchedulingStrategy(node, soft=False)
            asked[look.options(num_cpus=0, max_retries=0, scheduling_strategy=there).remote(settings)] = node
        bad: dict[str, HffneError] = {}
        # A busy node that does not answer in time is looked at again by its actors.
        for answer in self._ray.wait(list(asked), num_returns=len(asked), timeout=NODE_SECONDS)[0]:
            try:
                if self._ray.get(answer) != hash:
                    raise other_version()
            except self._ray.exceptions.RayError as error:
                self._leave_out(bad, asked[answer], ClusterError(str(error).strip().splitlines()[-1][:200]))
            except ClusterError as error:
                self._leave_out(bad, asked[answer], error)
        return bad

    def _leave_out(self, bad: dict[str, HffneError], node: str, error: HffneError) -> None:
        if node in bad:
            return
        known = self._nodes().get(node, {})
        name = f"{known.get('NodeManagerHostname', node)} ({known.get('NodeManagerAddress', 'gone')})"
        bad[node] = type(error)(f"The node {name} is left out: {error.message.rstrip('.')}.", hint=error.hint)
        self._tell(bad[node].message)

    def _nodes(self) -> dict[str, dict[str, Any]]:
        """{number: what Ray knows} of the nodes that are alive."""
        return {node["NodeID"]: node for node in self._ray.nodes() if node["Alive"]}

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
        except (OSError, ValueError, RuntimeError, self._ray.exceptions.RayError) as error:
            raise ClusterError(
                f"The cluster '{self._address}' cannot be used: {_one_line(error)}",
                hint="Start it (`ray start --head`), with the same Python, Ray and token of Ray everywhere.",
            ) from None


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
