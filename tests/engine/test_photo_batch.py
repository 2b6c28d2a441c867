# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne batch`: every photo once, whatever happens to the processes, the disk and the program."""

import contextlib
import json
import ntpath
import posixpath
import sys
import tarfile

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from hffne.batch import records
from hffne.batch.names import copy_name, is_file_name
from hffne.batch.places import Folder, open_place
from hffne.batch.run import Processes, run_batch
from hffne.batch.settings import BatchSettings
from hffne.batch.worker import Worker
from hffne.cli.main import main
from hffne.errors import (
    DiskFullError,
    HffneError,
    NoPhotosError,
    OtherSettingsError,
    PhotoNotReadableError,
    StoreError,
)
from hffne.normal_file import encode_png
from hffne.parts import PARTS, SKIN
from paths import SUPPORT

pytestmark = pytest.mark.once


def workers(settings, count=2, device=None, longest=30.0, at_once=1):
    command = [sys.executable, str(SUPPORT / "batch_child.py")]
    return Processes(lambda: Worker(settings, device, command, longest, at_once), count)


FILES = BatchSettings()
FULL = DiskFullError.of("/tmp", OSError(28, "No space left on device"))


def run(source, target, settings=FILES, retry=False, **options):
    runner, at_once = workers(settings, **options), options.get("at_once", 1)
    return run_batch(Folder(source, target), Folder(target), settings, runner, True, retry, at_once=at_once)


def tree(folder):
    """{name: content} of all files, but for the records, whose order is that of the work."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != records.FOLDER)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def source(tmp_path):
    """Ten photos for the stand-in, two of them in a folder, and a file that is none."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for name in [*(f"a{k}" for k in range(6)), "bad", "once", "sub/a0", "sub/ü"]:
        (folder / f"{name}.jpg").write_bytes(name.encode())
    (folder / "notes.txt").write_text("no photo")
    return folder


def test_real_photos_get_what_the_single_command_gives_them_and_are_not_done_twice(
    astronaut_file, tmp_path, monkeypatch, capsys
):
    source, target = tmp_path / "in", tmp_path / "in" / "out"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "лицо 1.0.png").write_bytes(astronaut_file.read_bytes())
    Image.fromarray(skimage.data.coffee()).save(source / "coffee.png")
    (source / "text.jpg").write_text("no photo")
    command = ["batch", str(source), "-o", str(target), "--device", "cpu", "--workers", "1", "--size", "256"]
    command += ["--at-once", "3"]
    assert main(command) == 3
    report = json.loads((target / "report.json").read_text())
    assert {k: report[k] for k in ("photos", "done", "failed", "left", "faces")} == {
        "photos": 3, "done": 1, "failed": 2, "left": 0, "faces": 1,
    }  # fmt: skip
    assert {failure["photo"]: failure["code"] for failure in report["failures"]} == {
        "coffee.png": "no_face", "text.jpg": "not_a_photo",
    }  # fmt: skip
    with np.load(target / "sub" / "лицо 1.0.npz") as made:
        assert {"normal", "coarse", "fine", "mask", "landmarks", "parts"} <= set(made)
        picture = (target / "sub" / "лицо 1.0_normal.png").read_bytes()
        assert picture == encode_png(made["normal"], made["mask"])
        assert (
            main(["normals", str(astronaut_file), "-o", str(tmp_path / "one"), "--device", "cpu", "--size", "256"]) == 0
        )
        with np.load(tmp_path / "one" / "astronaut.npz") as single:
            together = made["mask"] & single["mask"]
            assert together.sum() > 0.99 * single["mask"].sum() > 5000
            cosine = (made["normal"] * single["normal"]).sum(-1)[together]
            assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 0.2
    # The pictures that it wrote below the source are no photos, and nothing is left to compute.
    monkeypatch.setattr("hffne.batch.worker.Worker.start", lambda self: pytest.fail("a process was started"))
    assert main(command) == 3
    assert "3 of 3 photos were done before" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["files", "webdataset"])
