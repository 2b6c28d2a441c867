# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's figures: what the tiles show is right, and the commands draw them from a real photo."""

import numpy as np
import pytest
from PIL import Image

import dataset_standins as standins
import hffne.pipeline
from hffne.cli.main import main
from hffne.evaluation.metrics import angles
from hffne.figures.errors import ErrorMaps, Failures, error_row
from hffne.figures.face import turned_view
from hffne.figures.relight import AMBIENT, lambertian, relit
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo


@pytest.fixture(scope="module")
def engine():
    return hffne.pipeline.Engine(device="cpu")


@pytest.fixture
def loaded(engine, monkeypatch):
    """The commands use the engine that is already loaded."""
    monkeypatch.setattr(hffne.pipeline, "Engine", lambda **options: engine)


@pytest.fixture(scope="module")
def estimated(engine, astronaut_file):
    photo = load_photo(astronaut_file)
    estimate = engine.normals(photo, find_faces(photo)[0])
    return estimate, engine.build(photo, estimate, texture_size=512).textures


def test_the_base_mesh_seen_as_in_the_photo_has_the_photos_normals(estimated):
    estimate, textures = estimated
    base, detailed, mask = turned_view(estimate, textures, 0, size=256)
    # The view is centered, the photo's own is not: find the shift.
    own = estimate.projection
    at = [round(np.nonzero(own.mask)[axis].mean() - np.nonzero(mask)[axis].mean()) for axis in (0, 1)]
    found = []
    for down in range(at[0] - 3, at[0] + 4):
        for right in range(at[1] - 3, at[1] + 4):
            moved = [np.roll(picture, (down, right), (0, 1)) for picture in (base, detailed, mask)]
            both = moved[2] & own.mask & estimate.mask
            found.append(
                (
                    np.median(angles(moved[0], own.normal)[both]),
                    np.median(angles(moved[1], estimate.normal)[both]),
                    np.median(angles(moved[0], estimate.normal)[both]),
                )
            )
    shape, relief, without = min(found)
    # Half a pixel may be left between them.
    assert shape < 1.5 and relief < 2.5 and relief < 0.5 * without


def test_a_turned_mesh_keeps_its_normals_on_it(estimated):
    estimate, textures = estimated
    views = [turned_view(estimate, textures, yaw, size=128) for yaw in (-40, 0, 40)]
    for base, detailed, mask in views:
        # If the normal map was not turned too, it would be 40 degrees off.
        assert mask.mean() > 0.2 and np.median(angles(base, detailed)[mask]) < 15
    assert all((views[1][2] ^ other[2]).mean() > 0.02 for other in (views[0], views[2]))


def test_relighting_is_lambertian():
    normals, mask = standins.ball(60, 60)
    light = (2.0, 1.0, 2.0)
    wanted = AMBIENT + (1 - AMBIENT) * np.clip(normals @ np.array(light) / 3, 0, None)
    assert np.allclose(lambertian(normals, light), wanted, atol=1e-6)
    albedo = np.full((60, 60, 3), (255, 188, 0), np.uint8)  # 188 is half of the light
    shown = relit(albedo, normals, light, mask.astype(np.float32))
    assert not shown[~mask].any() and not shown[..., 2].any()
    row, column = np.unravel_index(np.where(mask, normals @ np.array(light), 0).argmax(), (60, 60))
    assert shown[row, column, 0] > 250 and abs(int(shown[row, column, 1]) - 188) < 4
    assert shown[30, 50, 0] > shown[30, 10, 0] and shown[10, 30, 0] > shown[50, 30, 0]


def test_error_maps_show_each_stages_own_error():
    normals, mask = standins.ball(40, 40)
    flat = np.broadcast_to(np.float32([0, 0, 1]), normals.shape)
    label, tiles = error_row(
        "p1 A  raw 3  rotated 2", np.zeros((40, 40, 3), np.uint8), flat, normals, mask, None, normals, normals
    )
    assert [name for name, _ in tiles] == [
        "photo",
        "ground truth",
        "exemplar",
        "error 0-40 deg",
        "refined",
        "error 0-40 deg",
        "product",
        "error 0-40 deg",
    ]
    assert label.startswith("p1 A  ") and "refined 0.0" in label and "product 0.0" in label
    exemplar, refined = tiles[3][1].astype(int).sum(2), tiles[5][1].astype(int).sum(2)
    assert exemplar[mask].mean() > 150 and refined[mask].max() < 30


def test_failures_are_the_worst_faces_the_worst_first():
    kept, everything = Failures(2), ErrorMaps()
    for score in (4, 9, 1, 7):
        for rows in (kept, everything):
            rows.add(score, (f"face {score}", []))
    assert [label for label, _ in kept.rows] == ["face 9", "face 7"]
    assert [label for label, _ in everything.rows] == ["face 4", "face 9", "face 1", "face 7"]


@pytest.mark.parametrize("figure,columns,rows", [("exemplar", 7, 1), ("shading", 10, 2), ("relight", 7, 1)])
def test_the_command_draws_photos(figure, columns, rows, loaded, astronaut_file, tmp_path, capsys):
    nobody = tmp_path / "nobody.png"
    standins.save(nobody, np.full((200, 200, 3), 128, np.uint8))
    output = tmp_path / "out" / "figure.png"
    assert main(["figure", figure, str(nobody), str(astronaut_file), "-o", str(output)]) == 3
    assert "nobody.png" in capsys.readouterr().err
    picture = np.asarray(Image.open(output)).astype(int)
    assert picture.shape[1] == columns * 196 + 4 and 26 + rows * 200 < picture.shape[0] < 26 + rows * 240
    tiles = [picture[52:244, 4 + k * 196 : 196 + k * 196] for k in range(columns)]
    assert all(tile.std() > 20 for tile in tiles), "an empty tile"
    for k in range(columns):
        # The product is the exemplar with relief: a similar picture, but not the same.
        assert all(np.abs(tiles[k] - other).mean() > 0.3 for other in tiles[k + 1 :]), "two tiles show the same"


