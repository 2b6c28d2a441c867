# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: its files, its exit codes, its errors."""

import re
import subprocess
import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from hffne import blender
from hffne.cli.main import main
from hffne.errors import DiskFullError, HffneError
from hffne.normal_file import encode_png
from hffne.output import output_folder, write_files


def hffne(*arguments):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "hffne", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def coffee_file(tmp_path):
    path = tmp_path / "coffee.png"
    Image.fromarray(skimage.data.coffee()).save(path)
    return path


@pytest.fixture
def stand_in(monkeypatch):
    """hffne.pipeline without networks: a normal that leans to the right in the face's box."""

    class Estimate:
        landmarks, crop = np.zeros((68, 3), np.float32), types.SimpleNamespace(size=256)
        normal = fine = None
        cover_notices = ()

        def __init__(self, box):
            self.box = [int(v) for v in box]

        def on_photo(self, shape):
            x, y, width, height = self.box
            mask = np.zeros(shape, bool)
            mask[y : y + height, x : x + width] = True
            normal = np.where(mask[..., None], np.float32([0.6, 0, 0.8]), np.float32(0))
            return normal, normal, mask

        def parts_on_photo(self, shape):
            return np.ones(shape, np.uint8)

        def skin_on_photo(self, shape):
            return np.ones(shape, bool)

    class Engine:
        made = []

        def __init__(self, device=None, model="compact"):
            self.made.append((device, model))

        def normals(self, photo, face, merged=True, exemplar=None):
            return Estimate(face.box)

    module = types.ModuleType("hffne.pipeline")
    module.Engine = Engine
    monkeypatch.setitem(sys.modules, "hffne.pipeline", module)
    return Engine


# The real thing


@pytest.fixture(scope="module")
def real_run(astronaut_file, tmp_path_factory):
    """Three photos at once, two of them bad, under names with spaces and letters of the world."""
    folder = tmp_path_factory.mktemp("ein Ordner ü 写真")
    good, plain, text = folder / "лицо é 1.0.png", folder / "no face here.png", folder / "text.jpg"
    good.write_bytes(astronaut_file.read_bytes())
    Image.fromarray(skimage.data.coffee()).save(plain)
    text.write_text("this is no photo")
    return hffne("normals", plain, text, good, "-o", folder / "ergebnis ß" / "tief"), folder


def test_one_bad_photo_does_not_keep_the_others_from_being_done(real_run):
    done, folder = real_run
    assert done.returncode == 3, done.stderr
    assert files_in(folder / "ergebnis ß" / "tief") == ["лицо é 1.0.npz", "лицо é 1.0_normal.png"]
    assert "no face here.png" in done.stderr and "text.jpg" in done.stderr
    assert "лицо é 1.0.png" in done.stdout
    assert "Traceback" not in done.stderr


def test_what_normals_writes(real_run, astronaut):
    folder = real_run[1] / "ergebnis ß" / "tief"
    with np.load(folder / "лицо é 1.0.npz", allow_pickle=False) as data:
        arrays = dict(data)
    names = {"normal", "coarse", "fine", "mask", "landmarks", "skin", "parts", "part_names"}
    assert set(arrays) == names
    mask, landmarks = arrays["mask"], arrays["landmarks"]
    assert mask.shape == (512, 512) and mask.dtype == bool
    # The face of the astronaut, and not the whole photo.
    assert mask[80:160, 190:260].mean() > 0.95 and mask.mean() < 0.15
    for name in ("normal", "coarse"):
        normal = arrays[name]
        assert normal.shape == (512, 512, 3) and normal.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(normal[mask], axis=-1), 1, atol=1e-3)
        assert normal[mask][:, 2].mean() > 0.6
        # x right, y up: the left cheek of the picture looks left, the forehead up, the chin down.
        assert normal[115:140, 185:195][mask[115:140, 185:195]][:, 0].mean() < -0.2
        assert normal[115:140, 250:260][mask[115:140, 250:260]][:, 0].mean() > 0.2
        assert normal[75:90, 210:235][mask[75:90, 210:235]][:, 1].mean() > 0.0
        assert normal[155:170, 212:232][mask[155:170, 212:232]][:, 1].mean() < 0.1
    assert landmarks.shape == (68, 3) and landmarks.dtype == np.float32
    # The corners of the eyes around the pupils that the detector sees, in iBUG order.
    np.testing.assert_allclose(landmarks[36:42, :2].mean(axis=0), (201, 105), atol=9)
    np.testing.assert_allclose(landmarks[42:48, :2].mean(axis=0), (245, 105), atol=9)
    nose = landmarks[30]
    assert nose[2] > landmarks[[0, 16], 2].max()
    encoded = cv2.imdecode(np.fromfile(folder / "лицо é 1.0_normal.png", np.uint8), cv2.IMREAD_UNCHANGED)
    assert encoded.dtype == np.uint16 and encoded.shape == (512, 512, 3)
    decoded = encoded[..., ::-1].astype(np.float32) / 65535 * 2 - 1
    np.testing.assert_allclose(decoded[mask], arrays["normal"][mask], atol=1e-4)


