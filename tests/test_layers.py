# SPDX-License-Identifier: GPL-3.0-or-later
"""Which module may import which: the tables of docs/architecture.md, held against every import of both packages."""

import re

import pytest

from import_graph import circles, edges, modules
from paths import ROOT

PACKAGES = {"hffne": ROOT / "server" / "hffne", "hffne_blender": ROOT / "hffne_blender"}


def layers(package):
    """The table of a package as {unit: height}, 0 for the lowest layer. A unit is a module or a folder of modules."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = re.search(rf"^```layers {package}\n(.+?)^```", text, re.M | re.S).group(1)
    rows = [line.partition("#")[0].split() for line in block.splitlines()]
    heights = {}
    for height, row in enumerate(reversed([row for row in rows if row])):
        for unit in row:
            assert heights.setdefault(unit, height) == height, f"{unit} stands twice"
    return heights


def unit_of(module, units):
    """The longest unit that the module belongs to, or None."""
    parts = module.split(".")
    names = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((name for name in names if name in units), None)


def imports_of(package):
    """The imports between modules; a package's `__init__` is its face, which every module may ask for the version."""
    return [edge for edge in edges(PACKAGES[package]) if edge.source and edge.target]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_a_layer_and_every_layer_a_module(package):
    units = layers(package)
    used = {unit_of(module, units) for module in modules(PACKAGES[package]) if module}
    assert None not in used, [m for m in modules(PACKAGES[package]) if m and not unit_of(m, units)]
    assert used == set(units)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_import_goes_up_or_across(package):
    units = layers(package)
    wrong = []
    for edge in imports_of(package):
        source, target = unit_of(edge.source, units), unit_of(edge.target, units)
        if source != target and units[source] <= units[target]:
            wrong.append(edge.where)
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_one_another_in_a_circle(package):
    assert not circles(imports_of(package))