@pytest.mark.parametrize("figure", ["shading", "relight"])
def test_the_fine_networks_normals_by_choice(figure, loaded, astronaut_file, tmp_path):
    pictures = []
    for name, options in (("product", []), ("n", ["--no-merge"])):
        output = tmp_path / f"{name}.png"
        assert main(["figure", figure, str(astronaut_file), *options, "-o", str(output)]) == 0
        pictures.append(np.asarray(Image.open(output)).astype(int)[52:244])
    photo, normal = (np.abs(pictures[0] - pictures[1])[:, 4 + k * 196 : 196 + k * 196].mean() for k in (0, 1))
    assert photo == 0 and normal > 1


def test_others_normals_stand_beside_ours(loaded, engine, astronaut_file, tmp_path, capsys):
    photo = load_photo(astronaut_file)
    normal = engine.normals(photo, find_faces(photo)[0]).on_photo(photo.rgb.shape)[0]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    np.savez(tmp_path / "a" / f"{astronaut_file.stem}.npz", normal=normal)  # our own, as if they were others'
    output = tmp_path / "compare.png"
    command = ["figure", "compare", str(astronaut_file), "-o", str(output), "--normals", f"Ours={tmp_path / 'a'}"]
    assert main([*command, "--normals", f"None={tmp_path / 'b'}"]) == 0
    picture = np.asarray(Image.open(output)).astype(int)
    assert picture.shape[1] == 9 * 196 + 4
    tiles = [picture[52:244, 4 + k * 196 : 196 + k * 196] for k in range(9)]
    assert np.abs(tiles[1] - tiles[7]).mean() < 2 < np.abs(tiles[5] - tiles[7]).mean()  # the product, not N
    assert not tiles[3].any() and not tiles[4].any()
    np.savez(tmp_path / "b" / f"{astronaut_file.stem}.npz", normal=normal[:9])
    assert main([*command, "--normals", f"None={tmp_path / 'b'}"]) == 1
    assert "does not have the size" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*command[:-1], "nothing"])


def test_groups_of_photos_have_a_row_each(loaded, astronaut, astronaut_file, tmp_path, capsys):
    for name in ("young", "old"):
        (tmp_path / name).mkdir()
        for number in range(2):
            standins.save(tmp_path / name / f"{number}.png", astronaut[: 300 + number])
    standins.save(tmp_path / "old" / "0.png", np.full((200, 200, 3), 128, np.uint8))
    output = tmp_path / "groups.png"
    groups = [f"{name}={tmp_path / name}" for name in ("young", "old")]
    assert main(["figure", "groups", *groups, "--count", "2", "-o", str(output)]) == 0
    assert "0.png" in capsys.readouterr().err  # no face; the group's other one is shown
    picture = np.asarray(Image.open(output)).astype(int)
    assert picture.shape[1] == 4 * 196 + 4 and picture.shape[0] > 2 * 200
    (tmp_path / "none").mkdir()
    assert main(["figure", "groups", f"none={tmp_path / 'none'}", "-o", str(output)]) != 0


def test_relighting_an_albedo_beside_its_ground_truth(loaded, astronaut, tmp_path):
    _normals, _mask = standins.ict3drfe(tmp_path / "set", faces=(("01", "smile"),))
    face = astronaut[0:240, 120:320]
    for kind in ("photo", "albedo"):
        standins.save(tmp_path / "set" / "01" / f"smile_{kind}.png", face)
    stored = standins.ball(200, 240)
    picture = np.where(stored[1][..., None], np.round((stored[0] * 0.5 + 0.5) * 255), 0).astype(np.uint8)
    standins.save(tmp_path / "set" / "01" / "smile_normal.png", picture)
    output = tmp_path / "relit.png"
    assert (
        main(["figure", "relight", "--dataset", str(tmp_path / "set"), "--light", "1", "0.5", "1", "-o", str(output)])
        == 0
    )
    with Image.open(output) as drawn:
        assert drawn.size[0] == 6 * 196 + 4 and drawn.size[1] > 2 * 230


@pytest.mark.parametrize("figure", ["errors", "failures"])
def test_the_command_draws_a_benchmark(figure, loaded, astronaut, tmp_path):
    face = astronaut[0:192, 130:298]
    normals, mask = standins.ball(168, 192)
    for person in ("yaleB01", "yaleB02"):
        np.savez(tmp_path / f"{person}_normal.npz", normal=normals, mask=mask)
        standins.save(tmp_path / f"{person}_A+000E+00.png", face)
    output = tmp_path / "figure.png"
    assert main(["figure", figure, "yaleb", str(tmp_path), "--count", "1", "-o", str(output)]) == 0
    with Image.open(output) as picture:
        assert picture.size[0] == 8 * 196 + 4 and picture.size[1] < 26 + 250


def test_errors_write_no_picture(loaded, astronaut_file, tmp_path, capsys):
    output = tmp_path / "out" / "figure.png"
    for options in (
        ["relight"],
        ["relight", str(astronaut_file), "--light", "0", "0", "0"],
        ["exemplar", str(tmp_path / "no.png")],
        ["errors", "yaleb", str(tmp_path)],
    ):
        assert main(["figure", *options, "-o", str(output)]) in (1, 2)
        assert capsys.readouterr().err and not output.parent.exists()
