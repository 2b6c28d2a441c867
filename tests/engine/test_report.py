# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for support, written by the button in the preferences."""

import sys
from pathlib import Path

import pytest

from blender_process import needs_blender, run_case
from hffne_blender.engine.redact import redact


def test_names_of_people_folders_and_photos_are_redacted():
    home = str(Path.home())
    for text in (
        f"'{home}/Pictures/Aunt Mary.jpg' is damaged",
        f"There is no file {home}/of Mary, 3 (b)/O'Mary.jpg.",
        "There is no file C:\\Users\\Mary\\a Mary.png.",
        "There is no file \\\\server\\Mary\\a Mary.png.",
    ):
        assert "Mary" not in redact(text, user="jo") and home not in redact(text, user="jo"), text
    assert redact(f"'{home}/a.jpg' is damaged", user="jo") == "<name> is damaged"
    assert redact("jdoe has torch 2.13, and/or none", user="jdoe") == "<user> has torch 2.13, and/or none"


@pytest.mark.once
@needs_blender
def test_the_button_writes_a_report():
    text = run_case("report", sys.executable, script="operator_cases.py")["text"]
    assert "blender: " in text and "last error: photo_not_found" in text
    assert "Secretname" not in text and str(Path.home()) + "/" not in text
    assert "torch " in text and "weights" in text, text


@needs_blender
def test_the_logs_and_the_help_are_texts():
    found = run_case("reading", script="operator_cases.py")
    assert found["log"] == found["copy"] == ["FINISHED"]
    assert found["help"]["last"].startswith("photo_not_found\n\nWhat it means: there is no such file")
    assert found["help"]["named"].startswith("no_face\n\n") and "What to do: both eyes" in found["help"]["named"]
    assert found["help"]["unknown"].startswith("# Troubleshooting")
    assert found["texts"] == ["HFFNE Engine Log", "HFFNE Help"]
