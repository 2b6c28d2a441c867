# SPDX-License-Identifier: GPL-3.0-or-later
"""The ablation studies on a tiny budget: every row is trained, measured on both domains, and written."""

import json
import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import dataset_standins
from hffne.cli.main import main
from hffne.datasets import yaleb
from hffne.experiments import study
from hffne.photo.crop import Crop
from hffne.photo.detect import Face
from hffne.training.recipe import FOLDER
from hffne.training.sources import cropping
from hffne.training.sources.cropping import truth_on
from hffne.weights.notes import read_notes
from tiny_training import OFTEN, SIZE, Balls, vgg_file


def test_a_study_trains_and_measures_its_rows(tmp_path, monkeypatch, astronaut_file, astronaut, capsys):
    monkeypatch.setattr(study, "FaceSamples", lambda *_, **__: Balls())
    recipe = json.loads((FOLDER / "study.json").read_text())
    recipe |= {"size": SIZE, "batch": 4, "micro_batch": 2, "precision": "32-true"}
    recipe["every"] |= {name.split(".")[1]: value for name, value in OFTEN.items()}
    (tmp_path / "r.json").write_text(json.dumps(recipe))
    truth = np.zeros((*astronaut.shape[:2], 3), np.float32) + np.float32([0, 0, 1])
    item = SimpleNamespace(photo=astronaut_file, ground_truth=lambda: (truth, np.ones(truth.shape[:2], bool)))
    monkeypatch.setattr(yaleb, "find", lambda *_, **__: [item])
    out = tmp_path / "out"
    command = [
        "--set",
        str(tmp_path),
        "-o",
        str(out),
        "--recipe",
        str(tmp_path / "r.json"),
        "--coarse-steps",
        "4",
        "--fine-steps",
        "1",
        "--faces",
        "2",
        "--yaleb",
        str(tmp_path),
        "--accelerator",
        "cpu",
        "--threads",
        "1",
    ]
    reports = {}
    for name in ("modulation", "architecture"):
        assert main(["study", name, *command]) == 0
        reports[name] = json.loads((out / f"{name}.json").read_text())
        printed = capsys.readouterr().out
        assert (out / f"{name}.md").read_text("utf-8").strip() in printed
        picture = cv2.imread(str(out / f"{name}.png"))
        assert picture.shape[1] > 8 * 192  # photo, truth, exemplar and result of three rows
    rows = {row["row"]: row for report in reports.values() for row in report["rows"]}
    assert list(rows) == ["w/o modulation", "AdaIN", "StyleGAN2", "A1", "A2", "A3", "FNR2R"]
    means = [row["in_domain_fine"]["mean"] for row in rows.values()]
    assert len(set(means)) == 6 and rows["A3"]["in_domain_fine"] == rows["StyleGAN2"]["in_domain_fine"]
    assert all(0 < row["out_of_domain_fine"]["mean"] < 180 for row in rows.values())
    assert len({row["in_domain_exemplar"]["mean"] for row in rows.values()}) == 1
    assert main(["study", "exemplar", *command]) == 0
    more = json.loads((out / "exemplar.json").read_text())["rows"]
    assert [row["row"] for row in more] == ["alone", "A3", "z of 512", "hidden 30 %", "attention", "spatial"]
    assert more[1]["in_domain_fine"] == rows["A3"]["in_domain_fine"]
    assert all(-1 < row["in_domain_fine"]["relief"] < 1 for row in more)
    assert main(["study", "perceptual", *command]) == 2
    assert "--vgg" in capsys.readouterr().err
    assert main(["study", "perceptual", *command, "--vgg", str(vgg_file(tmp_path / "vgg.pth"))]) == 0
    means = [row["in_domain_fine"]["mean"] for row in json.loads((out / "perceptual.json").read_text())["rows"]]
    assert len(set(means)) == 4 and means[0] == rows["A3"]["in_domain_fine"]["mean"]
    # Other budgets in the same folder are refused, by what differs.
    others = command.copy()
    others[others.index("--coarse-steps") + 1] = "8"
    assert main(["study", "modulation", *others]) == 2
    assert "another run: input budget was 4 steps, now it is 8 steps" in capsys.readouterr().err
    recipe["optimizer"]["betas"] = [0.5, 0.9]
    (tmp_path / "r.json").write_text(json.dumps(recipe))
    assert main(["study", "modulation", *command]) == 2
    assert "another run: optimizer.betas was not given, now it is [0.5, 0.9]" in capsys.readouterr().err