# Without the networks


def test_files_are_written_beside_the_estimates_and_errors_are_told(stand_in, astronaut_file, tmp_path, capsys):
    """A face whose files cannot be written fails alone, also when it is the last one."""
    photos = [tmp_path / f"{name}.png" for name in ("one", "two", "three")]
    for photo in photos:
        photo.write_bytes(astronaut_file.read_bytes())
    for bad in ("one", "three"):
        out = tmp_path / f"without {bad}"
        (out / f"{bad}.npz").mkdir(parents=True)  # a folder in the file's place
        assert main(["normals", *map(str, photos), "-o", str(out)]) not in (0, 3)
        assert f"{bad}.npz" in capsys.readouterr().err
        good = {"one", "two", "three"} - {bad}
        assert {p.stem for p in out.glob("*.npz") if p.is_file()} == good


def test_uncompressed_arrays_are_the_same(stand_in, astronaut_file, tmp_path):
    sizes, found = [], []
    for name, more in (("small", []), ("large", ["--uncompressed"])):
        assert main(["normals", str(astronaut_file), "-o", str(tmp_path / name), *more]) == 0
        path = tmp_path / name / "astronaut.npz"
        sizes.append(path.stat().st_size)
        with np.load(path, allow_pickle=False) as data:
            found.append(dict(data))
    assert sizes[0] < sizes[1] and found[0].keys() == found[1].keys()
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])


def test_exit_codes_and_the_engine_only_when_needed(stand_in, astronaut_file, coffee_file, tmp_path, capsys):
    out = tmp_path / "out"
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"")
    assert main(["normals", str(astronaut_file), "-o", str(out)]) == 0
    assert files_in(out) == ["astronaut.npz", "astronaut_normal.png"]
    assert len(stand_in.made) == 1
    empty = tmp_path / "empty"
    assert main(["normals", str(coffee_file), "-o", str(empty)]) == 3
    assert main(["normals", str(bad), "-o", str(empty)]) == 2
    assert main(["normals", str(bad), str(coffee_file), "-o", str(empty)]) == 3
    assert main(["normals", str(tmp_path / "none.jpg"), "-o", str(empty)]) == 2
    assert len(stand_in.made) == 1
    assert not empty.exists()
    errors = capsys.readouterr().err
    for name in ("coffee.png", "bad.jpg", "none.jpg"):
        assert name in errors


def test_which_face(stand_in, astronaut, tmp_path, capsys):
    group = Image.new("RGB", (1100, 520), (90, 110, 130))
    face = Image.fromarray(astronaut)
    group.paste(face.resize((300, 300)), (10, 100))
    group.paste(face, (500, 0))
    path, out = tmp_path / "group.png", tmp_path / "out"
    group.save(path)
    assert main(["normals", str(path), "-o", str(out), "--face", "all", "--device", "cpu"]) == 0
    assert stand_in.made[-1] == ("cpu", "compact")
    assert files_in(out) == [f"group_face{i}{end}" for i in (0, 1) for end in (".npz", "_normal.png")]
    columns = [np.flatnonzero(np.load(out / f"group_face{i}.npz")["mask"].any(axis=0)).mean() for i in (0, 1)]
    assert columns[0] > 500 > columns[1]
    assert main(["normals", str(path), "-o", str(tmp_path / "one"), "--face", "1"]) == 0
    assert np.load(tmp_path / "one" / "group.npz")["mask"].any(axis=0).nonzero()[0].mean() < 500
    assert main(["normals", str(path), "-o", str(out), "--face", "2"]) == 3
    assert "group.png" in capsys.readouterr().err


