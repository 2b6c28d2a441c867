# SPDX-License-Identifier: GPL-3.0-or-later
"""The data sets' loaders on stand-ins in their own layouts: complete ones are read, incomplete ones are errors."""

import numpy as np
import pytest

import dataset_standins as standins
from hffne.cli.main import main
from hffne.datasets import NAMES, aflw2000, celeba, dataset, ffhq, florence, ict3drfe, london, photoface, w300, yaleb
from hffne.errors import HffneError
from hffne.evaluation.metrics import angles


def is_error(call, *words, code="half_dataset"):
    """The call must raise an HffneError of that code whose message has all the words."""
    with pytest.raises(HffneError) as caught:
        call()
    assert caught.value.code == code and caught.value.hint, caught.value
    for word in words:
        assert str(word) in caught.value.message
    return caught.value


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_something_else_is_an_error(name, tmp_path):
    (tmp_path / "holiday").mkdir()
    standins.save(tmp_path / "holiday" / "beach.png", np.zeros((30, 30, 3), np.uint8))
    title = dataset(name).SOURCE.title
    is_error(lambda: dataset(name).find(tmp_path, part=True), tmp_path, title, code="no_dataset")
    error = is_error(lambda: dataset(name).find(tmp_path / "nowhere"), "nowhere", code="no_dataset")
    assert title in error.hint


@pytest.mark.parametrize("name", NAMES)
def test_the_command_says_what_to_download_and_where_to_put_it(name, capsys):
    assert main(["dataset", name]) == 0
    text = capsys.readouterr().out
    source = dataset(name).SOURCE
    assert source.origin in text and source.download in text and all(line in text for line in source.layout)


def test_the_command_lists_and_checks(tmp_path, capsys):
    assert main(["dataset"]) == 0
    listed = capsys.readouterr().out.split()
    assert all(name in listed for name in NAMES)
    standins.photoface(tmp_path)
    assert main(["dataset", "photoface", str(tmp_path), "--part"]) == 0
    assert "6 items" in capsys.readouterr().out
    assert main(["dataset", "photoface", str(tmp_path)]) == 1
    assert "3 of 453 people" in capsys.readouterr().err
    assert main(["dataset", "faceface"]) == 1 and "Known are" in capsys.readouterr().err


# Photoface


def test_photoface_gives_normals_by_photometric_stereo(tmp_path):
    normals, mask = standins.photoface(tmp_path)
    sessions = photoface.find(tmp_path, part=True)
    assert [s.name for s in sessions][:2] == ["1001/2008-02-10_12-21-31", "1001/2008-02-11_12-21-31"]
    assert len(sessions) == 6 and sessions[0].photos[2].name == "im2.bmp"
    normal, found = sessions[0].ground_truth()
    inner = normals[..., 2] > 0.55
    assert found[inner].all() and not found[~mask].any()
    assert angles(normal, normals)[inner].mean() < 0.5 and angles(normal, normals)[inner].max() < 3


def test_photoface_is_split_by_its_seed(tmp_path):
    standins.photoface(tmp_path, people=10, sessions=2, size=(24, 24))
    sessions = photoface.find(tmp_path, part=True)
    training, test = photoface.split(sessions, 0.2, seed=3)
    assert len(test) == 4 and len(training) == 16 and not {s.name for s in training} & {s.name for s in test}
    assert photoface.split(sessions, 0.2, seed=3)[1] == test
    assert any(photoface.split(sessions, 0.2, seed=seed)[1] != test for seed in (0, 1))
    training, test = photoface.split(sessions, 0.2, by="person")
    assert len(test) == 4 and not {s.person for s in training} & {s.person for s in test}


def test_an_incomplete_photoface_is_an_error(tmp_path):
    standins.photoface(tmp_path)
    is_error(lambda: photoface.find(tmp_path), "3 of 453")
    inner = tmp_path / "PhotofaceDB" / "1002" / "2008-02-11_12-21-31"
    (inner / "im2.bmp").unlink()
    (inner / "LightSource.m").unlink()
    is_error(lambda: photoface.find(tmp_path), inner, "im2.bmp", "LightSource.m")
    # With a part of the data set such a session is skipped and counted by whoever reads it.
    assert inner in [session.folder for session in photoface.find(tmp_path, part=True)]


