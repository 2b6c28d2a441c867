# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of `hffne doctor`, and the page that explains every error code."""

import re
from pathlib import Path

import error_catalog
from hffne.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


def test_every_code_is_on_the_page_and_the_page_has_no_others():
    sources = [*(ROOT / "server" / "hffne").rglob("*.py"), *(ROOT / "hffne_blender").rglob("*.py")]
    codes = {code for path in sources for code in error_catalog.codes_in(path)}
    assert len(codes) > 30
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    listed = set(
        re.findall(
            r"`([a-z_]+)`", "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
        )
    )
    assert listed == codes


def test_every_message_is_on_the_page_beside_its_code():
    """`python tests/support/error_catalog.py` brings it up to date."""
    found, listed = error_catalog.found(), error_catalog.listed()
    assert len(found) > 100
    assert set(listed) == set(found)
    for text, code in found.items():
        # A message without a code has its explanation in its own row.
        assert listed[text] == f"`{code}`" if code else listed[text] not in ("", "?"), text


def test_the_doctor_finds_the_engine_well(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert text.count("\nok ") == 5 and "FAIL" not in text
    assert "torch" in text and str(Path.home()) not in text


def test_the_doctor_says_what_is_wrong(capsys, monkeypatch, tmp_path):
    from hffne.weights import store

    monkeypatch.setattr(store, "FOLDER", tmp_path)
    monkeypatch.setattr("hffne.models.load_models.__defaults__", (None, "compact", tmp_path, False, None))
    assert main(["doctor"]) == 1
    assert "FAIL  weights: weights_missing" in capsys.readouterr().out