def test_any_number_of_workers_and_any_interruption_give_the_same_files(source, tmp_path, form):
    settings = BatchSettings(form=form, shard=3)
    whole = tmp_path / "whole"
    report = run(source, whole, settings, count=1)
    assert (report["done"], report["failed"], report["left"]) == (9, 1, 0)
    for stop in (1, 2):

        class Interrupted(Exception):
            pass

        def stopping(jobs, *places, stop=stop):
            for count, done in enumerate(workers(settings)(jobs, *places)):
                if count == stop:
                    raise Interrupted
                yield done

        target = tmp_path / f"stopped{stop}"
        with pytest.raises(Interrupted):
            run_batch(Folder(source), Folder(target), settings, stopping, True)
        report = json.loads((target / "report.json").read_text())
        assert report["left"] == 10 - stop * (1 if form == "files" else 3)
        # A line that was being written is no record.
        with open(target / "records" / "local.jsonl", "ab") as file:
            file.write(b'{"photo":"a5.jpg","byt')
        run(source, target, settings, at_once=stop)
        assert tree(target) == tree(whole)
    lines = [
        json.loads(line) for line in (target / "records" / "local.jsonl").read_bytes().split(b"\n") if b"}" in line
    ]
    photos = [line["photo"] for line in lines if "error" not in line]
    assert len(photos) == len(set(photos)) == 9


def test_a_shard_has_the_pictures_and_their_facts(source, tmp_path):
    run(source, tmp_path / "out", BatchSettings(form="webdataset", shard=4))
    found = {}
    for path in sorted((tmp_path / "out" / "shards").iterdir()):
        with tarfile.open(path) as archive:
            content = {member.name: archive.extractfile(member).read() for member in archive}
        for number in {name.split(".")[0] for name in content}:
            facts = json.loads(content[f"{number}.json"])
            assert len(facts["landmarks"]) == 68
            found[facts["photo"]] = content[f"{number}.normal.png"], content[f"{number}.mask.png"]
    assert found == {
        f"{name}.jpg": (name.encode(), name.encode())
        for name in [*(f"a{k}" for k in range(6)), "once", "sub/a0", "sub/ü"]
    }


@pytest.mark.parametrize("at_once", [1, 5])
def test_a_photo_that_ends_its_process_is_tried_three_times_and_the_others_go_on(source, tmp_path, at_once):
    (source / "dies.jpg").write_bytes(b"x")
    (source / "sleeps.jpg").write_bytes(b"x")
    report = run(source, tmp_path / "out", longest=1.0, at_once=at_once)
    assert (report["done"], report["failed"], report["left"]) == (9, 3, 0)
    failures = {failure["photo"]: failure for failure in report["failures"]}
    assert failures["dies.jpg"]["message"] == "'dies.jpg' ended the process that computed it, 3 times."
    assert failures["sleeps.jpg"]["message"] == "'sleeps.jpg' takes longer than 1 s, 3 times."
    assert {failures[name]["code"] for name in ("dies.jpg", "sleeps.jpg")} == {"photo_ends_worker"}
    # They are not tried again, unless that is wished.
    (source / "sleeps.jpg").unlink()
    (source / "dies.mended").touch()
    assert run(source, tmp_path / "out")["failed"] == 2
    report = run(source, tmp_path / "out", retry=True)
    assert (report["done"], report["failed"]) == (10, 1)


def test_a_photo_that_changed_is_done_again(source, tmp_path):
    run(source, tmp_path / "out")
    (source / "a3.jpg").write_bytes(b"another one")
    run(source, tmp_path / "out")
    assert (tmp_path / "out" / "a3.npz").read_bytes() == b"another one"


def test_two_photos_with_one_name_are_told_apart_or_refused(source, tmp_path):
    (source / "A0.png").write_bytes(b"other")
    report = run(source, tmp_path / "out")
    (failure,) = [one for one in report["failures"] if one["code"] == "cannot_write"]
    assert "would replace those of" in failure["message"]
    assert run(source, tmp_path / "shards", BatchSettings(form="webdataset"))["failed"] == 1