def test_bad_photos_of_photoface_are_reported(tmp_path):
    standins.photoface(tmp_path, people=1)
    first, second = photoface.find(tmp_path, part=True)
    standins.save(first.photos[3], np.zeros((50, 50), np.uint8))
    is_error(first.ground_truth, first.photos[3], "50 x 50", "60 x 72", code="bad_dataset_file")
    cut(second.photos[1])
    is_error(second.ground_truth, second.photos[1], code="damaged_photo")


@pytest.mark.parametrize(
    "text",
    [
        standins.light_source(),
        "L = [" + "; ".join(f"{np.radians(z):.5f}, {np.radians(a):.5f}" for z, a in standins.FOUR) + "];",
        "zenith = [40 40 40 40];\nazimuth = [-45 45 135 225];",
        "azimuth = [-45; 45; 135; 225];\nzenith = [40; 40; 40; 40];",
        "ls = [40 40 40 40\n -45 45 135 225\n];",
    ],
    ids=["rows", "radians", "named", "azimuth first", "columns"],
)
def test_light_angles_are_read_in_every_notation(tmp_path, text):
    (tmp_path / "LightSource.m").write_text(text)
    assert np.allclose(
        photoface.read_lights(tmp_path / "LightSource.m"),
        [standins.polar(*angles) for angles in standins.FOUR],
        atol=1e-4,
    )


@pytest.mark.parametrize(
    "text",
    ["", "x = 3;", "l = [1 2; 3 4];", "l = [a b; c d];", "l = [1 2; 3; 4 5; 6 7]", "l = [nan 1; 2 3; 4 5; 6 7];"],
)
def test_light_angles_that_cannot_be_read_are_reported(tmp_path, text):
    (tmp_path / "LightSource.m").write_text(text)
    is_error(lambda: photoface.read_lights(tmp_path / "LightSource.m"), "LightSource.m", code="bad_dataset_file")


def test_lights_of_other_photos_are_reported(tmp_path):
    standins.photoface(tmp_path, people=1, sessions=1)
    (session,) = photoface.find(tmp_path, part=True)
    wrong = [(zenith, azimuth + 180) for zenith, azimuth in standins.FOUR]
    (session.folder / "LightSource.m").write_text(standins.light_source(wrong))
    is_error(session.ground_truth, "hollow", session.folder / "LightSource.m", code="bad_dataset_file")


# Florence


def test_florence_renders_scans_with_their_normals(tmp_path):
    standins.florence(tmp_path)
    scans = florence.find(tmp_path, part=True)
    assert [s.name for s in scans] == ["subject_01", "subject_02"] and scans[0].path.stem == "110920150401"
    photo, normal, mask = scans[0].render(128)
    assert photo.shape == (128, 128, 3) and photo.dtype == np.uint8 and normal.shape == (128, 128, 3)
    # The head is 160 by 220 and the picture a tenth larger, with the head in its middle.
    axis = (np.arange(128) + 0.5) / 128 * 242 - 121
    x, y = np.meshgrid(axis, -axis)
    inside = (x / 80) ** 2 + (y / 110) ** 2
    assert mask[inside < 0.97].all() and not mask[inside > 1.03].any()
    z = 90 * np.sqrt(np.maximum(1 - inside, 0))
    wanted = np.dstack([x / 80**2, y / 110**2, z / 90**2])
    wanted /= np.linalg.norm(wanted, axis=2, keepdims=True)
    # Exact in the middle, the texture's seam among it, and near the rim as good as the mesh is fine.
    assert angles(normal, wanted)[inside < 0.7].max() < 3
    assert photo[64, 90].tolist() == [0, 0, 200] and photo[64, 40].tolist() == [200, 0, 0]


def test_a_scan_without_a_texture_is_shaded(tmp_path):
    standins.florence(tmp_path, subjects=(7,))
    (scan,) = florence.find(tmp_path, part=True)
    scan.path.with_suffix(".mtl").unlink()
    photo, _, mask = scan.render(64)
    assert np.ptp(photo[mask].astype(int), axis=0).min() > 50 and np.ptp(photo.astype(int), axis=2).max() == 0


