# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne batch` on a real Ray cluster and a real object store: python tests/long/cluster.py [PART...]

Needs the extra `cluster` and moto[server,s3]. Each part compares every byte with a run on this machine alone:

same    six real photos on a cluster of two nodes
build   faces built on it by a stand-in of Blender: one that crashes, one that fails
kill    a worker's process is killed and a node is taken away in the middle
driver  the program itself is killed in the middle, and started again
store   from and to an S3 server, by this machine and by the cluster; a bucket that is not there
nodes   nodes that cannot take part: another version, no program, a full disk; then no good node at all
denied  a store that may not be written to, and a photo in it that may not be read
wrong   a cluster that is not there
scale   photos per second with one and with two workers, processor time of a photo
"""

import contextlib
import json
import logging
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
sys.path.insert(0, str(SUPPORT))
# Workers as nice as this program, and a busy machine is no dead one.
os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1", "RAY_worker_niceness": "0"}
os.environ |= {"RAY_raylet_start_wait_time_s": "200"}
# Before any node starts: all of them need the store's credentials.
os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}

import numpy as np
import ray
import ray.cluster_utils
import skimage.data
from PIL import Image

from hffne.batch.cluster import Cluster
from hffne.batch.places import open_place
from hffne.batch.run import Processes, run_batch
from hffne.batch.settings import BatchSettings
from hffne.batch.worker import Worker
from hffne.errors import HffneError

STAND_IN = [sys.executable, str(SUPPORT / "batch_child.py")]
PATIENT = {"health_check_failure_threshold": 20}
TAR = BatchSettings(form="webdataset", shard=5)


def local(settings, command=STAND_IN, count=2):
    return Processes(lambda: Worker(settings, "cpu", command), count)


def batch(source, target, settings, runner, alone):
    report = run_batch(open_place(str(source), str(target)), open_place(str(target)), settings, runner, alone)
    print(f"  {target}: {report['done']} done, {report['failed']} failed, {report['left']} left")
    return report


def results(folder):
    """{name: content} of the results."""
    files = [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix in (".tar", ".npz", ".png")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def check_once(folder, count):
    """Every photo of the shards is there exactly once."""
    names = []
    for path in sorted(Path(folder).glob("shards/*.tar")):
        with tarfile.open(path) as archive:
            names += [json.load(archive.extractfile(one))["photo"] for one in archive if one.name.endswith(".json")]
    assert len(names) == len(set(names)) == count, (len(names), len(set(names)), count)


def stand_ins(folder, count, size=1000):
    folder.mkdir()
    for number in range(count):
        (folder / f"slow{number:04d}.jpg").write_bytes(os.urandom(size))
    (folder / "dies.jpg").write_bytes(b"x")
    return folder


def real_photos(folder, count=6):
    folder.mkdir()
    astronaut = skimage.data.astronaut()
    for number in range(count):
        Image.fromarray(np.roll(astronaut, 3 * number, 1)).save(folder / f"{number}.png")
    return folder


def two_nodes():
    cluster = ray.cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "_system_config": PATIENT})
    node = cluster.add_node(num_cpus=2)
    ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
    return cluster, node


@contextlib.contextmanager
def cluster_end(cluster):
    try:
        yield
    finally:
        ray.shutdown()
        cluster.shutdown()


def part_same(place):
    source, settings = real_photos(place / "real"), BatchSettings({"size": 256})
    batch(source, place / "alone", settings, local(settings, None, 1), True)
    cluster, _ = two_nodes()
    with cluster_end(cluster):
        batch(source, place / "cluster", settings, Cluster("auto", "cpu", 2), False)
    assert results(place / "alone") == results(place / "cluster") and len(results(place / "alone")) == 12


def part_build(place):
    source = real_photos(place / "real", 3)
    for number, name in enumerate(("good", "dies", "bad")):
        (source / f"{number}.png").rename(source / f"{name}.png")
    program = place / "blender"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{SUPPORT / 'blender_stand_in.py'}' \"$@\"\n")
    program.chmod(0o755)
    settings = BatchSettings({"size": 256}, build={"base": "mask", "blender": str(program)})
    cluster, _ = two_nodes()
    with cluster_end(cluster):
        for name, runner, alone in (("alone", local(settings, None), True), ("ray", Cluster("auto", "cpu", 2), False)):
            report = batch(source, place / name, settings, runner, alone)
            failures = {failure["photo"]: failure["code"] for failure in report["failures"]}
            assert failures == {"dies.png": "photo_ends_worker", "bad.png": "no_shape"}, failures
    assert results(place / "alone") == results(place / "ray") and (place / "ray" / "good.blend").is_file()


def part_kill(place):
    source = stand_ins(place / "many", 150)
    batch(source, place / "alone", TAR, local(TAR), True)
    cluster, node = two_nodes()
    runner = Cluster("auto", "cpu", 4, STAND_IN)
    killed = []

    def disturbed(*arguments):
        for count, done in enumerate(runner(*arguments)):
            if count == 4:
                killed.append(_kill_an_actor())
            if count == 10:
                cluster.remove_node(node, allow_graceful=False)
            yield done

    with cluster_end(cluster):
        report = batch(source, place / "cluster", TAR, disturbed, False)
    print(f"  killed: process {killed}, then a node")
    assert (report["done"], report["failed"], report["left"]) == (150, 1, 0)
    assert report["failures"][0]["code"] == "photo_ends_worker"
    assert results(place / "alone") == results(place / "cluster")
    check_once(place / "cluster", 150)


def _kill_an_actor():
    import psutil

    for process in psutil.Process().children(recursive=True):
        title = " ".join(process.cmdline()[:1])
        if title.startswith("ray::") and "(Actor)" in title:
            process.send_signal(signal.SIGKILL)
            return process.pid
    raise AssertionError("There is no actor to kill.")


def part_driver(place):
    source = stand_ins(place / "many", 150)
    batch(source, place / "alone", TAR, local(TAR), True)
    command = [sys.executable, __file__, "one-run", str(source), str(place / "cluster")]
    first = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 200
    while len(list(place.glob("cluster/records/*"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    before = len(list(place.glob("cluster/records/*")))
    assert 5 <= before < 31, before
    assert subprocess.run(command, check=False).returncode == 0
    print(f"  {before} of 31 jobs were recorded when the program was killed")
    assert results(place / "alone") == results(place / "cluster")
    check_once(place / "cluster", 150)


def one_run(source, target):
    ray.init(num_cpus=2, log_to_driver=False, logging_level="ERROR", _system_config=PATIENT)
    report = batch(source, target, TAR, Cluster("auto", "cpu", 2, STAND_IN), False)
    sys.exit(report["left"])


@contextlib.contextmanager
def s3_server(source):
    """(file system, the end of an address, port) of a server whose bucket "bucket" has the files of a folder."""
    from moto.server import ThreadedMotoServer
    from pyarrow import fs

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    end = f"?endpoint_override=127.0.0.1%3A{port}&scheme=http&region=us-east-1"
    store, _ = fs.FileSystem.from_uri(f"s3://bucket/{end}&allow_bucket_creation=true")
    store.create_dir("bucket")
    for path in source.iterdir():
        with store.open_output_stream(f"bucket/photos/{path.name}") as stream:
            stream.write(path.read_bytes())
    try:
        yield store, end, port
    finally:
        server.stop()


def part_store(place):
    from pyarrow import fs

    source = stand_ins(place / "many", 30)
    batch(source, place / "alone", TAR, local(TAR), True)
    cluster, _ = two_nodes()
    with cluster_end(cluster), s3_server(source) as (store, end, _):
        photos = f"s3://bucket/photos{end}"
        batch(photos, f"s3://bucket/alone{end}", TAR, local(TAR), True)
        batch(photos, f"s3://bucket/cluster{end}", TAR, Cluster("auto", "cpu", 2, STAND_IN), False)
        for name in ("alone", "cluster"):
            found = {}
            for entry in store.get_file_info(fs.FileSelector(f"bucket/{name}/shards")):
                with store.open_input_stream(entry.path) as stream:
                    found[f"shards/{entry.base_name}"] = stream.read()
            assert found == results(place / "alone"), name
        again = batch(photos, f"s3://bucket/cluster{end}", TAR, lambda *_: 1 / 0, False)
        assert again["left"] == 0
        _fails(lambda: batch(photos, f"s3://nothing/out{end}", TAR, local(TAR), True))
        _fails(lambda: batch(f"s3://nothing/in{end}", place / "x", TAR, local(TAR), True))


def part_nodes(place):
    """Only the first node can do anything: the others are left out, and nothing is missing."""
    source = stand_ins(place / "many", 40, 100_000)
    batch(source, place / "alone", TAR, local(TAR), True)
    bad = other_version(place / "other"), no_program(place / "none"), small_disk(place / "full")
    try:
        cluster = ray.cluster_utils.Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "_system_config": PATIENT}
        )
        for environment in bad:
            cluster.add_node(num_cpus=1, env_vars=environment)
        ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
        with cluster_end(cluster), s3_server(source) as (_, end, _):
            _only_one_node_can(place, source, f"s3://bucket/photos{end}")
    finally:
        subprocess.run(["umount", str(place / "full")], check=True)


def _only_one_node_can(place, source, photos):
    said = []
    batch(photos, place / "ray", TAR, Cluster("auto", "cpu", 4, STAND_IN, tell=said.append), False)
    print("  " + "\n  ".join(said))
    assert len(said) == 3 and all("\n" not in one and " is left out: " in one for one in said)
    for words in ("another version of hffne", "No module named", "The disk is full"):
        assert sum(words in one for one in said) == 1, words
    assert results(place / "alone") == results(place / "ray")
    check_once(place / "ray", 40)
    # What no node can do.
    _fails(
        lambda: batch(source, place / "ray2", TAR, _moved(Cluster("auto", "cpu", 4, STAND_IN), place / "ray2"), False)
    )


def _moved(runner, folder):
    """The runner, after a folder has lost its manifest: as where another folder is at its path."""

    def run(*arguments):
        (folder / "batch.json").unlink()
        yield from runner(*arguments)

    return run


def other_version(folder):
    shutil.copytree(ROOT / "server" / "hffne", folder / "server" / "hffne")
    text = (ROOT / "addon_manifest.toml").read_text("utf-8")
    (folder / "addon_manifest.toml").write_text(re.sub('(?m)^version = ".*"$', 'version = "77.0.0"', text), "utf-8")
    return {"PYTHONPATH": str(folder / "server")}


def no_program(folder):
    (folder / "hffne").mkdir(parents=True)
    (folder / "hffne" / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'hffne'\")")
    return {"PYTHONPATH": str(folder)}


def small_disk(folder):
    """Room for a few temporary files, and for no photo."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], check=True)
    return {"TMPDIR": str(folder)}


