# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics on small known cases, and the benchmarks on small folders."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from hffne.datasets import aflw2000 as aflw2000_files
from hffne.datasets import yaleb as yaleb_files
from hffne.errors import HffneError
from hffne.evaluation import aflw2000, contact_sheet, metrics, yaleb
from hffne.evaluation.specular_bias import measure_specular_strength
from hffne.geometry.vectors import best_rotation, normalize
from hffne.photo.detect import Face
from rotations import tilted
from tilting_engine import Estimate, TiltingEngine


@pytest.fixture
def dome():
    y, x = np.mgrid[1:-1:41j, -1:1:40j]
    return normalize(np.dstack([x, y, np.full_like(x, 1.2)]))


def test_angles_and_their_summary():
    up = np.array([0.0, 0, 1])
    vectors = np.array([tilted(a) @ up for a in (0, 10, 22, 28, 90)])
    found = metrics.angles(vectors, up)
    assert np.allclose(found, [0, 10, 22, 28, 90], atol=1e-5)
    result = metrics.summary(found)
    assert (result.mean, result.under_20, result.under_25, result.under_30) == pytest.approx((30, 40, 60, 80))
    assert result.std == pytest.approx(np.std([0, 10, 22, 28, 90]))
    assert metrics.angles(np.zeros(3), up) == pytest.approx(90)
    with pytest.raises(ValueError):
        metrics.summary([])


def test_average_is_the_mean_of_faces_not_of_pixels():
    mean = metrics.average([metrics.summary([10.0] * 100), metrics.summary([30.0])])
    assert mean.mean == pytest.approx(20) and mean.under_20 == pytest.approx(50)


@pytest.mark.parametrize("axis,degrees", [(0, 6), (1, -25), (2, 100)])
def test_best_rotation_undoes_a_rotation(dome, axis, degrees):
    truth = dome.reshape(-1, 3)
    ours = truth @ tilted(degrees, axis)
    rotation = best_rotation(ours, truth)
    assert np.allclose(rotation, tilted(degrees, axis), atol=1e-6)
    assert metrics.angles(ours @ rotation.T, truth).max() < 1e-3


def test_best_rotation_is_no_mirror(dome):
    truth = dome.reshape(-1, 3)
    rotation = best_rotation(truth * [-1, 1, 1], truth)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_landmark_error_is_in_percent_of_the_box():
    truth = np.random.default_rng(0).uniform(0, 1, (68, 2))
    truth = (truth - truth.min(0)) / np.ptp(truth, axis=0) * [80, 20] + 100  # a box of 80 x 20: root of its area 40
    assert metrics.landmark_error(truth + np.array([3, 4]), truth) == pytest.approx(5 / 40 * 100)
    assert metrics.landmark_error(np.c_[truth, np.full(68, 99)], truth) == pytest.approx(0)


# Benchmarks