def test_an_incomplete_florence_is_an_error(tmp_path):
    standins.florence(tmp_path, subjects=(1, 3))
    is_error(lambda: florence.find(tmp_path), "subject_02", "more")
    scan = florence.find(tmp_path, part=True)[1]
    scan.path.with_suffix(".png").unlink()
    is_error(lambda: scan.render(32), scan.path.with_suffix(".png").name)
    for path in scan.path.parent.glob("*.obj"):
        path.unlink()
    is_error(lambda: florence.find(tmp_path, part=True), "subject_03", "obj")


def test_a_damaged_scan_is_reported(tmp_path):
    standins.florence(tmp_path, subjects=(1, 2, 3))
    first, second, third = florence.find(tmp_path, part=True)
    first.path.write_text("v 1 2 3\nv 2 3 4\nv 4 4 4\nf 1 2 3\n")
    second.path.write_bytes(bytes(range(256)) * 10)
    cut(third.path.with_suffix(".png"))
    for scan in (first, second):
        is_error(lambda scan=scan: scan.render(32), scan.path, code="bad_dataset_file")
    is_error(lambda: third.render(32), third.path.with_suffix(".png"), code="damaged_photo")


# Sets of photos


def test_300w(tmp_path, monkeypatch):
    standins.w300(tmp_path, 4)
    is_error(lambda: w300.find(tmp_path), "01_Indoor/indoor_005.png")
    monkeypatch.setattr(w300, "EACH", 4)
    items = w300.find(tmp_path)
    assert [i.name for i in items] == [f"{part}_{k:03d}" for part in ("indoor", "outdoor") for k in range(1, 5)]
    assert items[5].read()[0, 0, 0] == 2 and items[0].landmarks()[3].tolist() == [3.5, 6]
    items[1].path.with_suffix(".pts").write_text("version: 1\nn_points: 68\n{\n1 2\n")
    is_error(items[1].landmarks, "indoor_002.pts", "68", code="bad_dataset_file")
    items[2].path.with_suffix(".pts").unlink()
    is_error(lambda: w300.find(tmp_path, part=True), "indoor_003.pts")


def test_celeba(tmp_path, monkeypatch):
    standins.celeba(tmp_path)
    is_error(lambda: celeba.find(tmp_path), "6 of 202599")
    monkeypatch.setattr(celeba, "COUNT", 6)
    items = celeba.find(tmp_path)
    assert [i.split for i in items] == ["train", "valid", "test"] * 2 and items[0].read().shape == (218, 178, 3)
    standins.save(items[1].path, np.zeros((218, 100, 3), np.uint8))
    is_error(items[1].read, "100 x 218", "178 x 218", code="bad_dataset_file")
    cut(items[2].path)
    is_error(items[2].read, items[2].path, code="damaged_photo")
    items[3].path.unlink()
    is_error(lambda: celeba.find(tmp_path), "000004.jpg")
    assert len(celeba.find(tmp_path, part=True)) == 5
    (tmp_path / "list_eval_partition.txt").write_text("000001.jpg zero\n")
    is_error(lambda: celeba.find(tmp_path, part=True), "list_eval_partition.txt", code="bad_dataset_file")
    (tmp_path / "list_eval_partition.txt").unlink()
    is_error(lambda: celeba.find(tmp_path, part=True), "list_eval_partition.txt")


def test_ffhq(tmp_path, monkeypatch):
    standins.ffhq(tmp_path, (0, 1, 1000))
    is_error(lambda: ffhq.find(tmp_path), "00000/00002.png", "more")
    items = ffhq.find(tmp_path, part=True)
    assert [i.name for i in items] == ["00000", "00001", "01000"] and items[0].read().shape == (1024, 1024, 3)
    monkeypatch.setattr(ffhq, "COUNT", 2)
    assert len(ffhq.find(tmp_path)) == 2
    standins.save(items[1].path, np.zeros((128, 128), np.uint8))
    is_error(items[1].read, "128 x 128", code="bad_dataset_file")