def part_denied(place):
    import boto3
    import requests

    source = stand_ins(place / "many", 12)
    with s3_server(source) as (_, end, port):
        address = f"http://127.0.0.1:{port}"
        iam = boto3.client("iam", endpoint_url=address, region_name="us-east-1")
        iam.create_user(UserName="reader")
        rights = [
            {"Effect": "Allow", "Action": ["s3:List*", "s3:Get*"], "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/photos/slow0003.jpg"},
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": rights})
        iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=policy)
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        os.environ.update(AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"])
        requests.post(f"{address}/moto-api/reset-auth", data=b"0", timeout=10)
        cluster, _ = two_nodes()
        with cluster_end(cluster):
            for name, runner, alone in (("a", local(TAR), True), ("r", Cluster("auto", "cpu", 2, STAND_IN), False)):
                report = batch(f"s3://bucket/photos{end}", place / name, TAR, runner, alone)
                failures = {failure["photo"]: failure["code"] for failure in report["failures"]}
                assert failures == {"dies.jpg": "photo_ends_worker", "slow0003.jpg": "photo_not_readable"}, failures
                _fails(lambda runner=runner, alone=alone: batch(source, f"s3://bucket/o{end}", TAR, runner, alone))
        requests.post(f"{address}/moto-api/reset-auth", data=b"inf", timeout=10)


def part_wrong(place):
    source = stand_ins(place / "many", 3)
    _fails(lambda: batch(source, place / "out", TAR, Cluster("127.0.0.1:1"), False))


def part_scale(place):
    """The difference between many photos and few, so that the start does not count."""
    few, many = real_photos(place / "few", 4), real_photos(place / "many", 24)
    settings = BatchSettings({"size": 256}, form="webdataset", shard=1)

    def measured(name, runner, alone):
        taken = []
        for source in (few, many):
            started, before = time.monotonic(), _children_seconds()
            batch(source, place / f"{name} {source.name}", settings, runner, alone)
            taken.append((time.monotonic() - started, _children_seconds() - before))
        wall, processor = ((late - early) / 20 for early, late in zip(*taken, strict=True))
        used = f", {processor:.2f} processor seconds a photo" if alone else ""
        print(f"  {name}: {1 / wall:.2f} photos/s{used}", flush=True)

    for count in (1, 2):
        measured(f"{count} processes", local(settings, None, count), True)
    cluster, _ = two_nodes()
    with cluster_end(cluster):
        for count in (1, 2):
            measured(f"{count} actors", Cluster("auto", "cpu", count), False)


def _children_seconds():
    """Processor time of the processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _fails(action):
    try:
        action()
    except HffneError as error:
        print(f"  {error.code}: {error.message}")
        assert "\n" not in error.message
    else:
        raise AssertionError("There was no error.")


def main(names):
    if names[:1] == ["one-run"]:
        one_run(*names[1:])
    for name in names or ["same", "build", "kill", "driver", "store", "nodes", "denied", "wrong", "scale"]:
        print(name, flush=True)
        with tempfile.TemporaryDirectory() as place:
            globals()[f"part_{name}"](Path(place))
    # Ray's threads hold up the end.
    sys.stdout.flush()
    threading.Timer(5, os._exit, (0,)).start()


if __name__ == "__main__":
    main(sys.argv[1:])
