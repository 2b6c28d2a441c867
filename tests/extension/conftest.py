# SPDX-License-Identifier: GPL-3.0-or-later
"""What the extension's tests share: package indexes on this machine."""

import functools
import http.server
import os
import threading

import pytest

from hffne_blender.engine import torch_builds
from package_indexes import PACKAGES, Index, make_wheel


@pytest.fixture
def indexes(tmp_path, monkeypatch):
    """Two package indexes on this machine: `usual` has plain packages, `own` is PyTorch's; both are folders."""

    # Whatever this machine's disk has left.
    monkeypatch.setattr(torch_builds, "ROOM", dict.fromkeys(torch_builds.ROOM, 0))
    monkeypatch.setattr(Index, "breaks", 0)
    monkeypatch.setattr(Index, "asked", [])
    root = tmp_path / "indexes"
    for name, version, module in PACKAGES:
        (root / "usual" / name).mkdir(parents=True)
        make_wheel(root / "usual" / name, name, version, module)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Index, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    # What this computer's settings name besides does not count.
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", address + "/usual/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(torch_builds, "INDEX", address + "/own/")
    yield root
    server.shutdown()
    server.server_close()