@pytest.mark.parametrize(
    ("name", "here", "on_windows"),
    [
        ("sub/ü 1.jpg", True, True),
        (".hidden.jpg", True, True),
        ("console.jpg", True, True),
        ("../x.jpg", False, False),
        ("a/./x.jpg", False, False),
        ("a//x.jpg", False, False),
        ("/etc/x.jpg", False, False),
        ("a\\..\\..\\x.jpg", True, False),
        ("C:/x.jpg", True, False),
        ("12:30.jpg", True, False),
        ("con.jpg", True, False),
        ("sub./x.jpg", True, False),
    ],
)
def test_which_names_can_be_files(name, here, on_windows):
    assert (is_file_name(name, windows=False), is_file_name(name, windows=True)) == (here, on_windows)
    # What is a name there stays below a folder, as Windows reads it and as others do.
    for allowed, paths, root in ((here, posixpath, "/out"), (on_windows, ntpath, "C:\\out")):
        if allowed:
            assert paths.normpath(paths.join(root, name)).startswith(root + paths.sep)
    assert is_file_name(copy_name(name)) and copy_name(name).endswith(".jpg")


def test_photos_whose_names_are_no_files_are_told_and_the_others_are_done(source, tmp_path):
    class Bucket(Folder):
        """As an object store, where any name is possible."""

        def photos(self):
            return {**super().photos(), "../outside.jpg": 1, "a/../inside.jpg": 1}

        @contextlib.contextmanager
        def file(self, name):
            yield source / ("a0.jpg" if ".." in name else name)

    report = run_batch(Bucket(source), Folder(tmp_path / "out"), FILES, workers(FILES), True)
    failures = {failure["photo"]: failure["code"] for failure in report["failures"]}
    assert failures == {"bad.jpg": "no_face", "../outside.jpg": "cannot_write", "a/../inside.jpg": "cannot_write"}
    assert report["done"] == 9 and not (tmp_path / "outside.npz").exists()
    # In a shard a name is only text.
    settings = BatchSettings(form="webdataset")
    assert run_batch(Bucket(source), Folder(tmp_path / "shards"), settings, workers(settings), True)["failed"] == 1


@pytest.mark.parametrize(
    ("error", "failed"), [(PhotoNotReadableError("denied"), 2), (StoreError("no answer"), None), (FULL, None)]
)
def test_one_unreadable_photo_is_told_but_a_store_that_is_gone_or_a_full_disk_is_no_photos_fault(
    source, tmp_path, error, failed
):
    class Bucket(Folder):
        @contextlib.contextmanager
        def file(self, name):
            if name == "a3.jpg":
                raise error
            yield self.path / name

    target = Folder(tmp_path / "out")
    if failed:
        assert run_batch(Bucket(source), target, FILES, workers(FILES), True)["failed"] == failed
        return
    with pytest.raises(type(error)):
        run_batch(Bucket(source), target, FILES, workers(FILES), True)
    report = run(source, tmp_path / "out")
    assert (report["done"], report["failed"]) == (9, 1)


def test_a_full_disk_ends_the_run_with_one_sentence_and_the_next_run_goes_on(source, tmp_path):
    class Full(Folder):
        left = 4

        def write(self, files):
            if not {"batch.json", "report.json"} & set(files):
                self.left -= 1
                if self.left < 0:
                    raise DiskFullError.of(self.path / next(iter(files)), OSError(28, "No space left on device"))
            super().write(files)

    settings = BatchSettings()
    with pytest.raises(DiskFullError, match="No space left"):
        run_batch(Folder(source), Full(tmp_path / "out"), settings, workers(settings), True)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert 3 <= report["done"] <= 4 and report["left"] > 4
    assert run(source, tmp_path / "out")["done"] == 9


def test_what_keeps_a_batch_from_starting(source, tmp_path):
    run(source, tmp_path / "out")
    with pytest.raises(OtherSettingsError, match="size not given, now 512"):
        run(source, tmp_path / "out", BatchSettings({"size": 512}))
    with pytest.raises(NoPhotosError):
        run(tmp_path / "nothing", tmp_path / "out2")
    with pytest.raises(HffneError, match="There is no such device"):
        run(source, tmp_path / "out3", device="none")
    assert main(["batch", str(source), "-o", str(source)]) == 4


