# SPDX-License-Identifier: GPL-3.0-or-later
"""The architecture page names what there is: the properties stored in a .blend, and the requests of the protocol."""

import ast
import re

from hffne.service import protocol
from paths import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def rows(heading):
    """The first code words of each row's cells, of the table below a heading."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [re.findall(r"`([^`]+)`", line) for line in section.splitlines() if line.startswith("| ")][1:]


def properties():
    """The names that the extension stores things under: texts and attributes that begin with hffne_."""
    names = set()
    for path in (ROOT / "hffne_blender").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.update(re.findall(r"^hffne(?:_\w+)?$", node.value))
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                names.update(re.findall(r"^hffne\w*$", node.targets[0].attr))
    return names - {"hffne_blender"}


def test_every_stored_property_is_named():
    named = {word.removesuffix("<kind>") for row in rows("What is stored in a .blend") for word in row}
    named.add("hffne_faces")  # below the table: not saved
    stored = properties()
    assert len(stored) > 15
    assert stored <= named
    assert {name for name in named if name.startswith("hffne")} <= stored


def test_every_request_is_named():
    assert {row[0] for row in rows("The wire protocol")} == set(protocol.REQUESTS)