def test_a_study_on_photoface_and_photos(tmp_path, monkeypatch, astronaut_file, capsys):
    recipe = json.loads((FOLDER / "study.json").read_text())
    recipe |= {"size": SIZE, "batch": 2, "micro_batch": 2, "precision": "32-true"}
    recipe["every"] |= {name.split(".")[1]: value for name, value in OFTEN.items()}
    (tmp_path / "r.json").write_text(json.dumps(recipe))
    dataset_standins.photoface(tmp_path / "photoface")
    (tmp_path / "photos").mkdir()
    shutil.copy(astronaut_file, tmp_path / "photos")
    box = (15.0, 18.0, 30.0, 36.0)
    monkeypatch.setattr(cropping, "find_faces", lambda photo: [Face(box, 0.9, np.zeros((5, 2), np.float32))])
    command = ["study", "modulation", "-o", str(tmp_path / "out"), "--recipe", str(tmp_path / "r.json"), "--faces", "2"]
    command += ["--coarse-steps", "2", "--fine-steps", "1", "--accelerator", "cpu", "--threads", "1"]
    assert main(command) == 2
    assert "--set SET or --photoface DIR" in capsys.readouterr().err
    data = ["--photoface", str(tmp_path / "photoface"), "--photos", str(tmp_path / "photos")]
    assert main([*command, *data]) == 0
    report = json.loads((tmp_path / "out" / "modulation.json").read_text())
    assert "Photoface held out: exemplar" in capsys.readouterr().out
    assert all(0 < row["in_domain_fine"]["mean"] < 180 and "shown_fine" not in row for row in report["rows"])
    # Two held-out faces and four photos, a row each.
    assert cv2.imread(str(tmp_path / "out" / "modulation.png")).shape[0] > 6 * 192
    # Stage 2 learned from the photos, not from Photoface.
    notes = [
        read_notes(tmp_path / "out" / n)
        for n in ("coarse/generator.safetensors", "fine_0.5_A3_none_paired/fine.safetensors")
    ]
    assert notes[0]["data"] != notes[1]["data"]


def test_truth_lies_where_the_crop_does():
    y, x = np.mgrid[:200, :300].astype(np.float32)
    normal = np.dstack([x / 300, y / 300, np.ones_like(x)])
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    mask = x < 250
    got, known = truth_on(Crop(200.0, 100.0, 160.0, 256), 80, normal, mask)
    # Pixel 10 of 80 covers 20 to 22 of the crop, which begins at column 120, row 20.
    assert got[10, 30] == pytest.approx(normal[40:42, 180:182].mean((0, 1)), abs=2e-3)
    assert known[40, 60] and not known[40, 68] and not got[40, 68].any()


def test_relief_is_compared_apart_from_the_shape_and_its_strength():
    rng = np.random.default_rng(0)
    mask = np.ones((96, 96), bool)
    y, x = np.mgrid[:96, :96].astype(np.float32) / 48 - 1
    relief = 0.2 * rng.normal(size=(96, 96, 2)).astype(np.float32)

    def normals(strength, slope):
        n = np.dstack([slope * x + strength * relief[..., 0], slope * y + strength * relief[..., 1], np.ones_like(x)])
        return n / np.linalg.norm(n, axis=2, keepdims=True)

    truth = normals(1, 0.5)
    assert study.relief_correlation(truth, truth, mask) == pytest.approx(1)
    assert study.relief_correlation(normals(0.5, -0.5), truth, mask) > 0.9
    assert study.relief_correlation(normals(-1, 0.5), truth, mask) < -0.9
    assert abs(study.relief_correlation(normals(0, 0.5), truth, mask)) < 0.3
