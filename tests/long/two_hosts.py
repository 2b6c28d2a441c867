# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne batch --ray` across two hosts: python tests/long/two_hosts.py [PART...]    (Linux, as root)

Each host is a set of namespaces with a network, processes, a name and temporary folders of its own; a pair of virtual
cards joins them, and they have the photos and the target under one path. Ray's head is on the first host and a node on
the second. Needs the extra `cluster`, unshare, nsenter and ip.

same   real photos; both hosts compute. Before that, a program without the cluster's token
wrong  an address at which no host is, and one at which no cluster is
"""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

ADDRESSES = "10.77.0.1", "10.77.0.2"
HEAD = f"{ADDRESSES[0]}:6379"
TEMPORARY = "/tmp/hffne-two-hosts"
# A busy machine is no dead one.
SETTINGS = json.dumps({"health_check_failure_threshold": 6, "health_check_period_ms": 5000})
ENVIRONMENT = {
    **os.environ,
    "PYTHONDONTWRITEBYTECODE": "1",
    "RAY_worker_niceness": "0",
    "RAY_raylet_start_wait_time_s": "200",
    # Both hosts have the cluster's token. Without a mode Ray's head takes one that it finds, and its nodes do not.
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}
OPTIONS = ["--device", "cpu", "--size", "256", "--form", "webdataset", "--shard", "1"]


class Host:
    """Namespaces that live as long as a process in them."""

    def __init__(self, name):
        own = f"mount -t tmpfs none {TEMPORARY} && mount -t tmpfs none /dev/shm && hostname {name} && ip link set lo up"
        spaces = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child"]
        self.process = subprocess.Popen(["unshare", *spaces, "sh", "-c", f"{own} && echo ready && exec sleep 100000"],
                                        stdout=subprocess.PIPE)  # fmt: skip
        assert self.process.stdout.readline() == b"ready\n"
        self.pid = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0]
        self.network = os.readlink(f"/proc/{self.pid}/ns/net")

    def command(self, *command):
        spaces = ["--net", "--mount", "--uts", "--ipc", "--pid"]
        return ["nsenter", "--target", self.pid, *spaces, "--", *map(str, command)]

    def run(self, *command):
        done = subprocess.run(self.command(*command), env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    def computes(self):
        """Whether a process that computes photos is on this host."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                here = os.readlink(folder / "ns" / "net") == self.network
                if here and b"hffne.batch.child" in (folder / "cmdline").read_bytes():
                    return True
        return False


@contextlib.contextmanager
def two_hosts(ray=True):
    """The hosts, joined, with a cluster of one core each."""
    Path(TEMPORARY).mkdir(exist_ok=True)
    hosts = [Host("first"), Host("second")]
    try:
        ends = ["link", "add", "card", "netns", hosts[0].pid, "type", "veth", "peer", "card", "netns", hosts[1].pid]
        subprocess.run(["ip", *ends], check=True)
        for host, address in zip(hosts, ADDRESSES, strict=True):
            host.run("ip", "address", "add", f"{address}/24", "dev", "card")
            host.run("ip", "link", "set", "card", "up")
        if ray:
            start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--num-cpus", "1", "--disable-usage-stats"]
            start += ["--object-store-memory", "200000000"]
            first = [*start, "--head", "--port", "6379", "--temp-dir", TEMPORARY, "--include-dashboard", "false"]
            hosts[0].run(*first, "--node-ip-address", ADDRESSES[0], "--system-config", SETTINGS)
            hosts[1].run(*start, "--address", HEAD, "--node-ip-address", ADDRESSES[1])
        yield hosts
    finally:
        for host in hosts:
            host.process.kill()
            host.process.wait()


def hffne_batch(place, target, *options, host=None, address=HEAD, during=lambda: None, **variables):
    """Run the command, on a host's cluster or alone; returns its exit code, what it said, and its report."""
    command = [sys.executable, "-m", "hffne", "batch", str(place / "photos"), "-o", str(target), *OPTIONS, *options]
    if host:
        command = host.command(*command, "--ray", address)
    environment = ENVIRONMENT | variables
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    over = threading.Event()

    def watch():
        while not over.wait(0.2):
            during()

    watcher = threading.Thread(target=watch)
    watcher.start()
    said = process.communicate()[0]
    over.set()
    watcher.join()
    report = Path(target) / "report.json"
    found = json.loads(report.read_text()) if report.is_file() else {}
    shown = {key: found.get(key) for key in ("done", "failed", "left")}
    print(f"  {Path(target).name}: exit code {process.returncode}, {shown}", flush=True)
    return process.returncode, said, found


def photos(place, count=12):
    (place / "photos").mkdir()
    astronaut = skimage.data.astronaut()
    for number in range(count):
        Image.fromarray(np.roll(astronaut, 3 * number, 1)).save(place / "photos" / f"{number:02}.png")
    return count


def check_same(place, count):
    """The shards are those of this machine alone, with each photo once."""
    if not (place / "alone").exists():
        assert hffne_batch(place, place / "alone", "--workers", "1")[0] == 0
    one, two = ({p.name: p.read_bytes() for p in (place / name / "shards").iterdir()} for name in ("alone", "cluster"))
    assert one == two
    names = []
    for path in (place / "cluster" / "shards").iterdir():
        with tarfile.open(path) as archive:
            names += [json.load(archive.extractfile(one))["photo"] for one in archive if one.name.endswith(".json")]
    assert len(names) == len(set(names)) == count


def part_same(place):
    count, seen = photos(place), set()
    with two_hosts() as hosts:

        def look():
            seen.update(number for number, host in enumerate(hosts) if host.computes())

        code, said, _ = hffne_batch(place, place / "refused", host=hosts[1], RAY_AUTH_TOKEN="another" * 8)
        assert code and f"The cluster '{HEAD}' cannot be used" in _last_lines(said), said
        code, said, _ = hffne_batch(place, place / "cluster", host=hosts[0], during=look)
    assert code == 0, said
    assert seen == {0, 1}, seen
    check_same(place, count)


def part_wrong(place):
    photos(place, 1)
    with two_hosts(ray=False) as hosts:
        for address in ("10.77.0.9:6379", HEAD):
            code, said, _ = hffne_batch(place, place / "out", host=hosts[1], address=address)
            assert code and f"The cluster '{address}' does not answer" in _last_lines(said), said


def _last_lines(said):
    lines = [line for line in said.strip().splitlines() if line.strip()][-2:]
    print("  " + "\n  ".join(lines))
    return "\n".join(lines)


def main(names):
    for name in names or ["same", "wrong"]:
        started = time.monotonic()
        print(name, flush=True)
        with tempfile.TemporaryDirectory() as place:
            globals()[f"part_{name}"](Path(place))
        print(f"  {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
