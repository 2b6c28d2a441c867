# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate proportions`: knows a network that follows the person from one that gives the mean face."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import dataset_standins as standins
from hffne.cli.main import main
from hffne.datasets import london
from hffne.errors import HffneError
from hffne.evaluation import proportions
from hffne.photo.detect import Face

PEOPLE = 12
BOX_68 = 1000  # side in pixels of the stand-in landmarks, far beyond its points


@pytest.fixture
def people(tmp_path, monkeypatch):
    """The folder of a stand-in, its points by name (12, 2), and an engine of given points."""
    truths = standins.london(tmp_path, PEOPLE)
    face = Face((20, 20, 60, 60), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(proportions, "find_faces", lambda photo: [] if photo.path.stem in hidden else [face])
    hidden = set()

    def engine(points_of):
        """points_of: the twelve points, given those placed by hand."""

        def normals(photo, face):
            landmarks = np.zeros((68, 3))
            landmarks[:, :2] = truths[photo.path.stem[:3]].mean(0)
            landmarks[1, :2] = landmarks[0, :2] + BOX_68
            landmarks[list(london.IBUG), :2] = points_of(truths[photo.path.stem[:3]])
            return SimpleNamespace(landmarks=landmarks)

        return SimpleNamespace(normals=normals, model="known", device_name="none")

    return SimpleNamespace(folder=tmp_path, truths=truths, engine=engine, hidden=hidden)


def summary_of(people, points_of, report=print):
    items = london.find(people.folder, part=True)
    return proportions.summarize(proportions.evaluate(people.engine(points_of), items, report))


def test_the_truth_itself_correlates_fully(people):
    summary = summary_of(people, lambda truth: truth)
    assert summary.people == PEOPLE and summary.points_percent == pytest.approx(0)
    assert all(p.correlation == pytest.approx(1) and p.slope == pytest.approx(1) for p in summary.proportions.values())
    assert summary.mean_percent > 1 and summary.mean_percent == pytest.approx(summary.own_mean_percent)


def test_one_face_for_all_has_small_errors_and_no_correlation(people):
    mean = np.mean(list(people.truths.values()), axis=0)
    summary = summary_of(people, lambda truth: mean)
    assert 0 < summary.shape_percent <= summary.points_percent
    assert summary.shape_percent == pytest.approx(summary.own_mean_percent)
    assert all(p.correlation == 0 and p.slope == 0 and p.ours_spread < 1e-9 for p in summary.proportions.values())


def test_half_of_a_difference_has_a_slope_of_a_half(people):
    mean = np.mean(list(people.truths.values()), axis=0)
    summary = summary_of(people, lambda truth: (truth + mean) / 2)
    widths = [summary.proportions[name] for name in ("eye width", "mouth width", "nose width")]
    assert all(p.correlation > 0.9 and 0.35 < p.slope < 0.65 for p in widths)


def test_a_shift_is_in_the_bias_and_not_in_the_shape(people):
    summary = summary_of(people, lambda truth: truth + [3.0, -2.0])
    assert summary.points_percent > 1 and summary.shape_percent == pytest.approx(0, abs=1e-9)
    # The box spans from the mean, around which the points lie, to the far landmark.
    assert 13**0.5 / (1.1 * BOX_68) < summary.box_68_percent / 100 < 13**0.5 / BOX_68
    assert all(x > 0 > y and x == pytest.approx(-1.5 * y) for x, y in summary.bias_percent.values())


def test_the_lengths_are_over_the_distance_of_the_eyes():
    points = np.zeros((1, 12, 2))
    row = {point: k for k, point in enumerate(london.IBUG)}
    for point, place in {
        36: (0, 0),
        39: (4, 0),
        42: (10, 0),
        45: (14, 0),
        8: (7, 30),
        48: (3, 18),
        54: (11, 18),
    }.items():
        points[0, row[point]] = place
    lengths = {name: value[0] for name, value in proportions.proportions(points).items()}
    assert lengths["eye width"] == pytest.approx(0.4) and lengths["mouth width"] == pytest.approx(0.8)
    assert lengths["face length"] == pytest.approx(3.0) and lengths["mouth below the eyes"] == pytest.approx(1.8)


def test_a_photo_without_a_face_is_counted(people):
    people.hidden.add("002_neutral")
    reported = []
    summary = summary_of(people, lambda truth: truth, reported.append)
    assert (summary.people, summary.without_result) == (PEOPLE - 1, 1) and "002_neutral" in reported[0]
    people.hidden.update(f"{k:03d}_neutral" for k in range(2, PEOPLE + 1))
    with pytest.raises(HffneError, match="at least two people"):
        summary_of(people, lambda truth: truth)


def test_the_command_prints_and_writes(people, monkeypatch, capsys):
    import hffne.pipeline

    mean = np.mean(list(people.truths.values()), axis=0)
    monkeypatch.setattr(hffne.pipeline, "Engine", lambda device, model: people.engine(lambda t: (t + mean) / 2))
    out = people.folder / "out" / "a.json"
    assert main(["evaluate", "proportions", str(people.folder), "--json", str(out)]) == 0
    data, text = json.loads(out.read_text()), capsys.readouterr().out
    assert f"{data['points_percent']:.2f} %" in text and f"{data['proportions']['mouth width']['slope']:.2f}" in text
    assert len(data["people_points"]) == PEOPLE and data["model"] == "known"


def test_the_points_are_read_from_templates_too(people):
    together = london.find(people.folder, part=True)[0].points()
    (people.folder / "landmarks189_neutral.npz").unlink()
    Image.new("RGB", (9, 9)).save(people.folder / "050_03.jpg")
    with pytest.raises(HffneError, match=r"001_neutral\.tem"):
        london.find(people.folder, part=True)
    for path in people.folder.glob("*.jpg"):
        points = np.arange(378.0).reshape(189, 2)
        points[list(london.IBUG.values())] = together
        lines = ["189", *(f"{x}\t{y}" for x, y in points), "2", "0", "1 2 3"]
        path.with_suffix(".tem").write_text("\n".join(lines), "utf-8")
    items = london.find(people.folder, part=True)
    assert np.allclose(items[0].points(), together) and items[-1].name == "050"
