# SPDX-License-Identifier: GPL-3.0-or-later
"""A static repository of the extension: made by Blender's generator, added by its address, updated from, removed."""

import functools
import http.server
import json
import shutil
import threading
import zipfile

import pytest

from blender_process import needs_blender, run_case
from hffne_blender import build
from hffne_blender.repository import INDEX, PAGE, publish

pytestmark = needs_blender


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The extension's zip without the engine, and the same as a later version."""
    folder = tmp_path_factory.mktemp("zips")
    whole = build.build(folder / "whole")
    made = []
    for version in (build.manifest_value("version"), "99.0.0"):
        made.append(folder / f"hffne_blender-{version}.zip")
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(made[-1], "w") as target:
            for name in source.namelist():
                data = source.read(name)
                if name == "blender_manifest.toml":
                    own = f'\nversion = "{build.manifest_value("version")}"'
                    data = data.decode().replace(own, f'\nversion = "{version}"').encode()
                if not name.startswith(build.WHEEL_FOLDER):
                    target.writestr(name, data)
    return made


@pytest.fixture
def served(tmp_path):
    """(folder, its address on this machine)."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.once
def test_blender_adds_it_installs_updates_and_removes_and_keeps_what_is_the_users(
    archives, served, tmp_path, monkeypatch
):
    folder, address = served
    (tmp_path / "place").mkdir()
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    publish(archives[0], folder)
    publish(archives[1], tmp_path / "next")
    found = run_case(
        f"{address}/{INDEX}", folder, tmp_path / "next", tmp_path / "place", script="repository_cases.py", timeout=300
    )
    assert found == {
        "installed": build.manifest_value("version"), "updated": "99.0.0", "preference": "/my/python",
        "setting": "/my/photo.jpg", "face": 7, "engine": True, "removed": True, "face after": 7,
    }  # fmt: skip


@pytest.mark.once
def test_a_repository_has_one_version_and_a_zip_that_blender_refuses_changes_nothing(archives, tmp_path):
    folder = tmp_path / "repository"
    publish(archives[0], folder)
    (folder / "about.txt").write_text("mine")
    publish(archives[1], folder)
    assert {path.name for path in folder.iterdir()} == {archives[1].name, INDEX, PAGE, "about.txt"}
    (entry,) = json.loads((folder / INDEX).read_text())["data"]
    assert (entry["version"], entry["archive_url"]) == ("99.0.0", f"./{archives[1].name}")
    assert entry["archive_size"] == archives[1].stat().st_size
    assert archives[1].name in (folder / PAGE).read_text()
    before = (folder / INDEX).read_bytes()
    broken = tmp_path / "hffne_blender-100.0.0.zip"
    shutil.copy(archives[0], broken)
    broken.write_bytes(broken.read_bytes()[:1000])
    with pytest.raises(RuntimeError, match="generator failed"):
        publish(broken, folder)
    assert (folder / INDEX).read_bytes() == before and (folder / archives[1].name).exists()
