# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation as a site: every page is in it, and every link fits there too. mkdocs itself is not needed."""

import importlib.util
import re

import pytest

from paths import ROOT

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def make_site():
    spec = importlib.util.spec_from_file_location("make_site", ROOT / "docs" / "make_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_pages_and_the_files_that_they_name_are_in_the_site(make_site, tmp_path):
    make_site.assemble(tmp_path)
    pages = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.md")}
    assert set(pages) == set(make_site.places().values()) and len(pages) > 20
    count = 0
    for name, text in pages.items():
        for target in re.findall(r"\]\(([^)\s#]+)", re.sub(r"`[^`\n]*`", "", text)):
            if not re.match(r"[a-z]+:", target):
                count += 1
                assert (tmp_path / target).is_file(), (name, target)
    assert count > 60 and (tmp_path / "images" / "guide-face.png").is_file()


def test_the_navigation_has_each_page_once(make_site):
    names = []
    for entry in make_site.navigation():
        for value in entry.values():
            names += value if isinstance(value, list) else [value]
    assert sorted(names) == sorted(make_site.places().values())
