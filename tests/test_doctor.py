# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of `hffne doctor`, and the page that explains every error code."""

import ast
import os
import re
from pathlib import Path

import pytest
from hffne.cli.main import main
from hffne.doctor import masked

ROOT = Path(__file__).parents[1]


# Their first text argument is a code.
RAISERS = {"EngineError", "TransferError", "Failure", "_fail", "_give_up"}


def codes_in(path):
    """The error codes that a module may raise: `code = "..."`, `code="..."`, {"code": "..."} and what RAISERS take."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        values = []
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                target, value = target.elts[0], value.elts[0]
            values = [value] if getattr(target, "id", "") == "code" else []
        elif isinstance(node, ast.Dict):
            values = [value for key, value in zip(node.keys, node.values) if getattr(key, "value", "") == "code"]
        elif isinstance(node, ast.Call):
            values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            if getattr(node.func, "id", getattr(node.func, "attr", "")) in RAISERS:
                values += [value for value in node.args[:2] if re.fullmatch("[a-z]+(_[a-z]+)*", str(getattr(value, "value", "")))]
        yield from (v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str))


def test_every_code_is_on_the_page_and_the_page_has_no_others():
    sources = [*(ROOT / "server" / "hffne").rglob("*.py"), *(ROOT / "hffne_blender").rglob("*.py")]
    codes = {code for path in sources for code in codes_in(path)}
    assert len(codes) > 30
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    listed = set(re.findall(r"`([a-z_]+)`", "\n".join(line.split("|")[1] for line in page.splitlines()
                                                     if line.startswith("| `"))))
    assert listed == codes


def test_the_doctor_finds_the_engine_well(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert text.count("\nok ") == 5 and "FAIL" not in text
    assert "torch" in text and str(Path.home()) not in text


def test_the_doctor_says_what_is_wrong(capsys, monkeypatch, tmp_path):
    from hffne.weights import store

    monkeypatch.setattr(store, "FOLDER", tmp_path)
    monkeypatch.setattr("hffne.models.load_models.__defaults__", (None, "compact", tmp_path, False))
    assert main(["doctor"]) == 1
    assert "FAIL  weights: weights_missing" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="sets HOME, which Windows does not use")
def test_a_report_masks_the_users_folder_and_name(monkeypatch):
    monkeypatch.setenv("HOME", "/home/clara.m")
    monkeypatch.setenv("USER", "clara.m")
    assert masked("/home/clara.m/photos/x.jpg of clara.m") == "~/photos/x.jpg of <user>"
