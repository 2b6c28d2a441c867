# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne bench` with stand-in networks: its figures are about this very process."""

import json
import math
import sys

import numpy as np
import pytest
import torch

import hffne.models
from hffne.benchmark import session, throughput, timing
from hffne.benchmark.memory import peak_memory
from hffne.benchmark.tables import MARKS, change_table
from hffne.cli.bench import STAGES
from hffne.cli.main import main
from hffne.photo.detect import find_faces
from hffne.photo.load import load_photo
from hffne.pipeline import Engine
from posed_head import PosedModels, turned


@pytest.fixture
def stand_in(monkeypatch):
    models = PosedModels(turned(10, 0, 0))
    monkeypatch.setattr(hffne.models, "load_models", lambda device, model, **_: models)
    monkeypatch.setattr(hffne.models, "device_name", lambda device: "stand-in")
    return models


@pytest.fixture(scope="module")
def paper():
    """Networks of the published widths; making their hundred million random weights takes seconds."""
    return hffne.models.untrained_paper_models(torch.device("cpu"))


def test_every_stage_is_timed(stand_in, astronaut_file, tmp_path, capsys):
    path = tmp_path / "bench.json"
    command = ["bench", str(astronaut_file), "--runs", "2", "--texture-size", "256", "--json", str(path), "--no-start"]
    assert main(command) == 0
    data = json.loads(path.read_text())
    times = data["milliseconds"]
    assert set(STAGES) < set(times)
    for stage in ("load", "detect", "prn", "unwrap", "mesh"):
        assert 0 < times[stage]["low"] <= times[stage]["median"] <= times[stage]["high"]
    assert times["all"]["low"] >= times["normals"]["low"] > times["detect"]["low"]
    assert data["photo_size"] == [512, 512] and data["runs"] == 2 and data["engine_ready_seconds"] is None
    assert times["all"]["cpu"] >= times["normals"]["cpu"] > 0
    printed = capsys.readouterr().out
    assert all(f"| {stage} |" in printed for stage in STAGES) and "a minute |" in printed
    # Against the same figures, halved: twice as long.
    halved = {name: {key: value / 2 for key, value in row.items()} for name, row in times.items()}
    assert "| prn | 1 | 2 | 2.00 | 2.00 |" in change_table(
        {"milliseconds": {"prn": {"cpu": 2, "median": 2}}}, {"milliseconds": {"prn": {"cpu": 1, "median": 1}}}
    )
    path.write_text(json.dumps({"milliseconds": halved}))
    assert main([*command, "--compare", str(path)]) == 0 and "ratio by the clock" in capsys.readouterr().out
    path.write_text("[]")
    assert main([*command, "--compare", str(path)]) == 1


def test_the_interval_of_a_ratio():
    first = [1.0, 2.0, 3.0, 4.0]
    exact = timing.ratio_of_pairs(first, [6.0, 12.0, 18.0, 24.0])
    assert all(value == pytest.approx(6) for value in exact.values())
    # The logarithms 0 to 4: mean 2, deviation sqrt(2.5), and Student's 2.776 for four degrees of freedom.
    found = timing.ratio_of_pairs([1.0] * 5, [math.exp(k) for k in range(5)])
    assert found["ratio"] == pytest.approx(math.e**2)
    assert math.log(found["high"] / found["ratio"]) == pytest.approx(2.776 * math.sqrt(2.5 / 5), rel=0.02)
    assert found["low"] * found["high"] == pytest.approx(found["ratio"] ** 2)


@pytest.mark.usefixtures("one_thread")
def test_the_published_widths_are_timed_in_the_same_run(paper, astronaut_file, monkeypatch, capsys):
    monkeypatch.setattr(hffne.models, "untrained_paper_models", lambda device: paper)
    main(["bench", str(astronaut_file), "--runs", "1", "--texture-size", "64", "--no-start", "--against", "paper"])
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("| **compact is faster"))
    # Within one run the ratio holds on any machine; `hffne bench` prints it with its interval.
    assert float(line.split("**")[3].removesuffix(" x")) > 2