@pytest.fixture
def yale(tmp_path, dome, monkeypatch):
    truth = cv2.resize(dome, (60, 80))
    truth = normalize(truth).astype(np.float32)
    mask = np.zeros((80, 60), bool)
    mask[5:75, 5:55] = True
    for person in ("p1", "p2"):
        np.savez(tmp_path / f"{person}_normal.npz", normal=truth, mask=mask, albedo=mask)
        for light in ("A+000E+00", "A+035E+15"):
            Image.fromarray(np.full((80, 60), 90, np.uint8)).save(tmp_path / f"{person}_{light}.png")
    face = Face((5, 5, 50, 70), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(yaleb, "find_faces", lambda photo: [face])
    return tmp_path, truth, mask


def test_yaleb_reports_raw_and_rotated_errors_and_coverage(yale):
    folder, truth, mask = yale
    results = yaleb.evaluate(TiltingEngine(truth, mask), yaleb_files.find(folder), report=lambda text: None)
    assert [(r.name, r.group) for r in results] == [("p1", "A+000E+00"), ("p2", "A+000E+00")]
    x_part = np.degrees(2 * np.arcsin(np.sin(np.radians(3.5)) * np.hypot(truth[..., 1], truth[..., 2])))
    assert results[0].raw.mean == pytest.approx(x_part[mask].mean(), abs=0.01)
    assert results[0].rotated.mean < 0.01
    # Ours looks 7 degrees further down than the ground truth: (0, 0, 1) has become (0, -sin 7, cos 7).
    assert results[0].pitch == pytest.approx(7, abs=0.01)
    assert results[0].coverage == pytest.approx(55 / 70 * 100) and results[0].flat == 0
    assert results[0].stages["coarse"][0].mean == pytest.approx(results[0].raw.mean, abs=0.3)
    assert "p1" in yaleb.table(results) and f"{results[0].raw.mean:.2f}" in yaleb.table(results)
    assert (
        len(yaleb.evaluate(TiltingEngine(truth, mask), yaleb_files.find(folder, "all"), report=lambda text: None)) == 4
    )
    plain = json.loads(json.dumps(yaleb.as_dict(results)))
    assert (
        plain["mean"]["photos"] == 2 and plain["faces"][0]["person"] == "p1" and plain["lights"].keys() == {"A+000E+00"}
    )


def specular_photo(normals, light, strength, albedo=0.6):
    """(H, W) of normals (H, W, 3) under a light (3,): matte, and a specular lobe of `strength` times the matte part."""
    half = np.asarray(light) + np.array([0, 0, 1])
    matte = np.clip(normals @ light, 0, None)
    lobe = np.clip(normals @ (half / np.linalg.norm(half)), 0, None) ** 20 * (matte > 0)
    return albedo * (matte + strength * lobe)


def test_the_specular_strength_is_measured_for_any_albedo(dome):
    albedo = 0.3 + 0.3 * np.linspace(0, 1, dome.shape[1]) ** 2
    lights = yaleb_files.LIGHTS[::4]
    everywhere = np.ones(dome.shape[:2], bool)
    for strength in (0.0, 0.15, 0.4):
        photos = np.stack([specular_photo(dome, light, strength, albedo) for light in lights])
        assert measure_specular_strength(photos, lights, dome, everywhere) == pytest.approx(strength, abs=0.03)
    assert measure_specular_strength(photos[:3], lights[:3], dome, everywhere) is None


def test_the_specular_bias_of_the_ground_truth_is_not_counted_as_our_error(tmp_path, dome, monkeypatch):
    """The engine is exact; the ground truth comes from photos of specular skin by least squares."""
    shape = normalize(cv2.resize(dome, (60, 80))).astype(np.float32)
    mask = np.ones(shape.shape[:2], bool)
    values = np.stack([specular_photo(shape, light, 0.4) for light in yaleb_files.LIGHTS])
    seen = np.stack(
        [
            np.linalg.lstsq(
                yaleb_files.LIGHTS[pixel > 0.1 * pixel.max()], pixel[pixel > 0.1 * pixel.max()], rcond=None
            )[0]
            for pixel in values.reshape(len(values), -1).T
        ]
    )
    np.savez(tmp_path / "p1_normal.npz", normal=normalize(seen.reshape(shape.shape)).astype(np.float32), mask=mask)
    for light in ("A+000E+00", "A+000E+45", "A+020E-40", "A+035E+15", "A-035E+15", "A-060E+20"):
        azimuth, elevation = np.radians([int(light[1:5]), int(light[6:])])
        toward = [-np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)]
        Image.fromarray(np.round(specular_photo(shape, toward, 0.4) * 255).astype(np.uint8)).save(
            tmp_path / f"p1_{light}.png"
        )

    class RightEngine(TiltingEngine):
        def normals(self, *args, **options):
            return Estimate(self.truth, self.mask)

    face = Face((5, 5, 50, 70), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(yaleb, "find_faces", lambda photo: [face])
    (result,) = yaleb.evaluate(RightEngine(shape, mask), yaleb_files.find(tmp_path), report=lambda text: None)
    assert 0.1 < result.specular_strength < 0.4  # the ground truth's normals are tilted toward the highlights
    assert result.raw.mean > 2 and result.with_specular_bias[0].mean < 0.7 * result.raw.mean
    assert f"{result.with_specular_bias[0].mean:.2f}" in yaleb.table([result])
    assert yaleb.as_dict([result])["faces"][0]["specular_strength"] == result.specular_strength


def test_yaleb_counts_pixels_without_a_result_as_flat(yale, monkeypatch):
    folder, truth, mask = yale
    monkeypatch.setattr(yaleb, "find_faces", lambda photo: [])
    result = yaleb.evaluate(TiltingEngine(truth, mask), yaleb_files.find(folder), report=lambda text: None)[0]
    assert not result.found and result.flat == 100 and result.coverage == 0
    assert result.raw.mean == pytest.approx(metrics.angles(truth, [0, 0, 1])[mask].mean(), abs=1e-3)
    assert "no face" in yaleb.table([result])


def test_a_folder_without_the_benchmark_is_an_error(tmp_path):
    for find in (
        lambda: yaleb_files.find(tmp_path),
        lambda: aflw2000_files.find(tmp_path),
        lambda: yaleb_files.find(tmp_path / "nowhere"),
    ):
        with pytest.raises(HffneError) as caught:
            find()
        assert str(tmp_path) in caught.value.message and caught.value.hint


def test_the_contact_sheet_shows_every_row(yale, tmp_path):
    folder, truth, mask = yale
    best_and_worst = contact_sheet.BestAndWorst()
    yaleb.evaluate(
        TiltingEngine(truth, mask), yaleb_files.find(folder, "all"), report=lambda text: None, rows=best_and_worst
    )
    rows = best_and_worst.rows
    assert len(rows) == 4
    contact_sheet.save(rows, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as picture:
        width, height = picture.size
    names = [name for name, _ in rows[0][1]]
    assert {"photo", "coarse", "fine", "product", "light 1", "light 2", "light 3"} <= set(names) and "error" in names[
        -1
    ]
    assert width > len(names) * contact_sheet.TILE and height > 4 * contact_sheet.TILE


def test_the_contact_sheet_keeps_the_best_and_the_worst():
    kept = contact_sheet.BestAndWorst(2)
    for score in (5, 1, 9, 3, 7):
        kept.add(score, (f"face {score}", [("photo", np.zeros((10, 10, 3), np.uint8))]))
    assert [label for label, _ in kept.rows] == ["best  face 1", "best  face 3", "worst  face 9", "worst  face 7"]


def test_shading_brightens_toward_the_light():
    normals = np.array([[[0.6, 0, 0.8], [0, 0, 1.0], [-0.6, 0, 0.8]]])
    row = contact_sheet.shaded_picture(normals, (1, 0, 0.5))[0, :, 0].astype(int)
    assert row[0] > row[1] > row[2]
    error = contact_sheet.error_picture(np.array([[0.0, 20, 60]]), np.ones((1, 3), bool)).sum(2)[0]
    assert error[0] < error[1] < error[2]


@pytest.fixture
def aflw(tmp_path, monkeypatch):
    savemat = pytest.importorskip("scipy.io").savemat
    truths = {}
    for index, yaw in enumerate((5.0, -20.0, 45.0, -80.0)):
        points = np.random.default_rng(index).uniform(100, 200, (68, 3))
        truths[f"image{index}"] = points
        pose = np.zeros((1, 7))
        pose[0, 1] = np.radians(yaw)
        savemat(tmp_path / f"image{index}.mat", {"pt3d_68": points.T, "Pose_Para": pose})
        Image.fromarray(np.full((300, 300, 3), index, np.uint8)).save(tmp_path / f"image{index}.jpg")
    middle = Face((120, 120, 60, 60), 0.9, np.zeros((5, 2), np.float32))
    aside = Face((0, 0, 100, 100), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(aflw2000, "find_faces", lambda photo: [] if photo.path.stem == "image3" else [aside, middle])

    class Engine:
        def normals(self, photo, face):
            assert face is middle
            # One pixel off in matlab's count, which starts at 1, and 2 to the right.
            return Estimate(None, None, truths[photo.path.stem] - [1, 1, 0] + [2, 0, 0])

    return tmp_path, truths, Engine()


def test_aflw2000_bins_by_yaw_and_counts_what_has_no_result(aflw):
    folder, truths, engine = aflw
    reported = []
    results = aflw2000.evaluate(engine, aflw2000_files.find(folder, part=True), reported.append)
    groups = aflw2000.by_yaw(results)
    assert [groups[name].photos for name in ("0-30", "30-60", "60-90")] == [2, 1, 1]
    wanted = [2 / np.sqrt(np.prod(np.ptp(truths[f"image{k}"][:, :2], axis=0))) * 100 for k in range(3)]
    assert groups["0-30"].nme_percent == pytest.approx(np.mean(wanted[:2]))
    assert groups["30-60"].nme_percent == pytest.approx(wanted[2])
    assert groups["60-90"] == aflw2000.YawBin(1, None, 1)
    assert groups["mean"].nme_percent == pytest.approx((np.mean(wanted[:2]) + wanted[2]) / 2)
    assert any("image3" in text for text in reported)
    assert "25.0 %" in aflw2000.table(results)
    assert json.loads(json.dumps(aflw2000.as_dict(results)))["bins"]["60-90"]["without_result"] == 1


def test_the_evaluate_command_writes_what_it_prints(yale, monkeypatch, capsys):
    import hffne.pipeline
    from hffne.cli.main import main

    folder, truth, mask = yale
    monkeypatch.setattr(hffne.pipeline, "Engine", lambda device, model: TiltingEngine(truth, mask))
    out = folder / "out"
    code = main(
        [
            "evaluate",
            "yaleb",
            str(folder),
            "--lights",
            "all",
            "--json",
            str(out / "a.json"),
            "--sheet",
            str(out / "b.png"),
        ]
    )
    assert code == 0 and (out / "b.png").stat().st_size > 1000
    data = json.loads((out / "a.json").read_text())
    assert f"{data['mean']['raw']['mean']:.2f}" in capsys.readouterr().out
    assert data["merge"] is True and data["model"] == "tilting"
    assert main(["evaluate", "yaleb", str(out)]) == 1


def test_the_evaluate_command_on_landmarks(aflw, monkeypatch, capsys):
    import hffne.pipeline
    from hffne.cli.main import main

    folder, _truths, engine = aflw
    engine.model, engine.device_name = "known", "none"
    monkeypatch.setattr(hffne.pipeline, "Engine", lambda device, model: engine)
    sheet_path = folder / "worst.png"
    assert main(["evaluate", "aflw2000", str(folder), "--sheet", str(sheet_path)]) == 0
    assert "mean of the bins" in capsys.readouterr().out and sheet_path.stat().st_size > 1000