@pytest.mark.parametrize(
    ("options", "module", "said"),
    [
        (["--form", "parquet"], "pyarrow", "Parquet needs pyarrow."),
        (["--ray", "auto"], "ray", "A cluster needs Ray."),
        (["-o", "s3://bucket/out"], "pyarrow", "'s3://bucket/out' needs pyarrow."),
    ],
)
def test_what_is_not_installed_is_said_before_anything_is_computed(
    source, tmp_path, monkeypatch, capsys, options, module, said
):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["batch", str(source), "-o", str(tmp_path / "out"), *options]) == 1
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.fixture
def blender(tmp_path):
    """A program in Blender's place."""
    program = tmp_path / "blender"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{SUPPORT / 'blender_stand_in.py'}' \"$@\"\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_faces_are_built_as_by_the_single_command_and_a_crash_of_blender_does_not_end_them(
    astronaut_file, blender, tmp_path, capsys
):
    photos, target = tmp_path / "photos", tmp_path / "out"
    for name in ("bad", "dies", "sub/good"):
        path = photos / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(astronaut_file.read_bytes())
    (photos / "text.jpg").write_text("no photo")
    options = ["--blender", blender, "--texture-size", "256", "--maps", "height", "--device", "cpu"]
    command = ["batch", str(photos), "-o", str(target), "--workers", "1", *options, "--build", "mask"]
    assert main(command) == 1
    report = json.loads((target / "report.json").read_text())
    assert {failure["photo"]: failure["code"] for failure in report["failures"]} == {
        "bad.png": "no_shape", "dies.png": "photo_ends_worker", "text.jpg": "not_a_photo",
    }  # fmt: skip
    assert sorted(path.name for path in (target / "sub").iterdir()) == ["good.blend", "good_texture_normal.png"]
    given = (target / "sub" / "good.blend").read_text().split(" --error ")[0]
    assert given == "--base mask --texture-size 256 --maps height --device cpu"
    # Nothing is done twice, and other options of a build are other settings.
    assert main(command) == 1
    assert "4 of 4 photos were done before" in capsys.readouterr().err
    assert main([*command, "--texture-size", "512"]) == 2
    assert "texture_size 256, now 512" in capsys.readouterr().err
    # No room for temporary files ends the run: it is not the photo's fault.
    (photos / "full.png").write_bytes(astronaut_file.read_bytes())
    assert main(command) == 4
    assert json.loads((target / "report.json").read_text())["left"] == 1


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--build", "head"], 1, "There is no Blender to build with."),
        (["--build", "head", "--blender", sys.executable + " no"], 1, "is not an executable"),
        (["--build", "head", "--form", "webdataset"], 2, "--form does not go together with --build."),
        (["--maps", "height"], 2, "--maps needs --build."),
    ],
)
def test_what_keeps_faces_from_being_built(source, tmp_path, monkeypatch, capsys, options, code, said):
    monkeypatch.setitem(sys.modules, "bpy", None)
    monkeypatch.setenv("PATH", "")
    assert main(["batch", str(source), "-o", str(tmp_path / "out"), *options]) == code
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_addresses_of_files_are_folders(source, tmp_path):
    place = open_place((tmp_path / "über a%20b").as_uri(), str(tmp_path / "x"))
    assert isinstance(place, Folder) and place.path == tmp_path / "über a%20b"
    found = open_place(source.as_uri()).photos()
    assert len(found) == 10 and found["sub/a0.jpg"] == len("sub/a0")
    assert len(open_place(str(source), (source / "sub").as_uri()).photos()) == 8


def test_masks_and_normals_of_a_shard_are_pictures(astronaut_file):
    from hffne.batch.faces import faces_of
    from hffne.pipeline import Engine

    ((facts, files),) = faces_of(Engine("cpu"), astronaut_file, BatchSettings({"size": 256}, form="parquet"))
    normal, mask = (cv2.imdecode(np.frombuffer(files[name], np.uint8), -1) for name in ("normal.png", "mask.png"))
    assert normal.shape == (512, 512, 3) and normal.dtype == np.uint16 and mask.shape == (512, 512)
    vectors = normal[mask > 0][:, ::-1] / 32767.5 - 1
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-3
    parts = cv2.imdecode(np.frombuffer(files["parts.png"], np.uint8), -1)
    assert parts.shape == mask.shape and (parts[mask > 0] == SKIN).mean() > 0.5 and parts.max() < len(PARTS)
    assert np.array(facts["landmarks"]).shape == (68, 3) and (facts["face"], facts["crop"]) == (0, 256)