@pytest.mark.parametrize("face", ["-1", "two", "1.5", "²"])
def test_a_face_that_is_no_number(face, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["normals", "a.jpg", "-o", str(tmp_path), f"--face={face}"])
    assert caught.value.code == 2


def test_a_photo_that_would_overwrite_another_ones_results(stand_in, astronaut_file, tmp_path, capsys):
    twin = tmp_path / "Astronaut.jpg"
    Image.open(astronaut_file).save(twin)
    out = tmp_path / "out"
    assert main(["normals", str(astronaut_file), str(twin), "-o", str(out)]) == 4
    assert files_in(out) == ["astronaut.npz", "astronaut_normal.png"]
    assert "Astronaut.jpg" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["normals", "build"])
@pytest.mark.parametrize("inside", ["", "folder"])
def test_an_output_folder_that_cannot_be_written(stand_in, astronaut_file, tmp_path, capsys, monkeypatch, verb, inside):
    # A file where the folder should be: not even root can write into that.
    blocked = tmp_path / "blocked"
    blocked.write_text("in the way")
    monkeypatch.setattr(blender, "_program", lambda wanted: pytest.fail("too late") if verb == "normals" else ([], {}))
    assert main([verb, str(astronaut_file), "-o", str(blocked / inside)]) == 4
    assert blocked.read_text() == "in the way" and files_in(tmp_path) == ["blocked"]
    assert "blocked" in capsys.readouterr().err and stand_in.made == []