@pytest.mark.once
def test_faces_at_once_are_timed_for_both_widths(paper, one_thread):
    both = {"compact": hffne.models.load_models(torch.device("cpu")), "paper": paper}
    rows = throughput.throughput(both, [64], [1, 2], seconds=0)
    assert [(row["size"], row["batch"]) for row in rows] == [(64, 1), (64, 2)]
    for row in rows:
        assert row["faces_per_second"]["compact"] > row["faces_per_second"]["paper"] > 0
    table = throughput.markdown([*rows, {**rows[0], "faces_per_second": {"compact": 2.0, "paper": None}}]).splitlines()
    assert len(table) == 5 and table[2].startswith("| 64 | 1 |") and table[4].endswith("| 2.0 | – | – |")


def test_what_does_not_fit_into_memory_has_no_rate(paper, monkeypatch):
    monkeypatch.setattr(paper, "coarse_network", raising(RuntimeError("MPS backend out of memory")))
    (row,) = throughput.throughput({"paper": paper}, [64], [1], seconds=0)
    assert row["faces_per_second"] == {"paper": None}
    monkeypatch.setattr(paper, "coarse_network", raising(RuntimeError("another fault")))
    with pytest.raises(RuntimeError, match="another"):
        throughput.throughput({"paper": paper}, [64], [1], seconds=0)


def raising(error):
    def fail(*_):
        raise error

    return fail


@pytest.mark.once
def test_photos_at_once_go_through_the_whole_pipeline(astronaut_file, one_thread):
    photo = load_photo(astronaut_file)
    engine = Engine("cpu", size=256)
    rows = throughput.photos_per_second(engine, photo, find_faces(photo)[0], [1, 2], seconds=0)
    assert [row["batch"] for row in rows] == [1, 2] and all(row["photos_per_second"] > 0 for row in rows)
    assert throughput.photos_markdown(rows).splitlines()[3].startswith("| 2 | ")


def test_each_stage_by_itself_goes_into_a_page(stand_in, astronaut_file, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"Above.\n{MARKS[0]}\nold figures\n{MARKS[1]}\nBelow.\n", "utf-8")
    path = tmp_path / "bench.json"
    assert (
        main(
            [
                "bench",
                str(astronaut_file),
                "--runs",
                "1",
                "--texture-size",
                "64",
                "--no-start",
                "--stages",
                "--texture-sizes",
                "64",
                "128",
                "--fine-sizes",
                "256",
                "320",
                "--update",
                str(page),
                "--json",
                str(path),
            ]
        )
        == 0
    )
    stages = json.loads(path.read_text())["stages"]
    expected = {
        "load",
        "detect",
        "align",
        "prn",
        "coarse",
        "fine 256",
        "fine 320",
        "unwrap 64",
        "unwrap 128",
        "mesh",
        "normals",
    }
    assert expected <= set(stages) and all(0 < t["low"] <= t["median"] <= t["high"] for t in stages.values())
    text = page.read_text("utf-8")
    assert text.startswith(f"Above.\n{MARKS[0]}\n") and text.endswith(f"{MARKS[1]}\nBelow.\n")
    assert "old figures" not in text and all(f"| {stage} |" in text for stage in expected)
    page.write_text("no marks", "utf-8")
    assert (
        main(["bench", str(astronaut_file), "--runs", "1", "--texture-size", "64", "--no-start", "--update", str(page)])
        == 1
    )
    assert page.read_text("utf-8") == "no marks"


def test_a_session_of_one_engine(astronaut_file):
    """The real engine."""
    reported = []
    found = session.long_session(astronaut_file, 4, texture_size=64, report=reported.append)
    assert reported == [1, 2, 3, 4] and found["settled_after"] == 2
    assert 0 < found["milliseconds_end"]["low"] <= found["milliseconds_end"]["high"]
    if found["memory_end_mb"] is not None:
        # torch is in there, and nothing that a small photo would not need.
        assert 100 < found["memory_end_mb"] < 3000
        assert found["memory_end_mb"] < found["memory_settled_mb"] * 1.5


@pytest.mark.skipif(sys.platform not in ("linux", "darwin", "win32"), reason="the memory is not known here")
def test_peak_memory_rises_with_what_is_held():
    before = peak_memory()
    held = np.ones(60_000_000, np.uint8)
    # The peak may lie above what is in use now.
    held_more = np.ones(int(before * 1024**2), np.uint8)
    assert peak_memory() >= before + 50
    del held, held_more