def test_ict3drfe(tmp_path):
    normals, mask = standins.ict3drfe(tmp_path)
    is_error(lambda: ict3drfe.find(tmp_path), "3 of 345")
    items = ict3drfe.find(tmp_path, part=True)
    assert [i.name for i in items] == ["01/neutral", "01/smile", "02/neutral"]
    photo, albedo, normal, found = items[0].read()
    assert np.array_equal(found, mask) and angles(normal, normals)[mask].max() < 1
    assert albedo[30, 25].tolist() == [200, 150, 120] and photo.shape == albedo.shape
    standins.save(items[1].albedo, np.zeros((40, 40, 3), np.uint8))
    is_error(items[1].read, items[1].albedo, "40 x 40", code="bad_dataset_file")
    standins.save(items[2].normal, np.zeros((60, 50), np.uint8))
    is_error(items[2].read, items[2].normal, code="bad_dataset_file")
    items[0].albedo.unlink()
    is_error(lambda: ict3drfe.find(tmp_path, part=True), "01/neutral_albedo")


# The sets that are for evaluation only


def test_cropped_yale_gives_normals_by_photometric_stereo(tmp_path):
    normals, _ = standins.yaleb(tmp_path)
    items = yaleb.find(tmp_path, part=True)
    assert [(i.person, i.light) for i in items] == [("yaleB01", "A+000E+00"), ("yaleB02", "A+000E+00")]
    assert len(yaleb.find(tmp_path, "all", part=True)) == 36
    normal, mask = items[0].ground_truth()
    inner = normals[..., 2] > 0.4
    assert mask[inner].all() and angles(normal, normals)[inner].mean() < 0.5
    is_error(lambda: yaleb.find(tmp_path), "yaleB03")
    is_error(lambda: yaleb.find(tmp_path, "A+005E+05", part=True), "A+005E+05", code="no_dataset")
    (items[1].source / "yaleB02_P00A+025E+40.pgm").unlink()
    is_error(lambda: yaleb.find(tmp_path, part=True), "yaleB02_P00A+025E+40.pgm")


def test_a_damaged_ground_truth_of_yale_is_reported(tmp_path):
    normals, mask = standins.ball(60, 80)
    np.savez(tmp_path / "yaleB01_normal.npz", normal=normals, mask=mask)
    standins.save(tmp_path / "yaleB01_A+000E+00.png", np.zeros((80, 60), np.uint8))
    (item,) = yaleb.find(tmp_path)
    assert np.array_equal(item.ground_truth()[1], mask)
    yaleb._stored.cache_clear()
    cut(tmp_path / "yaleB01_normal.npz")
    is_error(item.ground_truth, "yaleB01_normal.npz", code="bad_dataset_file")


def test_aflw2000(tmp_path):
    pytest.importorskip("scipy.io")
    points = standins.aflw2000(tmp_path)
    is_error(lambda: aflw2000.find(tmp_path), "3 of 2000")
    items = aflw2000.find(tmp_path, part=True)
    found, yaw = items[1].read_ground_truth()
    assert np.allclose(found, points[:2].T - 1) and yaw == pytest.approx(10)
    cut(items[2].annotation)
    is_error(items[2].read_ground_truth, items[2].annotation, code="bad_dataset_file")
    items[0].annotation.unlink()
    is_error(lambda: aflw2000.find(tmp_path, part=True), "image00000.mat")


def test_london(tmp_path):
    points = standins.london(tmp_path)
    is_error(lambda: london.find(tmp_path), "3 of 102")
    items = london.find(tmp_path, part=True)
    assert [item.name for item in items] == ["001", "002", "003"]
    assert np.allclose(items[1].points(), points["002"])
    np.savez(tmp_path / "landmarks189_neutral.npz", **{"001": np.zeros((189, 2)), "003": np.zeros((12, 2))})
    for item in items[1:]:
        is_error(item.points, "landmarks189_neutral.npz", code="bad_dataset_file")
    cut(tmp_path / "landmarks189_neutral.npz")
    is_error(items[0].points, "landmarks189_neutral.npz", code="bad_dataset_file")