def test_an_internal_error_is_told_in_a_line(stand_in, astronaut_file, tmp_path, capsys, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("weights\nof the wrong shape")

    monkeypatch.setattr(stand_in, "normals", fail)
    out = tmp_path / "out"
    assert main(["normals", str(astronaut_file), "-o", str(out)]) == 70
    text = capsys.readouterr().err
    assert "RuntimeError: weights of the wrong shape" in text and "Traceback" not in text
    assert not out.exists()


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    manifest = (Path(__file__).resolve().parents[2] / "addon_manifest.toml").read_text(encoding="utf-8")
    wanted = re.search(r'^version = "(.+)"$', manifest, re.MULTILINE).group(1)
    assert capsys.readouterr().out.strip() == f"hffne {wanted}"


def test_no_verb_and_wrong_verbs(capsys):
    for arguments in ([], ["dance"], ["normals", "a", "-o", "b", "--\x1b[2J"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2 and "\x1b" not in capsys.readouterr().err


# build, as far as it goes without Blender


def test_build_says_what_is_wrong_before_blender_starts(coffee_file, astronaut_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(blender, "_program", lambda wanted: pytest.fail("Blender was looked for"))
    out = tmp_path / "out"
    assert main(["build", str(coffee_file), "-o", str(out)]) == 3
    assert main(["build", str(tmp_path / "none.jpg"), "-o", str(out)]) == 2
    assert main(["build", str(astronaut_file), "-o", str(out), "--face", "1"]) == 3
    assert main(["build", str(astronaut_file), "-o", str(out), "--face", "all"]) == 1
    assert not out.exists()


def test_build_starts_the_headless_script_and_gives_its_exit_code(astronaut_file, tmp_path, monkeypatch):
    seen = []

    def start(command, environment, folder, log):
        seen.append(command)
        assert Path(environment["TMPDIR"]).is_dir() and Path(folder) == Path(folder).parent
        return 7

    monkeypatch.setattr(blender, "_program", lambda wanted: (["PROGRAM", wanted], {}))
    monkeypatch.setattr(blender.child, "run", start)
    out = tmp_path / "out"
    arguments = ["-o", str(out), "--blender", "X", "--texture-size", "512", "--samples", "4", "--face", "0"]
    assert main(["build", str(astronaut_file), *arguments]) == 7
    expected = ["PROGRAM", "X", str(astronaut_file), "--output", str(out), "--engine", sys.executable]
    assert seen == [[*expected, "--texture-size", "512", "--samples", "4", "--face", "0"]]
    assert not out.exists()


def test_a_program_that_is_no_blender_is_told(astronaut_file, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(blender, "_program", lambda wanted: (["PROGRAM"], {}))
    monkeypatch.setattr(blender.child, "run", lambda *_: 0)
    assert main(["build", str(astronaut_file), "-o", str(tmp_path / "out")]) == 1
    assert "'PROGRAM' ended without a face" in capsys.readouterr().err


def test_build_with_a_program_that_is_not_there(tmp_path):
    with pytest.raises(HffneError, match="no such blender"):
        blender._program(str(tmp_path / "no such blender"))


def test_build_with_a_blender_program_runs_the_script_in_it(tmp_path):
    program = tmp_path / ("blender.exe" if sys.platform == "win32" else "blender")
    program.write_text("")
    program.chmod(0o755)
    command, _ = blender._program(str(program))
    assert command[0] == str(program) and command[-1] == "--"
    script = Path(command[command.index("--python") + 1])
    assert script.name == "headless.py" and script.is_file()


# Writing


def test_files_that_belong_together_appear_together_or_not_at_all(tmp_path):
    first, second = tmp_path / "a.npz", tmp_path / "a.png"
    first.write_bytes(b"old")

    def full(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskFullError, match="No space left"):
        write_files({first: lambda file: file.write(b"new"), second: full})
    assert first.read_bytes() == b"old" and files_in(tmp_path) == ["a.npz"]
    with pytest.raises(KeyboardInterrupt):
        write_files({first: lambda file: (_ for _ in ()).throw(KeyboardInterrupt)})
    assert first.read_bytes() == b"old" and files_in(tmp_path) == ["a.npz"]
    write_files({first: lambda file: file.write(b"new"), second: lambda file: file.write(b"png")})
    assert (first.read_bytes(), second.read_bytes()) == (b"new", b"png")
    assert files_in(tmp_path) == ["a.npz", "a.png"]


def test_an_output_folder_is_taken_away_when_nothing_came_into_it(tmp_path):
    with output_folder(tmp_path / "a" / "b") as folder:
        assert folder.is_dir()
    assert files_in(tmp_path) == []
    with output_folder(tmp_path / "a" / "b") as folder:
        (folder / "result").write_text("")
    assert files_in(tmp_path / "a" / "b") == ["result"]
    (tmp_path / "mine").mkdir()
    with output_folder(tmp_path / "mine"):
        pass
    assert (tmp_path / "mine").is_dir()


def test_the_picture_of_normals():
    normal = np.zeros((300, 2, 3), np.float32)
    normal[:, 0] = (1, -1, 0)
    mask = np.zeros((300, 2), bool)
    mask[:, 0] = True
    pixels = cv2.imdecode(np.frombuffer(encode_png(normal, mask), np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert (pixels[:, 0] == (65535, 0, 32768)).all()
    assert (pixels[:, 1] == (32768, 32768, 65535)).all()


@pytest.mark.parametrize(
    "arguments",
    [
        ["batch", ".", "-o", "x", "--workers", "-1"],
        ["bench", "--batches", "0"],
        ["evaluate", "yaleb", "x", "--limit", "0"],
        ["evaluate", "heads", "x", "--shapes", "x", "--pixels", "9" * 20],
        ["evaluate", "wild", "x", "--sheet-rows", "-3"],
        ["evaluate", "photoface", "x", "--share", "nan"],
        ["figure", "errors", "florence", "x", "-o", "x", "--count", "0"],
        ["figure", "relight", "x", "-o", "x", "--light", "0", "inf", "1"],
        ["train", "data", "--set", "x", "--shapes", "x", "--photos", "x", "--renders", "-1"],
        ["train", "coarse", "--set", "x", "--threads", "9" * 20],
        ["study", "--set", "x", "-o", "x", "--size", "1e3"],
    ],
)
def test_a_number_that_cannot_be_is_told(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    said = capsys.readouterr().err
    assert caught.value.code == 2 and re.search(r"is not a (whole )?number from -?\d", said), said
